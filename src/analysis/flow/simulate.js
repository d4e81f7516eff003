import { assumptionsOf } from './assumptions.js'
import { buffersOf } from './buffers.js'
import { coreLoad } from './filling.js'
import { feeders, modelOf } from './model.js'
import { named, predict } from './predict.js'
import { isStage } from '../loops/lanes.js'
import { times } from './traffic.js'
/**
 * The steady flow through a graph: every rate, with back-pressure. A full stage slows the sources above it, nothing is lost
 * but what buffers drop by their policy. `docs/analysis.md` has the equations.
 * Cost: linear in nodes and edges, for each limit that is met. @throws LOOP_TOO_LARGE
 */
export function simulate(graph, options = {}) {
  const model = modelOf(graph, options)
  const prediction = predict(model)
  const edges = model.graph.edges.map((index) => edgeFlow(model, prediction, index))
  return {
    nodes: nodeFlows(model, prediction, edges),
    edges,
    sources: model.sources.map(({ node, most }, index) => ({
      id: model.graph.id(node),
      offered: most,
      rate: prediction.rates[index] ?? 0,
      limit: named(model, prediction.limits[index] ?? { by: 'nothing' }),
    })),
    buffers: buffersOf(model, prediction),
    throughput: prediction.throughput,
    bottleneck: bottleneckOf(model, prediction),
    cores: { used: coreLoad(model, prediction.into), available: model.cores },
    growing: model.traffic.growing.map((nodes) => nodes.map((node) => model.graph.id(node))),
    assumptions: assumptionsOf(model),
  }
}
function edgeFlow({ graph, shares }, { leaving }, index) {
  const { from, to, rate: declared } = graph.edge(index)
  const rate = times(leaving[graph.from(index)] ?? 0, shares[index]?.gain ?? 0)
  return { index, from, to, rate, ...(declared === undefined ? {} : { declared }) }
}
function nodeFlows(model, prediction, edges) {
  const { graph, services } = model
  const out = new Float64Array(graph.nodes.length)
  for (const { index, rate } of edges) out[graph.from(index)] += rate
  const limits = nodeLimits(model, prediction)
  return graph.nodes.map(({ id, kind }, node) => {
    const into = prediction.into[node] ?? 0
    const serviceRate = services[node]?.rate ?? Infinity
    return {
      id,
      kind,
      in: into,
      out: out[node] ?? 0,
      offered: prediction.offered[node] ?? 0,
      serviceRate,
      utilisation: serviceRate === Infinity ? 0 : Math.min(1, into / serviceRate),
      limits: limits[node] ?? [],
    }
  })
}
/** For each node the limits of the origins whose records come to it, each limit once. */
function nodeLimits(model, { origins, limits }) {
  const { graph } = model
  const found = graph.nodes.map(() => [])
  const groups = new Map()
  origins.forEach(({ node }, index) => {
    const limit = limits[index] ?? { by: 'nothing' }
    const key = `${limit.by} ${limit.node ?? ''}`
    const group = groups.get(key) ?? { limit, origins: [] }
    group.origins.push(node)
    groups.set(key, group)
  })
  for (const { limit, origins: from } of groups.values()) {
    const at = limit.node ?? -1
    const below = at === -1 ? new Set() : flowsTo(model, [at])
    const above = at === -1 ? new Set() : feeders(model, [at])
    for (const node of flowsTo(
      model,
      from.flatMap((origin) => firstNodes(model, origin)),
    )) {
      const where = node === at ? 'here' : above.has(node) ? 'below' : below.has(node) || at === -1 ? 'above' : 'beside'
      found[node]?.push({ ...named(model, limit), where })
    }
  }
  return found
}
/** A source gets its own records; what a parting buffer sends is first met by the nodes below it. */
function firstNodes({ graph }, origin) {
  return graph.node(origin).kind === 'source' ? [origin] : graph.out(origin).map((edge) => graph.to(edge))
}
/** Nodes that records from `start` come to, these included; buffers that drop are the last on their way. */
function flowsTo({ graph, shares, parting }, start) {
  const seen = new Set(start)
  for (const node of seen) {
    if (parting.includes(node)) continue
    for (const edge of graph.out(node)) if ((shares[edge]?.gain ?? 0) > 0) seen.add(graph.to(edge))
  }
  return seen
}
/** The first limit that was met; where none was, the stage that is nearest to being full. */
function bottleneckOf(model, prediction) {
  const [first] = prediction.met
  if (first !== undefined) return { ...named(model, first), saturated: true }
  let nearest = -1
  let most = 0
  prediction.into.forEach((rate, node) => {
    const share = rate / (model.services[node]?.rate ?? Infinity)
    if (isStage(model.graph.node(node).kind) && share > most) {
      most = share
      nearest = node
    }
  })
  return nearest === -1 ? undefined : { by: 'stage', node: model.graph.id(nearest), saturated: false }
}
