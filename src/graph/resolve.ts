import {
  BATCH_OPTIONS,
  defaultOf,
  EDGE_OPTIONS,
  LIMIT_OPTIONS,
  NODE_OPTIONS,
  type OptionTable,
  resolve,
  type Resolved,
  RETRY_OPTIONS,
  SCALE_OPTIONS,
} from '../options/index.ts'
import type { GraphData, GraphEdge, GraphNode, NodeKind, PathType } from './types.ts'

type Defaulted<T extends OptionTable> = { [K in keyof T]: T[K] extends { default: unknown } ? K : never }[keyof T]
type NodeDefaults = Defaulted<typeof NODE_OPTIONS>
type EdgeDefaults = Defaulted<typeof EDGE_OPTIONS>

/** A node with all defaults filled in, whatever its kind. */
export interface ResolvedNode
  extends
    Omit<GraphNode, NodeDefaults | 'batch' | 'retry' | 'rateLimit' | 'scale'>,
    Required<Pick<GraphNode, Exclude<NodeDefaults, 'concurrency'>>> {
  /** Where the graph says `cores`, and nobody has said how many there are: 1. */
  readonly concurrency: number
  readonly limit?: ResolvedLimit
  /** Records per second of the stage by that; absent where there is none, and where each key has its own. */
  readonly rateLimit?: number
  /** There where the stage takes batches: also of `mapBatch` or `mapEach` alone. */
  readonly batch?: Resolved<typeof BATCH_OPTIONS>
  readonly retry: Resolved<typeof RETRY_OPTIONS>
  readonly scale?: ResolvedScale
  /** Workers of a stage. Push sources have one, in the thread that pushes. */
  readonly workers: number
  /** Calls that a worker is said to have open at once: its `maxInFlight` where that is given, else 1. */
  readonly overlap: number
}

/** A rate limit, whether it was given as a number or as options. */
type ResolvedLimit = Resolved<typeof LIMIT_OPTIONS> & {
  readonly perSecond: number
  /** It is that of each key. */
  readonly keyed: boolean
}

/** How a stage's number of workers follows its load; `max` also where `maxConcurrency` says it. */
type ResolvedScale = Resolved<typeof SCALE_OPTIONS> & { readonly max: number }

/** An edge with all defaults filled in. */
export interface ResolvedEdge extends Omit<GraphEdge, EdgeDefaults>, Required<Pick<GraphEdge, EdgeDefaults>> {}

/**
 * A graph by numbers: nodes by position in `graph.nodes`, edges by index in `graph.edges`, every default filled in. It is total
 * on broken graphs: of nodes with one id the first counts, and edges to nowhere are left out.
 */
export interface ResolvedGraph {
  readonly nodes: readonly ResolvedNode[]
  readonly allEdges: readonly ResolvedEdge[]
  /** Indices of the edges that join known nodes, ascending. */
  readonly edges: readonly number[]
  /** Node number of an id, or -1. */
  number(id: string): number
  id(node: number): string
  node(node: number): ResolvedNode
  edge(edge: number): ResolvedEdge
  /** The options of nodes and edges as they were given, by number. */
  readonly given: Pick<GraphData, 'nodes' | 'edges'>
  /** Indices of the edges that leave and enter a node, ascending. */
  out(node: number): readonly number[]
  in(node: number): readonly number[]
  /** Node numbers of the ends of an edge; -1 where it is not among `edges`. */
  from(edge: number): number
  to(edge: number): number
}

/** Kinds that get threads. Conditionals, merges and buffers live on the lanes between them. */
export function isStage(kind: NodeKind): boolean {
  return kind === 'source' || kind === 'transform' || kind === 'sink'
}

/**
 * Resolves a graph, in time and memory linear in nodes and edges.
 * @param paths edges of other path types count as absent; default: all edges are there
 */
export function resolveGraph(graph: GraphData, paths?: readonly PathType[]): ResolvedGraph {
  const numbers = new Map<string, number>()
  graph.nodes.forEach((node, number) => {
    if (!numbers.has(node.id)) numbers.set(node.id, number)
  })
  const allEdges = graph.edges.map(resolveEdge)
  const edges: number[] = []
  const ends = new Int32Array(allEdges.length * 2).fill(-1)
  allEdges.forEach((edge, index) => {
    const from = numbers.get(edge.from)
    const to = numbers.get(edge.to)
    if (from === undefined || to === undefined || paths?.includes(edge.pathType) === false) return
    edges.push(index)
    ends[2 * index] = from
    ends[2 * index + 1] = to
  })
  const number = (id: string): number => numbers.get(id) ?? -1
  return joined({ given: graph, nodes: graph.nodes.map(resolveNode), allEdges, edges, ends, number })
}

