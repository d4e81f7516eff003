import { fill } from './filling.js'
import { outsideOf } from './model.js'
/** What leaves a buffer that drops depends on what comes to it, which may depend on what leaves it: so many turns at most. */
const MAX_TURNS = 50
const SETTLED = 1e-9
/** Fills the graph from all its origins. */
export function predict(model, { counts, hasBacklog = () => false } = {}) {
  const buffers = model.parting.map((node) => ({
    node,
    most: Infinity,
    weight: model.weight(node),
    by: 'nothing',
  }))
  const isFollowing = ({ node }) => model.graph.node(node).kind !== 'source' && !hasBacklog(node)
  let origins = [...model.sources, ...buffers]
  let filling = fill(model, origins, counts)
  for (let turn = 0; turn < MAX_TURNS && origins.some(isFollowing); turn++) {
    const previous = filling.rates
    // The mean of what was taken and what comes damps the swing between a buffer and a source that share a stage.
    origins = origins.map((origin) =>
      isFollowing(origin) ? { ...origin, most: settle(origin.most, filling.into[origin.node] ?? 0) } : origin,
    )
    filling = fill(model, origins, counts)
    if (filling.rates.every((rate, index) => isClose(rate, previous[index] ?? 0)) && turn > 0) break
  }
  const leaving = Float64Array.from(filling.into)
  origins.forEach((origin, index) => {
    const rate = filling.rates[index] ?? 0
    leaving[origin.node] = isFollowing(origin) ? Math.min(rate, filling.into[origin.node] ?? 0) : rate
  })
  return {
    ...filling,
    origins,
    leaving,
    offered: offeredOf(model, origins, filling),
    throughput: model.sources.reduce((sum, _, index) => sum + (filling.rates[index] ?? 0), 0),
  }
}
function settle(before, now) {
  return before === Infinity ? now : (before + now) / 2
}
function isClose(a, b) {
  return a === b || Math.abs(a - b) <= SETTLED * Math.max(a, b)
}
function offeredOf(model, origins, { rates }) {
  const offered = origins.map(({ node, most }, index) => {
    const isSource = model.graph.node(node).kind === 'source'
    return isSource && most < Infinity ? most : (rates[index] ?? 0)
  })
  return model.traffic.solve(outsideOf(model, origins, offered))
}
export function named(model, { by, node }) {
  return node === undefined ? { by } : { by, node: model.graph.id(node) }
}
