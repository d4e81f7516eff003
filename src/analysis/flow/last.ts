import type { ResolvedGraph } from '../../graph/resolve.ts'
import { components } from '../components.ts'
import { isFailureEdge } from './shares.ts'

/**
 * Of these nodes, those that none of the others comes after: below it, and not in a loop with it. What only failures lead to
 * is not on the way. Linear in nodes and edges.
 */
export function lastOf(graph: ResolvedGraph, nodes: readonly number[]): readonly number[] {
  const parts = components(graph)
  const partOf = (node: number): number => parts.of(node)
  const meant = new Set(nodes.map(partOf))
  const leadsOn = new Set<number>()
  // From the end of the flow to its beginning, so that what is below is known.
  for (let part = parts.count - 1; part >= 0; part--) {
    const below = (parts.members[part] ?? [])
      .flatMap((node) => graph.out(node).filter((edge) => !isFailureEdge(graph.node(node), graph.edge(edge))))
      .map((edge) => parts.of(graph.to(edge)))
    if (below.some((next) => next !== part && (meant.has(next) || leadsOn.has(next)))) leadsOn.add(part)
  }
  return nodes.filter((node) => !leadsOn.has(partOf(node)))
}
