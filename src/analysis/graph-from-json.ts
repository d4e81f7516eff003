import { MillraceError } from '../errors.ts'
import { type AnyGraph, readGraphJson } from '../graph/json.ts'

/**
 * Reads a graph from a JSON text, or from what `JSON.parse` gave. Only the outer form is checked here: `validate` reports
 * everything else, all at once.
 * @throws GRAPH_JSON_INVALID where it is no JSON, or not `{ name, nodes, edges, clusters }` with objects in the lists
 */
export function graphFromJson(json: unknown): AnyGraph {
  const read = readGraphJson(json)
  if ('nodes' in read) return read
  throw new MillraceError('GRAPH_JSON_INVALID', read)
}
