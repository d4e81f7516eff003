import { isStage, type ResolvedEdge, type ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData, GraphEdge, GraphNode } from '../../graph/types.ts'
import { failuresOf, isFailureEdge } from '../flow/shares.ts'
import { copiesOf, fusedStageOf } from '../loops/workers.ts'
import { resolved } from '../resolved.ts'
import type { EdgeMeasurement, Measurements, NodeMeasurement } from '../types.ts'

/** Measurements by the numbers of a graph. */
export interface Measured {
  readonly graph: ResolvedGraph
  readonly seconds: number
  readonly node: (node: number) => NodeMeasurement | undefined
  /** An edge that was not measured carried nothing. */
  readonly edge: (edge: number) => EdgeMeasurement
  /** Records that went over all of these edges. */
  readonly records: (edges: readonly number[]) => number
  /** Records that came to a node: its own count, or, where it has no threads, what its edges brought. */
  readonly arrived: (node: number) => number
}

export function measuredOf(graph: GraphData, measurements: Measurements): Measured {
  const found = resolved(graph)
  const nodes = new Map(Object.entries(measurements.nodes))
  const edges = new Map(measurements.edges.map((edge) => [edge.index, edge]))
  const edge = (index: number): EdgeMeasurement =>
    edges.get(index) ?? { index, records: 0, dropped: 0, queued: 0, capacity: 0, blockedShare: 0 }
  const records = (list: readonly number[]): number => list.reduce((sum, index) => sum + edge(index).records, 0)
  const node = (number: number): NodeMeasurement | undefined => nodes.get(found.id(number))
  return {
    graph: found,
    seconds: measurements.seconds,
    node,
    edge,
    records,
    arrived: (number) => node(number)?.in ?? records(found.in(number)),
  }
}

/** Below this share of its time a worker counts as not held up. */
const HARDLY = 0.01

/**
 * The graph as it was measured: workers, service times, selectivity and the ratios of edges take the place of what is
 * declared, so every function that takes a graph answers for the running pipeline. A source's rate is what it made, unless it
 * was held up: then its declared rate stays, because what it would have made is not seen. What was not measured stays too.
 */
export function measuredGraph(graph: GraphData, measurements: Measurements): GraphData {
  const measured = measuredOf(graph, measurements)
  const ratios = ratiosOf(measured)
  return {
    name: graph.name,
    module: graph.module,
    clusters: graph.clusters,
    nodes: graph.nodes.map((node, number) => measuredNode(measured, node, number)),
    edges: graph.edges.map((edge, index) => measuredEdge(edge, ratios.get(index))),
  }
}

function measuredNode(measured: Measured, node: GraphNode, number: number): GraphNode {
  const found = measured.node(number)
  const head = fusedStageOf(measured.graph, number)
  // Nodes without threads have no workers of their own, and the fused run in another's, whose measured time holds theirs.
  if (head !== number && (measured.node(head)?.serviceMs ?? 0) > 0) {
    return { ...node, latencyMs: 0, serviceRate: undefined } as unknown as GraphNode
  }
  if (found === undefined || !isStage(node.kind)) return node
  const { cpu, overlap } = measured.graph.node(number)
  const changed: Record<string, unknown> = { ...node, concurrency: found.workers }
  if (found.in > 0 && found.serviceMs > 0) {
    delete changed['serviceRate']
    // `serviceMs` is what one record costs a worker; open calls overlap, so each of them lasts so much longer.
    changed['latencyMs'] = found.serviceMs * (cpu ? 1 : overlap)
  }
  if (node.kind === 'source') Object.assign(changed, sourceRate(measured, found))
  if (node.kind === 'transform') Object.assign(changed, selectivity(measured, node, number))
  return changed as unknown as GraphNode
}

function sourceRate({ seconds }: Measured, { in: made, blocked, limited }: NodeMeasurement): { rate?: number } {
  return blocked > HARDLY || limited > HARDLY || seconds === 0 ? {} : { rate: made / seconds }
}

function selectivity(measured: Measured, node: GraphNode, number: number): { selectivity?: number } {
  const { graph } = measured
  const sent = (edge: number): number => measured.edge(edge).records / copiesOf(graph, edge)
  const failures = failuresOf(node, graph.out(number), graph)
  // All edges of one path carry the same failures.
  const failed = failures.reduce((sum, { edges }) => sum + Math.max(...edges.map(sent)), 0)
  const plain = graph.out(number).filter((edge) => isPlain(node, graph.edge(edge)))
  const kept = measured.arrived(number) - failed
  return plain.length === 0 || kept <= 0
    ? {}
    : { selectivity: plain.reduce((sum, edge) => sum + sent(edge), 0) / plain.length / kept }
}

function measuredEdge(edge: GraphEdge, ratio: number | undefined): GraphEdge {
  return ratio === undefined ? edge : { ...edge, ratio }
}

/** The measured share of each edge that is not taken by every record. */
function ratiosOf(measured: Measured): ReadonlyMap<number, number> {
  const { graph } = measured
  const ratios = new Map<number, number>()
  graph.nodes.forEach((node, number) => {
    const arrived = measured.arrived(number)
    if (arrived === 0) return
    for (const edge of graph.out(number)) {
      if (!isPlain(node, graph.edge(edge)))
        ratios.set(edge, measured.edge(edge).records / copiesOf(graph, edge) / arrived)
    }
  })
  return ratios
}

/** An edge that every result of its node takes. */
function isPlain(node: Pick<GraphNode, 'kind'>, edge: ResolvedEdge): boolean {
  return node.kind !== 'conditional' && edge.when === undefined && !isFailureEdge(node, edge)
}
