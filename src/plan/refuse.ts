import { validate } from '../analysis/validate.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'

/** @throws GRAPH_INVALID with all problems */
export function refuse(graph: GraphData): void {
  const problems = validate(graph).filter(({ severity }) => severity === 'error')
  if (problems.length > 0) throw new MillraceError('GRAPH_INVALID', { ...(graph && { graph: graph.name }), problems })
}
