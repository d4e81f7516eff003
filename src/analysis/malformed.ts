import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import { checkEntries } from './checks/entries.ts'
import { isPlain } from './checks/options.ts'
import { problem } from './problems.ts'
import type { Problem } from './types.ts'

/**
 * Analysis takes graphs with problems, but not what is no graph at all: lists that are no lists, entries that are no objects.
 * @throws GRAPH_INVALID with what is wrong with the entries
 */
export function refuseMalformed(graph: GraphData): void {
  if (isPlain(graph) && isListOfObjects(graph.nodes) && isListOfObjects(graph.edges)) return
  const problems: Problem[] = []
  if (isPlain(graph)) checkEntries(graph, (...finding) => void problems.push(problem(...finding)))
  else problems.push(problem('ENTRY_INVALID', `The graph is ${String(graph)}, not an object.`))
  throw new MillraceError('GRAPH_INVALID', { problems })
}

function isListOfObjects(entries: unknown): boolean {
  return Array.isArray(entries) && entries.every(isPlain)
}
