import { MillraceError } from '../errors.js'
import { Graph } from './graph.js'
/**
 * The graph as plain data for `JSON.stringify`. Handlers that are functions are left out, so what is read back can be drawn,
 * analysed and rehearsed; handlers that are references stay.
 */
export function graphToJson({ name, nodes, edges, clusters }) {
  return {
    name,
    nodes: nodes.map(({ id, kind, ...options }) => ({ id, kind, ...withoutFunctions(options) })),
    edges: edges.map(({ from, to, ...options }) => ({ from, to, ...withoutFunctions(options) })),
    clusters: clusters.map(({ id, ...options }) => ({ id, ...withoutFunctions(options) })),
  }
}
/**
 * Reads a graph from a JSON text, or from what `JSON.parse` gave. Only the outer form is checked here: `validate` reports
 * everything else, all at once.
 * @throws GRAPH_JSON_INVALID where it is no JSON, or not `{ name, nodes, edges, clusters }` with objects in the lists
 */
export function graphFromJson(json) {
  const found = typeof json === 'string' ? parse(json) : json
  if (!isObject(found)) throw invalid('graph', 'an object', found)
  const { name, nodes, edges = [], clusters = [] } = found
  const unknown = Object.keys(found).find((key) => !KEYS.has(key))
  if (unknown !== undefined) throw new MillraceError('GRAPH_JSON_INVALID', { unknown })
  if (typeof name !== 'string') throw invalid('name', 'a text', name)
  return new Graph({
    name,
    nodes: entries('nodes', nodes),
    edges: entries('edges', edges),
    clusters: entries('clusters', clusters),
  })
}
const KEYS = new Set(['$schema', 'name', 'nodes', 'edges', 'clusters'])
function parse(text) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MillraceError('GRAPH_JSON_INVALID', { reason: String(cause) }, { cause })
  }
}
function entries(place, list) {
  if (!Array.isArray(list)) throw invalid(place, 'an array', list)
  return list.map((entry, index) => {
    if (!isObject(entry)) throw invalid(`${place}[${index}]`, 'an object', entry)
    return Object.freeze(mapValues(entry, (value) => (isObject(value) ? Object.freeze({ ...value }) : value)))
  })
}
function invalid(place, want, got) {
  const is = got === null ? 'null' : Array.isArray(got) ? 'an array' : typeof got
  return new MillraceError('GRAPH_JSON_INVALID', { place, want, is })
}
function withoutFunctions(options) {
  const copied = mapValues(options, (value) => {
    const isNested = isObject(value) && Object.getPrototypeOf(value) === Object.prototype
    return isNested ? mapValues(value, (inner) => (typeof inner === 'function' ? undefined : inner)) : value
  })
  return mapValues(copied, (value) => (typeof value === 'function' ? undefined : value))
}
/** A copy with other values; those that are undefined are left out. Keys may be anything, `__proto__` too. */
function mapValues(object, map) {
  const mapped = Object.entries(object).map(([key, value]) => [key, map(value)])
  return Object.fromEntries(mapped.filter(([, value]) => value !== undefined))
}
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
