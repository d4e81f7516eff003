import type { NodeShape, Shape } from './shape.ts'
import { type Entry, emitted, isHopeless, isSelected, outputs, routeOf } from './deeds.ts'

/** How the records that came out differ from those that should. */
export interface Balance {
  readonly lost: number
  readonly duplicated: number
  /** A few of each, to look at. */
  readonly examples: readonly string[]
}

const EXAMPLES = 5

/** What should come out at each output, worked out by the same pure functions in one thread, and what did. */
export class Ledger {
  readonly #nodes: ReadonlyMap<string, NodeShape>
  readonly #edges = new Map<string, Shape['edges'][number][]>()
  /** Records that came out, by output and trail. */
  readonly #found = new Map<string, number>()
  records = 0

  constructor(shape: Shape) {
    this.#nodes = new Map(shape.nodes.map((node) => [node.id, node]))
    for (const { id } of shape.nodes)
      this.#edges.set(
        id,
        shape.edges.filter(({ from }) => from === id),
      )
  }

  /** A record came out. */
  add(output: string, entry: Entry): void {
    this.records++
    const key = keyOf(output, entry)
    this.#found.set(key, (this.#found.get(key) ?? 0) + 1)
  }

  /** Holds what came out against what should come of the records that were made. */
  balance(made: Iterable<readonly [node: NodeShape, entry: Entry]>): Balance {
    const missing = new Map<string, number>()
    const expect = (key: string): unknown => missing.set(key, (missing.get(key) ?? 0) + 1)
    for (const [node, entry] of made) this.#follow(node, [entry], expect)
    const examples: string[] = []
    const note = (what: string, key: string): unknown => examples.length < EXAMPLES && examples.push(`${what}: ${key}`)
    let lost = 0
    let duplicated = 0
    for (const [key, expected] of missing) {
      const found = this.#found.get(key) ?? 0
      if (found < expected) note('lost', key)
      lost += Math.max(0, expected - found)
    }
    for (const [key, found] of this.#found) {
      const expected = missing.get(key) ?? 0
      if (found > expected) note(expected > 0 ? 'duplicated' : 'made up', key)
      duplicated += Math.max(0, found - expected)
    }
    return { lost, duplicated, examples }
  }

  /** Sends what a node made of a record along its edges. */
  #follow(node: NodeShape, entries: readonly Entry[], expect: (key: string) => void): void {
    for (const edge of this.#edges.get(node.id)!) {
      if (edge.options['when'] !== undefined || edge.options['pathType'] !== undefined) continue
      for (const entry of entries) this.#carry(edge, entry, expect)
    }
  }

  /** A broadcasting stage gets a copy for each of its workers, or for those that the edge selects. */
  #carry({ to, selects }: Shape['edges'][number], entry: Entry, expect: (key: string) => void): void {
    const node = this.#nodes.get(to)!
    const copies = node.options['dispatch'] === 'broadcast' ? node.concurrency : 1
    for (let worker = 0; worker < copies; worker++)
      if (!selects || isSelected(entry, worker)) this.#arrive(node, entry, expect)
  }

  #arrive(node: NodeShape, entry: Entry, expect: (key: string) => void): void {
    if (node.does === 'output') return expect(keyOf(node.id, entry))
    const edges = this.#edges.get(node.id)!
    const take = (option: string, value: string, entries: readonly Entry[]): void => {
      for (const edge of edges)
        if (edge.options[option] === value) for (const each of entries) this.#carry(edge, each, expect)
    }
    if (node.does === 'route') return take('when', routeOf(node, entry), [entry])
    if (isHopeless(node, entry)) {
      take('pathType', 'error', [entry])
      return take('pathType', 'dead_letter', [entry])
    }
    take('when', 'more', emitted(node, entry))
    this.#follow(node, outputs(node, entry), expect)
  }
}

function keyOf(output: string, { trail, padding }: Entry): string {
  return padding === undefined ? `${output} ${trail}` : `${output} ${trail} +${padding.length}`
}
