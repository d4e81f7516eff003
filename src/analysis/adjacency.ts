import type { GraphData, GraphEdge, GraphNode } from '../graph/types.ts'
import { refuseMalformed } from './malformed.ts'
import type { EdgeFilter } from './types.ts'

/**
 * A graph by numbers: nodes by position in `graph.nodes`, edges by index in `graph.edges`. It is total on broken graphs:
 * of nodes with one id the first counts, and edges to nowhere are left out.
 */
export interface Adjacency {
  readonly nodes: readonly GraphNode[]
  readonly allEdges: readonly GraphEdge[]
  /** Indices of the edges that pass the filter and join known nodes, ascending. */
  readonly edges: readonly number[]
  /** Node number of an id, or -1. */
  number(id: string): number
  id(node: number): string
  node(node: number): GraphNode
  edge(edge: number): GraphEdge
  /** Indices of the edges that leave and enter a node, ascending. */
  out(node: number): readonly number[]
  in(node: number): readonly number[]
  /** Node numbers of the ends of an edge; -1 where it is not among `edges`. */
  from(edge: number): number
  to(edge: number): number
}

/** Builds the adjacency in time and memory linear in nodes and edges. @throws GRAPH_INVALID where it is no graph at all */
export function adjacency(graph: GraphData, { paths }: EdgeFilter = {}): Adjacency {
  refuseMalformed(graph)
  const numbers = new Map<string, number>()
  graph.nodes.forEach((node, number) => {
    if (!numbers.has(node.id)) numbers.set(node.id, number)
  })
  const out: number[][] = graph.nodes.map(() => [])
  const into: number[][] = graph.nodes.map(() => [])
  const ends = new Int32Array(graph.edges.length * 2).fill(-1)
  const edges: number[] = []
  graph.edges.forEach((edge, index) => {
    const from = numbers.get(edge.from)
    const to = numbers.get(edge.to)
    if (from === undefined || to === undefined) return
    if (paths !== undefined && !paths.includes(edge.pathType ?? 'normal')) return
    edges.push(index)
    ends[2 * index] = from
    ends[2 * index + 1] = to
    out[from]?.push(index)
    into[to]?.push(index)
  })
  return of(graph, { edges, ends, out, into, number: (id) => numbers.get(id) ?? -1 })
}

/** Some nodes of a graph, and some edges between them, by numbers of their own: their places in these lists. Linear in these. */
export function subgraph(graph: Adjacency, nodes: readonly number[], edges: readonly number[]): Adjacency {
  const places = new Map(nodes.map((node, place) => [node, place]))
  const out: number[][] = nodes.map(() => [])
  const into: number[][] = nodes.map(() => [])
  const ends = new Int32Array(edges.length * 2)
  edges.forEach((edge, index) => {
    const from = places.get(graph.from(edge))!
    const to = places.get(graph.to(edge))!
    ends[2 * index] = from
    ends[2 * index + 1] = to
    out[from]!.push(index)
    into[to]!.push(index)
  })
  const own = { nodes: nodes.map((node) => graph.node(node)), edges: edges.map((edge) => graph.edge(edge)) }
  const number = (id: string): number => places.get(graph.number(id)) ?? -1
  return of(own, { edges: edges.map((_, index) => index), ends, out, into, number })
}

interface Links extends Pick<Adjacency, 'edges' | 'number'> {
  /** The numbers of the ends of each edge, one after the other. */
  readonly ends: Int32Array
  readonly out: readonly (readonly number[])[]
  readonly into: readonly (readonly number[])[]
}

function of(
  { nodes, edges: allEdges }: Pick<GraphData, 'nodes' | 'edges'>,
  { edges, ends, out, into, number }: Links,
): Adjacency {
  return {
    nodes,
    allEdges,
    edges,
    number,
    id: (node) => at(nodes, node).id,
    node: (node) => at(nodes, node),
    edge: (edge) => at(allEdges, edge),
    out: (node) => out[node] ?? [],
    in: (node) => into[node] ?? [],
    from: (edge) => ends[2 * edge] ?? -1,
    to: (edge) => ends[2 * edge + 1] ?? -1,
  }
}

/** An element that must be there: a number that came out of the adjacency itself. */
function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new RangeError(`no entry ${index} among ${list.length}`)
  return found
}
