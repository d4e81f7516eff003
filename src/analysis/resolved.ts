import { type ResolvedGraph, resolveGraph } from '../graph/resolve.ts'
import type { GraphData } from '../graph/types.ts'
import { refuseMalformed } from './malformed.ts'
import type { EdgeFilter } from './types.ts'

/**
 * The resolved graph that analysis looks at. It takes graphs with problems, but not what is no graph at all.
 * @throws GRAPH_INVALID with what is wrong with the entries
 */
export function resolved(graph: GraphData, { paths }: EdgeFilter = {}): ResolvedGraph {
  refuseMalformed(graph)
  return resolveGraph(graph, paths)
}
