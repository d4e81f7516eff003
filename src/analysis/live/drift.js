import { modelOf } from '../flow/model.js'
import { measuredGraph, measuredOf } from './measured.js'
/**
 * Declared against measured, the largest drift first. Only what the graph declares is compared. `tolerance` is a share
 * (default 0.1): a figure may be off by so much, up or down.
 */
export function drift(graph, measurements, { tolerance = 0.1 } = {}) {
  const measured = measuredOf(graph, measurements)
  const now = measuredGraph(graph, measurements)
  const { services } = modelOf(now)
  const found = []
  const compare = (place, figure, declared, actual) => {
    if (declared === undefined || actual === undefined || !Number.isFinite(actual)) return
    const off = figure === 'ratio' ? actual - declared : relative(declared, actual)
    found.push({ ...place, figure, declared, measured: actual, drift: off, exceeds: Math.abs(off) > tolerance })
  }
  graph.nodes.forEach((node, number) => {
    const counts = measured.node(number)
    if (counts === undefined) return
    const place = { node: node.id }
    compare(place, 'concurrency', node.concurrency, counts.workers)
    if (node.kind === 'source') compare(place, 'rate', node.rate, counts.in / measurements.seconds)
    if (counts.in === 0) return
    if (counts.serviceMs > 0) {
      if (node.serviceRate === undefined) compare(place, 'latencyMs', node.latencyMs, now.nodes[number]?.latencyMs)
      else compare(place, 'serviceRate', node.serviceRate, services[number]?.rate)
    }
    if (node.kind === 'transform') compare(place, 'selectivity', node.selectivity, now.nodes[number]?.selectivity)
  })
  graph.edges.forEach((edge, index) => {
    const from = measured.graph.from(index)
    if (from === -1 || measured.arrived(from) === 0) return
    compare({ edge: index }, 'ratio', edge.ratio, now.edges[index]?.ratio)
    compare({ edge: index }, 'rate', edge.rate, measured.edge(index).records / measurements.seconds)
  })
  return found.sort((a, b) => Math.abs(b.drift) - Math.abs(a.drift))
}
function relative(declared, measured) {
  if (declared === measured) return 0
  return declared === 0 ? Infinity : measured / declared - 1
}
