import { coreLoad, limitsMet, stepToFull } from './filling.js'
import { isStage } from '../loops/lanes.js'
import { modelOf, outsideOf } from './model.js'
import { named, predict } from './predict.js'
import { times } from './traffic.js'
/**
 * Stages (and the cores, where `cpu` stages share them) ranked by what limits the graph: those that are full first, then by
 * pressure. Stages that declare no service time limit nothing and are left out.
 * Cost: one prediction, and one more for each that is full.
 */
export function bottlenecks(graph, options = {}) {
  const model = modelOf(graph, options)
  const prediction = predict(model)
  const full = new Set(prediction.met.flatMap(({ by, node }) => (by === 'stage' && node !== undefined ? [node] : [])))
  const found = model.graph.nodes.flatMap(({ id, kind }, node) => {
    const rate = model.services[node]?.rate ?? Infinity
    if (!isStage(kind) || rate === Infinity) return []
    const saturated = full.has(node)
    return [
      {
        by: 'stage',
        node: id,
        utilisation: Math.min(1, (prediction.into[node] ?? 0) / rate),
        pressure: (prediction.offered[node] ?? 0) / rate,
        saturated,
        throughputWithout: (saturated ? predict(unlimited(model, node)) : prediction).throughput,
      },
    ]
  })
  found.push(...coreBottleneck(graph, model, prediction, options))
  return found.sort((a, b) => Number(b.saturated) - Number(a.saturated) || b.pressure - a.pressure)
}
function coreBottleneck(graph, model, prediction, options) {
  if (model.cores === Infinity || coreLoad(model, prediction.offered) === 0) return []
  const limit = prediction.met.find(({ by }) => by === 'cores')
  const most = model.services.reduce(
    (best, { coreSeconds }, node) => {
      const load = times(prediction.into[node] ?? 0, coreSeconds)
      return load > best.load ? { node, load } : best
    },
    { node: -1, load: 0 },
  )
  const free = limit === undefined ? model : modelOf(graph, { ...options, cores: Infinity })
  return [
    {
      ...(most.node === -1 ? {} : { node: model.graph.id(most.node) }),
      by: 'cores',
      utilisation: Math.min(1, coreLoad(model, prediction.into) / model.cores),
      pressure: coreLoad(model, prediction.offered) / model.cores,
      saturated: limit !== undefined,
      throughputWithout: (limit === undefined ? prediction : predict(free)).throughput,
    },
  ]
}
/** The model with one stage that is never full; the cores that it burns still count. */
function unlimited(model, node) {
  const services = model.services.map((service, other) => (other === node ? { ...service, rate: Infinity } : service))
  return { ...model, services }
}
/**
 * The largest rate that each source alone, and all of them in proportion, can keep up, and what is full at it. Declared
 * rates do not bind here; a `rateLimit` does. Cost: one prediction and one solution for each source.
 */
export function maxRate(graph, options = {}) {
  const model = modelOf(graph, options)
  const prediction = predict(model)
  const rates = prediction.rates
  const sources = model.sources.map(({ node }, source) => {
    const others = rates.map((rate, index) => (index === source ? 0 : rate))
    const alone = rates.map((_, index) => (index === source ? 1 : 0))
    const { factor, cut } = mostAlong(model, prediction, { from: others, direction: alone })
    return { id: model.graph.id(node), rate: rates[source] ?? 0, max: factor, cut }
  })
  const direction = prediction.origins.map(({ most }, index) => {
    const isSource = index < model.sources.length
    return isSource && most < Infinity ? most : (rates[index] ?? 0)
  })
  const { factor, cut } = mostAlong(model, prediction, { from: rates.map(() => 0), direction })
  const offered = direction.slice(0, model.sources.length).reduce((sum, rate) => sum + rate, 0)
  return { sources, together: { factor, throughput: times(offered, factor), cut } }
}
/** How far all origins can go from some rates in some direction, and what is full there. */
function mostAlong(model, { origins }, { from, direction }) {
  if (direction.some((rate) => rate === Infinity)) return { factor: 1, cut: [{ by: 'nothing' }] }
  const base = model.traffic.solve(outsideOf(model, origins, from))
  const growth = model.traffic.solve(outsideOf(model, origins, direction))
  let factor = stepToFull(model, base, growth)
  const cut = []
  model.sources.forEach(({ node }, index) => {
    const { rateLimit } = model.graph.node(node)
    if (rateLimit === undefined || (direction[index] ?? 0) === 0) return
    const room = (rateLimit - (from[index] ?? 0)) / (direction[index] ?? 0)
    if (room < factor) cut.splice(0)
    if (room <= factor) cut.push({ by: 'rateLimit', node: model.graph.id(node) })
    factor = Math.min(factor, room)
  })
  if (factor === Infinity) return { factor, cut: [{ by: 'nothing' }] }
  const into = base.map((rate, node) => rate + times(growth[node] ?? 0, factor))
  return { factor, cut: [...cut, ...limitsMet(model, into, growth).map((limit) => named(model, limit))] }
}
