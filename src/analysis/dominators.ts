import type { ResolvedGraph } from '../graph/resolve.ts'

/** Which nodes every way from the roots to a node leads through. Nodes that no root reaches are not among them. */
export interface Dominators {
  /** What is reached, each node behind all that dominate it. */
  readonly order: readonly number[]
  /** Of `order[i]`: the place in `order` of the last node before it on every way; -1 where there is none. */
  readonly above: Int32Array
}

/**
 * Immediate dominators, as from one root above all `roots` (Lengauer and Tarjan, ACM TOPLAS 1(1), 1979, the simple way to
 * link). Its own stacks, so long chains do not overflow the thread's. Cost: O(edges × log nodes).
 */
export function dominators(graph: ResolvedGraph, roots: readonly number[]): Dominators {
  const { order, place, parent } = depthFirst(graph, roots)
  const isRoot = new Set(roots)
  const size = order.length
  const semi = Int32Array.from(order.keys())
  const best = Int32Array.from(order.keys())
  const above = new Int32Array(size)
  const ancestor = new Int32Array(size).fill(-1)
  // Those whose semidominator is a place, as a list from `first` on; linked, because they are emptied all the time.
  const first = new Int32Array(size).fill(-1)
  const next = new Int32Array(size).fill(-1)
  const path: number[] = []

  /** The place of least semidominator between one and the top of what is linked above it. */
  const leastFrom = (from: number): number => {
    if (ancestor[from] === -1) return from
    for (let at = from; ancestor[ancestor[at]!] !== -1; at = ancestor[at]!) path.push(at)
    for (let at = path.pop(); at !== undefined; at = path.pop()) {
      const over = ancestor[at]!
      if (semi[best[over]!]! < semi[best[at]!]!) best[at] = best[over]!
      ancestor[at] = ancestor[over]!
    }
    return best[from]!
  }

  // Place 0 is the root above the roots.
  for (let at = size - 1; at > 0; at--) {
    if (isRoot.has(order[at]!)) semi[at] = 0
    for (const edge of graph.in(order[at]!)) {
      const from = place[graph.from(edge)]!
      if (from > 0) semi[at] = Math.min(semi[at]!, semi[leastFrom(from)]!)
    }
    next[at] = first[semi[at]!]!
    first[semi[at]!] = at
    const over = parent[at]!
    ancestor[at] = over
    for (let each = first[over]!; each !== -1; each = next[each]!) {
      const least = leastFrom(each)
      above[each] = semi[least]! < semi[each]! ? least : over
    }
    first[over] = -1
  }
  for (let at = 1; at < size; at++) if (above[at] !== semi[at]) above[at] = above[above[at]!]!
  return { order: order.slice(1), above: above.subarray(1).map((at) => at - 1) }
}

/** Preorder of a depth-first search from one root, at place 0, above all roots; by place, the place of each parent. */
function depthFirst(
  graph: ResolvedGraph,
  roots: readonly number[],
): { readonly order: readonly number[]; readonly place: Int32Array; readonly parent: readonly number[] } {
  const order = [-1]
  const parent = [-1]
  const place = new Int32Array(graph.nodes.length)
  const enter = (node: number, from: number): void => {
    place[node] = order.length
    order.push(node)
    parent.push(from)
  }
  for (const root of roots) {
    if (place[root] !== 0) continue
    enter(root, 0)
    const open = [{ node: root, next: 0 }]
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const edge = graph.out(top.node)[top.next++]
      if (edge === undefined) open.pop()
      else if (place[graph.to(edge)] === 0) {
        enter(graph.to(edge), place[top.node]!)
        open.push({ node: graph.to(edge), next: 0 })
      }
    }
  }
  return { order, place, parent }
}
