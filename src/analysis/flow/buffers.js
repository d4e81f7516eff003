import { coreLoad, stepToFull } from './filling.js'
import { cutTraffic, feeders, inject, modelOf } from './model.js'
import { predict } from './predict.js'
import { NODE_OPTIONS } from '../../options.js'
import { SOURCE_DEFAULTS, workersOf } from '../loops/lanes.js'
import { times } from './traffic.js'
/** All buffers, those with least headroom first. Cost: two predictions for each buffer above a full stage, else one. */
export function buffers(graph, options = {}) {
  const model = modelOf(graph, options)
  return buffersOf(model, predict(model))
}
export function buffersOf(model, prediction) {
  return model.graph.nodes
    .flatMap(({ kind }, node) => (kind === 'buffer' ? [bufferOf(model, prediction, node)] : []))
    .sort((a, b) => a.headroom - b.headroom)
}
function bufferOf(model, prediction, node) {
  const { id, capacity = NODE_OPTIONS.capacity.default } = model.graph.node(node)
  const into = prediction.into[node] ?? 0
  const out = prediction.leaving[node] ?? 0
  const perRecord = visitsBelow(model, node)
  const offered = offeredTo(model, prediction, node, perRecord)
  const drainRate = model.graph.out(node).length === 0 ? 0 : drainOf(model, prediction, out, perRecord)
  const gathers = offered - drainRate
  const reach = Math.min(capacity, windowsAbove(model, node))
  return {
    node: id,
    capacity,
    in: into,
    out,
    dropped: into === out ? 0 : into - out,
    offered,
    drainRate,
    headroom: drainRate === Infinity ? Infinity : drainRate - offered,
    reach,
    timeToFullS: gathers > 0 ? reach / gathers : Infinity,
    timeToDrainS: reach / drainRate,
    absorbsS: reach / into,
  }
}
/** Records that the sources above a buffer may have on their way. */
function windowsAbove(model, node) {
  let windows = 0
  for (const above of feeders(model, [node])) {
    const { kind, window = SOURCE_DEFAULTS.window } = model.graph.node(above)
    if (kind === 'source') windows += window * workersOf(model.graph, above)
  }
  return windows
}
/** Visits to each node of one record that leaves the buffer, until it ends or comes back to the buffer. */
function visitsBelow(model, node) {
  const outside = new Float64Array(model.graph.nodes.length)
  inject(model, node, 1, outside)
  if (!model.traffic.isOnLoop(node)) return model.traffic.solve(outside)
  return cutTraffic(model.graph, model.shares, [...model.parting, node]).solve(outside)
}
function drainOf(model, { into }, out, perRecord) {
  const others = into.map((rate, node) => Math.max(0, rate - times(out, perRecord[node])))
  return stepToFull(model, others, perRecord)
}
/** What comes to the buffer when only stages that are not below it limit the sources. */
function offeredTo(model, prediction, node, perRecord) {
  const notBelow = (other) => perRecord[other] === 0
  const heldBack = prediction.met.some(({ by, node: full = -1 }) =>
    by === 'cores' ? coreLoad(model, perRecord) > 0 : !notBelow(full),
  )
  const reached = feeders(model, [node])
  const feeds = prediction.origins.some((origin) => reached.has(origin.node))
  if (!heldBack || !feeds) return prediction.into[node] ?? 0
  return predict(model, { counts: notBelow }).into[node] ?? 0
}
