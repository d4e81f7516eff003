import type { ResolvedGraph } from '../graph/resolve.ts'
import type { GraphData } from '../graph/types.ts'
import { resolved } from './resolved.ts'
import type { EdgeFilter } from './types.ts'

/** How deep in the meshwork of a graph a node lies. */
export interface CoreNumber {
  readonly node: string
  /** The largest `k` for which it belongs to nodes each of which has `k` neighbours or more among them. */
  readonly core: number
}

/**
 * The core number of each node, the largest first, among equals in the order of `graph.nodes`. Neighbours count once, whatever
 * the edges between them, their directions and their number; a node is no neighbour of itself. A chain or a tree has 1.
 * Linear (Batagelj and Zaveršnik, 2003).
 */
export function coreNumbers(graph: GraphData, filter: EdgeFilter = {}): readonly CoreNumber[] {
  const found = resolved(graph, filter)
  const neighbours = neighboursOf(found)
  // Always the node of least degree is taken away, and its neighbours lose one; what a node had left then is its core number.
  const degree = Int32Array.from(neighbours, ({ length }) => length)
  const { order, place, begin } = byDegree(degree)
  for (const node of order) {
    for (const other of neighbours[node]!) {
      const left = degree[other]!
      if (left <= degree[node]!) continue
      // It becomes the last of those with one less: it changes places with the first of its own degree.
      const to = begin[left]!++
      const displaced = order[to]!
      order[place[other]!] = displaced
      place[displaced] = place[other]!
      order[to] = other
      place[other] = to
      degree[other] = left - 1
    }
  }
  return graph.nodes.map(({ id }, node) => ({ node: id, core: degree[node]! })).sort((a, b) => b.core - a.core)
}

/** Nodes by rising degree, the place of each there, and where those of each degree begin. */
function byDegree(degree: Int32Array): { order: Int32Array; place: Int32Array; begin: Int32Array } {
  const most = degree.reduce((max, each) => Math.max(max, each), 0)
  const begin = new Int32Array(most + 2)
  for (const each of degree) begin[each + 1]!++
  for (let each = 1; each < begin.length; each++) begin[each]! += begin[each - 1]!
  const order = new Int32Array(degree.length)
  const next = begin.slice()
  const place = degree.map((each) => next[each]!++)
  place.forEach((at, node) => (order[at] = node))
  return { order, place, begin }
}

function neighboursOf(graph: ResolvedGraph): readonly (readonly number[])[] {
  const seenBy = new Int32Array(graph.nodes.length).fill(-1)
  return graph.nodes.map((_, node) => {
    seenBy[node] = node
    const list: number[] = []
    const add = (other: number): void => {
      if (seenBy[other] !== node) list.push(other)
      seenBy[other] = node
    }
    for (const edge of graph.out(node)) add(graph.to(edge))
    for (const edge of graph.in(node)) add(graph.from(edge))
    return list
  })
}