/** Some nodes of a graph, and some edges between them, by numbers of their own: their places in these lists. Linear in these. */
export function subgraph(graph: ResolvedGraph, nodes: readonly number[], edges: readonly number[]): ResolvedGraph {
  const places = new Map(nodes.map((node, place) => [node, place]))
  return joined({
    given: {
      nodes: nodes.map((node) => graph.given.nodes[node]!),
      edges: edges.map((edge) => graph.given.edges[edge]!),
    },
    nodes: nodes.map((node) => graph.node(node)),
    allEdges: edges.map((edge) => graph.edge(edge)),
    edges: edges.map((_, index) => index),
    ends: Int32Array.from(edges.flatMap((edge) => [places.get(graph.from(edge))!, places.get(graph.to(edge))!])),
    number: (id) => places.get(graph.number(id)) ?? -1,
  })
}

interface Joints extends Pick<ResolvedGraph, 'nodes' | 'allEdges' | 'edges' | 'given' | 'number'> {
  /** The numbers of the ends of each edge, one after the other. */
  readonly ends: Int32Array
}

function joined({ given, nodes, allEdges, edges, ends, number }: Joints): ResolvedGraph {
  const out: number[][] = nodes.map(() => [])
  const into: number[][] = nodes.map(() => [])
  for (const edge of edges) {
    out[ends[2 * edge]!]!.push(edge)
    into[ends[2 * edge + 1]!]!.push(edge)
  }
  const graph: ResolvedGraph = {
    nodes,
    allEdges,
    edges,
    number,
    id: (node) => at(nodes, node).id,
    node: (node) => at(nodes, node),
    edge: (edge) => at(allEdges, edge),
    given,
    out: (node) => out[node] ?? [],
    in: (node) => into[node] ?? [],
    from: (edge) => ends[2 * edge] ?? -1,
    to: (edge) => ends[2 * edge + 1] ?? -1,
  }
  return Object.freeze(graph)
}

/** An element that must be there: a number that came out of the graph itself. */
function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new RangeError(`no entry ${index} among ${list.length}`)
  return found
}

const NODE_DEFAULTS = specsWithDefault(NODE_OPTIONS)
const EDGE_DEFAULTS = specsWithDefault(EDGE_OPTIONS)
const NO_RETRY = resolve(RETRY_OPTIONS)

/** A node with the defaults filled in. */
export function resolveNode(node: GraphNode): ResolvedNode {
  const { batch, mapBatch, mapEach, retry, push, maxInFlight } = node
  const limit = resolveLimit(node.rateLimit)
  const filled = withDefaults(node, NODE_DEFAULTS) as Required<Pick<GraphNode, NodeDefaults>>
  const scale = resolveScale(node)
  const asked = node.concurrency ?? scale?.min ?? filled.concurrency
  const concurrency = asked === 'cores' ? 1 : asked
  const isBatching = batch !== undefined || mapBatch !== undefined || mapEach !== undefined
  return Object.freeze({
    ...filled,
    concurrency,
    workers: push === true ? 1 : concurrency,
    maxConcurrency: scale === undefined ? node.maxConcurrency : Math.max(node.maxConcurrency ?? 1, scale.max),
    scale,
    overlap: maxInFlight ?? 1,
    limit,
    rateLimit: limit?.keyed === true ? undefined : limit?.perSecond,
    ...(isBatching ? { batch: resolve(BATCH_OPTIONS, nested(batch)) } : {}),
    retry: retry === undefined ? NO_RETRY : resolve(RETRY_OPTIONS, nested(retry)),
  }) as ResolvedNode
}

function resolveLimit(given: GraphNode['rateLimit']): ResolvedLimit | undefined {
  if (given === undefined || given === null) return undefined
  const options: Exclude<typeof given, number> = typeof given === 'object' ? given : { perSecond: given }
  if (options.perSecond === undefined) return undefined
  // A graph read from JSON has lost its function.
  const keyed = options.by !== undefined || options.keys !== undefined
  return { ...(resolve(LIMIT_OPTIONS, options) as Omit<ResolvedLimit, 'keyed'>), keyed }
}

/** Without a `max` there is no scale: that was reported. */
function resolveScale({ scale, maxConcurrency }: GraphNode): ResolvedScale | undefined {
  if (nested(scale) === undefined) return undefined
  const { max = maxConcurrency, ...options } = resolve(SCALE_OPTIONS, scale)
  return max === undefined ? undefined : { ...options, max }
}

/** What is no object was reported, and says nothing. */
function nested(options: object | undefined): object | undefined {
  return typeof options === 'object' && options !== null ? options : undefined
}

/** An edge with the defaults filled in. */
export function resolveEdge(edge: GraphEdge): ResolvedEdge {
  return Object.freeze(withDefaults(edge, EDGE_DEFAULTS)) as ResolvedEdge
}

function specsWithDefault(table: OptionTable): readonly (readonly [name: string, spec: OptionTable[string]])[] {
  return Object.entries(table).filter(([, spec]) => spec.default !== undefined)
}

function withDefaults(given: object, specs: ReturnType<typeof specsWithDefault>): object {
  const filled: Record<string, unknown> = { ...given }
  for (const [name, spec] of specs) if (filled[name] === undefined) filled[name] = defaultOf(spec, given)
  return filled
}
