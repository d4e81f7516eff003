import { LIMIT_OPTIONS } from '../options/index.ts'
import { Graph, type Ports } from './graph.ts'
import type { GraphCluster, GraphData, GraphEdge, GraphNode } from './types.ts'

/** A graph as JSON holds it: keys as in the builder, handlers only as `{ module, export }`. */
export interface GraphJson {
  readonly name: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly clusters: readonly GraphCluster[]
}

/** A graph of which the compiler knows no ids: any may be connected, and `validate` tells which are not there. */
export type AnyGraph = Graph<Record<string, Ports<any, any>>>

/**
 * The graph as plain data for `JSON.stringify`. Handlers that are functions are left out, so what is read back can be drawn,
 * analysed and rehearsed; handlers that are references stay.
 */
export function graphToJson({ name, nodes, edges, clusters }: GraphData): GraphJson {
  return {
    name,
    nodes: nodes.map(({ id, kind, ...options }) => ({ id, kind, ...withoutFunctions(withLimitKeys(options)) })),
    edges: edges.map(({ from, to, ...options }) => ({ from, to, ...withoutFunctions(options) })),
    clusters: clusters.map(({ id, ...options }) => ({ id, ...withoutFunctions(options) })),
  }
}

/** Why something is no graph in JSON: where, what is wanted there and what is there instead; or an unknown key; or a reason. */
export type JsonFault =
  | { readonly place: string; readonly want: string; readonly is: string }
  | { readonly unknown: string }
  | { readonly reason: string }

/** Reads a graph from a JSON text, or from what `JSON.parse` gave. Only the outer form is looked at. */
export function readGraphJson(json: unknown): AnyGraph | JsonFault {
  const found = typeof json === 'string' ? parse(json) : { value: json }
  if ('reason' in found) return found
  const { value } = found
  const fault = faultOf(value)
  if (fault !== undefined) return fault
  const { name, nodes, edges = [], clusters = [] } = value as Pick<GraphJson, 'name' | 'nodes'> & Partial<GraphJson>
  return new Graph({ name, nodes: nodes.map(frozen), edges: edges.map(frozen), clusters: clusters.map(frozen) })
}

const KEYS = new Set(['$schema', 'name', 'nodes', 'edges', 'clusters'])

function parse(text: string): { readonly value: unknown } | { readonly reason: string } {
  try {
    // Editors on Windows begin a file with a byte order mark, which is no JSON.
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) as unknown }
  } catch (error) {
    return { reason: String(error) }
  }
}

function faultOf(value: unknown): JsonFault | undefined {
  if (!isObject(value)) return { place: 'graph', want: 'an object', is: kindOf(value) }
  const unknown = Object.keys(value).find((key) => !KEYS.has(key))
  if (unknown !== undefined) return { unknown }
  const { name, nodes, edges = [], clusters = [] } = value
  if (typeof name !== 'string') return { place: 'name', want: 'a text', is: kindOf(name) }
  for (const [place, list] of Object.entries({ nodes, edges, clusters })) {
    if (!Array.isArray(list)) return { place, want: 'an array', is: kindOf(list) }
    const index = list.findIndex((entry) => !isObject(entry))
    if (index >= 0) return { place: `${place}[${index}]`, want: 'an object', is: kindOf(list[index]) }
  }
  return undefined
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}

function frozen<T extends object>(entry: T): T {
  return Object.freeze(mapValues(entry, (value) => (isObject(value) ? Object.freeze({ ...value }) : value))) as T
}

/** Without its function, a limit by key is to be known as one. */
function withLimitKeys<T extends Pick<GraphNode, 'rateLimit'>>(options: T): T {
  const { rateLimit } = options
  if (typeof rateLimit !== 'object' || typeof rateLimit.by !== 'function') return options
  return { ...options, rateLimit: { keys: LIMIT_OPTIONS.keys.default, ...rateLimit } }
}

function withoutFunctions<T extends object>(options: T): T {
  const copied = mapValues(options, (value) => {
    const isNested = isObject(value) && Object.getPrototypeOf(value) === Object.prototype
    return isNested ? mapValues(value, (inner) => (typeof inner === 'function' ? undefined : inner)) : value
  })
  return mapValues(copied, (value) => (typeof value === 'function' ? undefined : value)) as T
}

/** A copy with other values; those that are undefined are left out. Keys may be anything, `__proto__` too. */
function mapValues(object: object, map: (value: unknown) => unknown): object {
  const mapped = Object.entries(object).map(([key, value]) => [key, map(value)] as const)
  return Object.fromEntries(mapped.filter(([, value]) => value !== undefined))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
