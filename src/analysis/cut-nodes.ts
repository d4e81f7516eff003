import type { GraphData } from '../graph/types.ts'
import { dominators } from './dominators.ts'
import { resolved } from './resolved.ts'
import type { EdgeFilter } from './types.ts'

/** A node without which some sinks get nothing. */
export interface CutNode {
  readonly node: string
  /** How many sinks its loss cuts from every source. */
  readonly cuts: number
  /** Which: at most `maxSinks` of them, in the order of `graph.nodes`. */
  readonly sinks: readonly string[]
}

/**
 * Nodes that every way from the sources to some sink leads through, those that cut most sinks first, among equals in the order
 * of `graph.nodes`. The sink itself does not count, a lone source does; sinks that no source reaches are cut already.
 * At most `maxSinks` (default: 100) are named for each node; all are counted.
 * Cost: O(edges × log nodes), and the sinks that are named.
 */
export function cutNodes(
  graph: GraphData,
  { maxSinks = 100, ...filter }: EdgeFilter & { readonly maxSinks?: number } = {},
): readonly CutNode[] {
  const found = resolved(graph, filter)
  const sources = found.nodes.flatMap(({ kind }, node) => (kind === 'source' ? [node] : []))
  const { order, above } = dominators(found, sources)
  const isSink = (at: number): boolean => found.node(order[at]!).kind === 'sink'
  // Sinks of each node and of all that it dominates. What dominates comes before what it dominates.
  const total = new Int32Array(order.length)
  for (let at = order.length - 1; at >= 0; at--) {
    if (isSink(at)) total[at]!++
    if (above[at] !== -1) total[above[at]!]! += total[at]!
  }
  // All sinks in one list, in which those that a node dominates stand next to each other: `begin` says where.
  const sinks = new Int32Array(order.reduce((sum, _, at) => sum + (isSink(at) ? 1 : 0), 0))
  const begin = new Int32Array(order.length)
  const free = new Int32Array(order.length)
  let freeOutside = 0
  order.forEach((node, at) => {
    const over = above[at]!
    begin[at] = over === -1 ? freeOutside : free[over]!
    if (over === -1) freeOutside += total[at]!
    else free[over]! += total[at]!
    if (isSink(at)) {
      sinks[begin[at]] = node
      begin[at] += 1
      total[at]! -= 1
    }
    free[at] = begin[at]
  })
  return order
    .flatMap((node, at) => (total[at] === 0 ? [] : [{ node, at, cuts: total[at]! }]))
    .sort((a, b) => b.cuts - a.cuts || a.node - b.node)
    .map(({ node, at, cuts }) => {
      const named = sinks.slice(begin[at], begin[at]! + Math.min(cuts, maxSinks)).sort()
      return { node: found.id(node), cuts, sinks: Array.from(named, (sink) => found.id(sink)) }
    })
}
