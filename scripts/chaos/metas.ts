import { type Entry, metaOf } from './deeds.ts'
import type { NodeShape, Shape } from './shape.ts'

/** What records of a random graph must have for a meta: what their source marked them with, unless they came of several. */
export class Metas {
  /** Source workers whose records have meta. */
  readonly #sources: ReadonlySet<number>
  /** Nodes to which records come that a batch made. */
  readonly #mixed = new Set<string>()
  readonly #shape: Shape

  constructor(shape: Shape) {
    this.#shape = shape
    const marking = shape.nodes.filter(({ metas }) => metas)
    this.#sources = new Set(marking.flatMap(workersOf))
    for (const { from, to, options } of shape.edges) {
      const node = shape.nodes.find(({ id }) => id === from)!
      const isBatch = node.options['batch'] !== undefined || node.does === 'mapBatch'
      // What `mapEach` answers is of one record each.
      const isOfOne = node.does === 'mapEach' && options['when'] === undefined
      if (isBatch && !isOfOne) this.#mix(to)
    }
  }

  isRight(node: NodeShape, entry: Entry, found: unknown): boolean {
    if (this.#mixed.has(node.id)) return true
    const expected = this.#sources.has(entry.source) ? metaOf(entry) : undefined
    return (found as typeof expected)?.of === expected?.of
  }

  #mix(id: string): void {
    if (this.#mixed.has(id)) return
    this.#mixed.add(id)
    for (const { from, to } of this.#shape.edges) if (from === id) this.#mix(to)
  }
}

function workersOf({ firstWorker, concurrency }: NodeShape): number[] {
  return Array.from({ length: concurrency }, (_, i) => firstWorker + i)
}
