import { adjacency } from '../adjacency.js'
import { isFailureEdge } from '../flow/shares.js'
import { isStage } from '../loops/lanes.js'
export function measuredOf(graph, measurements) {
  const found = adjacency(graph)
  const nodes = new Map(Object.entries(measurements.nodes))
  const edges = new Map(measurements.edges.map((edge) => [edge.index, edge]))
  const edge = (index) => edges.get(index) ?? { index, records: 0, dropped: 0, queued: 0, capacity: 0, blockedShare: 0 }
  const records = (list) => list.reduce((sum, index) => sum + edge(index).records, 0)
  const node = (number) => nodes.get(found.id(number))
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
export function measuredGraph(graph, measurements) {
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
function measuredNode(measured, node, number) {
  const found = measured.node(number)
  // Nodes without threads have no workers of their own, and the fused run in another's.
  if (found === undefined || !isStage(node.kind)) return node
  const changed = { ...node, concurrency: found.workers }
  if (found.in > 0 && found.serviceMs > 0) {
    delete changed['serviceRate']
    // `serviceMs` is what one record costs a worker; open calls overlap, so each of them lasts so much longer.
    changed['latencyMs'] = found.serviceMs * (node.cpu === true ? 1 : (node.maxInFlight ?? 1))
  }
  if (node.kind === 'source') Object.assign(changed, sourceRate(measured, found))
  if (node.kind === 'transform') Object.assign(changed, selectivity(measured, node, number))
  return changed
}
function sourceRate({ seconds }, { in: made, blocked, limited }) {
  return blocked > HARDLY || limited > HARDLY || seconds === 0 ? {} : { rate: made / seconds }
}
function selectivity(measured, node, number) {
  const { graph } = measured
  const failed = measured.records(graph.out(number).filter((edge) => isFailureEdge(node, graph.edge(edge))))
  const plain = graph.out(number).filter((edge) => isPlain(node, graph.edge(edge)))
  const kept = measured.arrived(number) - failed
  return plain.length === 0 || kept <= 0 ? {} : { selectivity: measured.records(plain) / plain.length / kept }
}
function measuredEdge(edge, ratio) {
  return ratio === undefined ? edge : { ...edge, ratio }
}
/** The measured share of each edge that is not taken by every record. */
function ratiosOf(measured) {
  const { graph } = measured
  const ratios = new Map()
  graph.nodes.forEach((node, number) => {
    const arrived = measured.arrived(number)
    if (arrived === 0) return
    for (const edge of graph.out(number)) {
      if (!isPlain(node, graph.edge(edge))) ratios.set(edge, measured.edge(edge).records / arrived)
    }
  })
  return ratios
}
/** An edge that every result of its node takes. */
function isPlain(node, edge) {
  return node.kind !== 'conditional' && edge.when === undefined && !isFailureEdge(node, edge)
}
