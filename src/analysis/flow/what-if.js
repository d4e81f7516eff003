import { MillraceError } from '../../errors.js'
import { simulate } from './simulate.js'
/** The flow with some options changed, beside the flow as it is. Two simulations. @throws NODE_UNKNOWN, EDGE_UNKNOWN */
export function whatIf(graph, changes, options = {}) {
  const changed = changeGraph(graph, changes)
  const before = simulate(graph, options)
  const after = simulate(changed, changes.cores === undefined ? options : { ...options, cores: changes.cores })
  const factor = before.throughput === after.throughput ? 1 : after.throughput / before.throughput
  return {
    before,
    after,
    throughput: { before: before.throughput, after: after.throughput, factor },
    nodes: before.nodes.flatMap((node, index) => {
      const now = after.nodes[index]
      if (now === undefined || (now.in === node.in && now.utilisation === node.utilisation)) return []
      return [
        {
          id: node.id,
          in: { before: node.in, after: now.in },
          utilisation: { before: node.utilisation, after: now.utilisation },
        },
      ]
    }),
    bottleneckMoves:
      before.bottleneck?.node !== after.bottleneck?.node || before.bottleneck?.by !== after.bottleneck?.by,
  }
}
/** The graph with some options changed. @throws NODE_UNKNOWN, EDGE_UNKNOWN */
export function changeGraph(graph, { nodes = {}, edges = {} }) {
  const changes = new Map(Object.entries(nodes))
  const ids = new Set(graph.nodes.map(({ id }) => id))
  for (const id of changes.keys()) if (!ids.has(id)) throw new MillraceError('NODE_UNKNOWN', { node: id })
  for (const index of Object.keys(edges)) {
    if (graph.edges[Number(index)] === undefined) throw new MillraceError('EDGE_UNKNOWN', { edge: index })
  }
  return {
    name: graph.name,
    module: graph.module,
    clusters: graph.clusters,
    nodes: graph.nodes.map((node) => {
      const change = changes.get(node.id)
      return change === undefined ? node : overlay(node, change)
    }),
    edges: graph.edges.map((edge, index) => (edges[index] === undefined ? edge : overlay(edge, edges[index]))),
  }
}
function overlay(entry, change) {
  const merged = Object.entries({ ...entry, ...change }).filter(([, value]) => value !== undefined)
  return Object.freeze(Object.fromEntries(merged))
}
