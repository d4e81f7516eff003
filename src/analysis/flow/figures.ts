import { MillraceError } from '../../errors.ts'
import { resolveNode } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { refuseMalformed } from '../malformed.ts'
import { validate } from '../validate.ts'

/** Options that predictions count with. */
const NODE_FIGURES = [
  'rate',
  'latencyMs',
  'serviceRate',
  'concurrency',
  'maxInFlight',
  'selectivity',
  'capacity',
  'window',
] as const
const EDGE_FIGURES = ['ratio', 'weight', 'rate', 'maxDemand'] as const

/**
 * A prediction from a figure that is no number would be nonsense, or never end. A measured graph may go beyond the bounds of
 * the options (a handler may emit twice per record), so only what is no number, negative or infinite is refused.
 * @throws GRAPH_INVALID with all problems of the graph
 */
export function refuseBadFigures(graph: GraphData): void {
  refuseMalformed(graph)
  const found =
    graph.nodes.some(
      (node) =>
        NODE_FIGURES.some((name) => node[name] !== 'cores' && isBad(node[name])) || isBad(resolveNode(node).rateLimit),
    ) || graph.edges.some((edge) => EDGE_FIGURES.some((name) => isBad(edge[name])))
  if (!found) return
  const problems = validate(graph).filter(({ severity }) => severity === 'error')
  throw new MillraceError('GRAPH_INVALID', { graph: graph.name, problems })
}

function isBad(value: unknown): boolean {
  return value !== undefined && (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
}
