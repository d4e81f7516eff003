import { MillraceError } from '../errors.ts'
import { resolveNode } from '../graph/resolve.ts'
import type { GraphData, GraphEdge, GraphNode, HandlerReference } from '../graph/types.ts'
import type { Hop } from '../graph/broker.ts'
import { isHop, graphParts, VIA_WINDOW } from './parts.ts'

/** Stands where a worker puts what the broker's connector does. */
const OF_BROKER = 'millrace:via'
/** Records that a writer has on their way to the broker. */
const WRITES_IN_FLIGHT = 1_024

/** Ids of the two ends of a buffer with `via`: the sink above it, and the source below it. */
export const writerOf = (buffer: string): string => `${buffer}.write`
export const readerOf = (buffer: string): string => `${buffer}.read`

/** A handler that the connector of the broker gives. */
export function isOfBroker(handler: unknown): handler is HandlerReference {
  return typeof handler === 'object' && handler !== null && (handler as Partial<HandlerReference>).module === OF_BROKER
}

/**
 * The graph as it runs: in the place of each buffer with `via` there is a sink above it and a source below it. With `part`, only what
 * that part has. Plain data, and the same in every thread. A graph without `via` is what it was.
 * @throws PART_UNKNOWN
 */
export function divide(graph: GraphData, part?: string): GraphData {
  const parts = graphParts(graph)
  const chosen = part === undefined ? undefined : parts.find(({ name }) => name === part)
  if (part !== undefined && chosen === undefined)
    throw new MillraceError('PART_UNKNOWN', { graph: graph.name, part, parts: parts.map(({ name }) => name) })
  const hops = new Map(graph.nodes.filter(isHop).map((node) => [node.id, node]))
  if (hops.size === 0) return graph
  const version = versionOf(graph)
  const inside = chosen && new Set(chosen.nodes)
  const isIn = (id: string): boolean => inside?.has(id) !== false
  const writes = (id: string): boolean => (chosen === undefined ? true : chosen.writes.includes(id))
  const reads = (id: string): boolean => (chosen === undefined ? true : chosen.reads.includes(id))
  const isLed = new Set(graph.edges.map(({ to }) => to))
  const leads = new Set(graph.edges.map(({ from }) => from))
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    if (!isHop(node)) return isIn(node.id) ? [node] : []
    const hop: Hop = {
      via: node.via,
      buffer: node.id,
      capacity: resolveNode(node).capacity,
      graph: graph.name,
      version,
    }
    return [
      ...(isLed.has(node.id) && writes(node.id) ? [writer(node, hop)] : []),
      ...(leads.has(node.id) && reads(node.id) ? [reader(node, hop)] : []),
    ]
  })
  const edges = graph.edges.flatMap((edge): GraphEdge[] => {
    const [from, to] = [hops.has(edge.from), hops.has(edge.to)]
    const isKept = (from ? reads(edge.from) : isIn(edge.from)) && (to ? writes(edge.to) : isIn(edge.to))
    if (!isKept) return []
    if (!from && !to) return [edge]
    // A buffer passes on what comes to it, whatever the edge is drawn as; but what is no record takes the dead-letter edge.
    const pathType = from && edge.pathType !== 'dead_letter' ? 'normal' : edge.pathType
    const ends = { ...(from && { from: readerOf(edge.from) }), ...(to && { to: writerOf(edge.to) }) }
    return [{ ...edge, ...ends, ...(pathType && { pathType }) }]
  })
  return { name: graph.name, module: graph.module, nodes, edges, clusters: graph.clusters }
}

function writer(node: GraphNode, hop: Hop): GraphNode {
  return {
    ...drawn(node),
    id: writerOf(node.id),
    kind: 'sink',
    maxInFlight: WRITES_IN_FLIGHT,
    ...handlers('setup', 'write', 'teardown'),
    hop,
  }
}

function reader(node: GraphNode, hop: Hop): GraphNode {
  const { window } = hop.via
  return {
    ...drawn(node),
    id: readerOf(node.id),
    kind: 'source',
    window: typeof window === 'number' ? window : VIA_WINDOW,
    chunk: 1,
    ...handlers('setup', 'poll', 'ack', 'teardown'),
    hop,
  }
}

/** What only names and draws a node. */
function drawn({ label, description, cluster, fillcolor, fontcolor, style, penwidth, image }: GraphNode): object {
  const given = { label, description, cluster, fillcolor, fontcolor, style, penwidth, image }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function handlers(...names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { module: OF_BROKER, export: name }]))
}

/**
 * What is the same wherever one version of a graph runs: its name, its nodes by id and kind, its edges and their branches and types
 * of data. How many workers there are, and what they do, is not in it.
 */
function versionOf({ name, nodes, edges }: GraphData): string {
  const terms = [
    name,
    nodes.map(({ id, kind }) => [id, kind]),
    edges.map(({ from, to, pathType, when, dataType }) => [from, to, pathType, when, dataType]),
  ]
  return hash(JSON.stringify(terms))
}

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n

/** FNV-1a over UTF-16 units, 64 bits. */
function hash(text: string): string {
  let value = OFFSET
  for (let i = 0; i < text.length; i++) value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(i))) * PRIME)
  return value.toString(16).padStart(16, '0')
}
