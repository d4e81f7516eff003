import type { Live } from '#src/control/index.js'
import { Series } from './charts.ts'

/** The last two minutes of every stage, so that a panel that is opened has something to show. */
export class Histories {
  readonly #stages = new Map<string, { readonly rates: Series; readonly shares: Series }>()

  add({ time, stages }: Live): void {
    for (const { node, inPerSecond, outPerSecond, shares } of stages) {
      const { rates, shares: series } = this.of(node)
      rates.add(time, inPerSecond, outPerSecond)
      series.add(time, shares.busy, shares.blocked)
    }
  }

  of(node: string): { readonly rates: Series; readonly shares: Series } {
    const known = this.#stages.get(node) ?? { rates: new Series(2), shares: new Series(2) }
    this.#stages.set(node, known)
    return known
  }
}
