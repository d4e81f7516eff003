import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'
import { readSnapshot } from '../telemetry/snapshot.ts'

/** Records that were dropped at an edge into a buffer. */
export interface Drop {
  /** Index of the edge in the graph. */
  readonly edge: number
  readonly from: string
  /** The buffer. */
  readonly to: string
  /** Records since the pipeline started. */
  readonly total: number
}

/** All that was dropped so far, by edge. */
export function dropsOf({ edges }: Pick<ReturnType<typeof readSnapshot>, 'edges'>): Drop[] {
  return edges
    .filter(({ dropped }) => dropped > 0)
    .map(({ index, from, to, dropped }) => ({ edge: index, from, to, total: dropped }))
}

/** Tells what was dropped since it was asked before: the workers only count. */
export class Drops {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #told = new Map<number, number>()

  constructor(memory: Memory, plan: Plan) {
    this.#memory = memory
    this.#plan = plan
  }

  /** Whether anything can be dropped at all. */
  get areAllowed(): boolean {
    return this.#plan.links.some(({ whenFull }) => whenFull !== 'block')
  }

  look(): (Drop & { readonly records: number })[] {
    return dropsOf(readSnapshot(this.#memory, this.#plan, 0)).flatMap((drop) => {
      const records = drop.total - (this.#told.get(drop.edge) ?? 0)
      this.#told.set(drop.edge, drop.total)
      return records > 0 ? [{ ...drop, records }] : []
    })
  }
}
