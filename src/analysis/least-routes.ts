import type { ResolvedGraph } from '../graph/resolve.ts'

/** What a way costs, up to and with the node where it ends. Going on never makes it less. */
export interface RouteCost {
  /** Of the way that begins and ends at a node. */
  start(node: number): number
  /** Of a way that cost so much and goes on over an edge, to the node where that leads. `undefined`: no way goes on there. */
  next(cost: number, edge: number): number | undefined
}

/** The ways that cost least, of those the shortest, of those the one over the edges that come first. */
export interface LeastRoutes {
  /** Infinity where there is no way. */
  cost(node: number): number
  has(node: number): boolean
  /** Nodes of the way, both ends included; none where there is no way. */
  nodes(node: number): readonly number[]
  /** Edges of the way, in order. */
  edges(node: number): readonly number[]
}

/**
 * The ways from `start` to all others that cost least, over nodes of `within` only where it is given. Dijkstra's algorithm;
 * with `target` it ends there. Cost: O(edges × log edges).
 */
export function leastRoutes(
  graph: ResolvedGraph,
  start: readonly number[],
  cost: RouteCost,
  { within, target }: { readonly within?: ReadonlySet<number> | undefined; readonly target?: number } = {},
): LeastRoutes {
  const reached = new Map<number, Reached>()
  const heap = new Heap()
  for (const node of start) heap.push({ cost: cost.start(node), hops: 0, node, edge: -1 })
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) {
    const { node, hops } = next
    if (reached.has(node)) continue
    reached.set(node, next)
    if (node === target) break
    for (const edge of graph.out(node)) {
      const to = graph.to(edge)
      if (within?.has(to) === false || reached.has(to)) continue
      const onward = cost.next(next.cost, edge)
      if (onward !== undefined) heap.push({ cost: onward, hops: hops + 1, node: to, edge })
    }
  }
  const edges = (node: number): readonly number[] => {
    const way: number[] = []
    for (let edge = edgeInto(node); edge !== -1; edge = edgeInto(graph.from(edge))) way.push(edge)
    return way.reverse()
  }
  const edgeInto = (node: number): number => reached.get(node)?.edge ?? -1
  return {
    cost: (node) => reached.get(node)?.cost ?? Infinity,
    has: (node) => reached.has(node),
    edges,
    nodes(node) {
      const [first, ...more] = edges(node)
      if (first === undefined) return reached.has(node) ? [node] : []
      return [graph.from(first), graph.to(first), ...more.map((edge) => graph.to(edge))]
    },
  }
}

interface Reached {
  readonly cost: number
  readonly hops: number
  readonly node: number
  /** By which it was reached; -1 at the start. */
  readonly edge: number
}

function isBefore(a: Reached, b: Reached): boolean {
  return a.cost < b.cost || (a.cost === b.cost && (a.hops < b.hops || (a.hops === b.hops && a.edge < b.edge)))
}

/** A binary heap: what comes before the others first. */
class Heap {
  readonly #items: Reached[] = []

  push(item: Reached): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(item, items[above]!)) break
      items[at] = items[above]!
      at = above
    }
    items[at] = item
  }

  pop(): Reached | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++
      if (!isBefore(items[child]!, last)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return first
  }
}
