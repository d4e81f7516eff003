import { adjacency } from '../adjacency.js'
import { refuseBadFigures } from './figures.js'
import { SOURCE_DEFAULTS } from '../loops/lanes.js'
import { serviceOf } from './service.js'
import { sharesOf } from './shares.js'
import { traffic } from './traffic.js'
/** @throws GRAPH_INVALID where a figure is no number, or negative; LOOP_TOO_LARGE */
export function modelOf(graph, { cores = Infinity, overheadMs = 0 } = {}) {
  refuseBadFigures(graph)
  const found = adjacency(graph)
  const shares = sharesOf(found)
  const parting = found.nodes.flatMap(({ kind, whenFull = 'block' }, node) =>
    kind === 'buffer' && whenFull !== 'block' ? [node] : [],
  )
  return {
    graph: found,
    shares,
    services: found.nodes.map((node) => serviceOf(node, overheadMs)),
    cores,
    traffic: cutTraffic(found, shares, parting),
    sources: found.nodes.flatMap((node, number) => (node.kind === 'source' ? [sourceOf(found, number)] : [])),
    parting,
    weight: () => 1,
  }
}
/** The traffic equations, with nothing leaving the nodes of `cut`. */
export function cutTraffic(graph, shares, cut) {
  const closed = new Set(cut)
  return traffic(graph, (edge) => (closed.has(graph.from(edge)) ? 0 : (shares[edge]?.gain ?? 0)))
}
function sourceOf(graph, number) {
  const { rate = Infinity, rateLimit = Infinity, concurrency = SOURCE_DEFAULTS.concurrency } = graph.node(number)
  const most = Math.min(rate, rateLimit)
  const by = most === Infinity ? 'nothing' : rate <= rateLimit ? 'rate' : 'rateLimit'
  return { node: number, most, weight: concurrency, by }
}
/** What comes to each node from outside when each origin sends at its rate, ready for `traffic.solve`. */
export function outsideOf(model, origins, rates) {
  const outside = new Float64Array(model.graph.nodes.length)
  origins.forEach(({ node }, index) => {
    const rate = rates[index] ?? 0
    if (model.graph.node(node).kind === 'source') outside[node] += rate
    else inject(model, node, rate, outside)
  })
  return outside
}
/** Adds what a node sends over its edges, for each record that it passes on, to the nodes they lead to. */
export function inject({ graph, shares }, node, rate, outside) {
  for (const edge of graph.out(node)) outside[graph.to(edge)] += rate * (shares[edge]?.gain ?? 0)
}
/** Nodes from which records come to one of `nodes`, these included, without passing a buffer that parts the flow. */
export function feeders({ graph, shares, parting }, nodes) {
  const cut = new Set(parting)
  const seen = new Set(nodes)
  for (const node of seen) {
    for (const edge of graph.in(node)) {
      const from = graph.from(edge)
      if (!cut.has(from) && (shares[edge]?.gain ?? 0) > 0) seen.add(from)
    }
  }
  return seen
}
