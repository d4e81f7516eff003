import { feeders, outsideOf } from './model.js'
import { times } from './traffic.js'
/** Two rates are the same when they differ by less than this part. */
const SAME = 1e-9
const ALL = () => true
/**
 * Raises all origins together, each by its weight, until something is full; what feeds it stays as it is, the others go on
 * (max-min fairness: a reader takes its lanes in turn, so those who send less are served in full first). Nothing vanishes:
 * what does not fit is not sent. Cost: one solution of the traffic equations for each origin or limit that is met.
 */
export function fill(model, origins, counts = ALL) {
  const rates = origins.map(() => 0)
  const limits = origins.map(({ most, by }) => (most === 0 ? { by } : undefined))
  const into = new Float64Array(model.graph.nodes.length)
  const met = []
  // Each turn closes an origin at least; one that closes none is the last, so that rounding can never keep it going.
  for (let open = openCount(limits), before = Infinity; open > 0 && open < before;) {
    const speeds = origins.map(({ weight }, index) => (limits[index] === undefined ? weight : 0))
    const growth = model.traffic.solve(outsideOf(model, origins, speeds))
    const step = Math.min(stepToOwn(origins, rates, speeds), stepToFull(model, into, growth, counts))
    speeds.forEach((speed, index) => void (rates[index] += times(speed, step)))
    growth.forEach((speed, node) => void (into[node] += times(speed, step)))
    if (step === Infinity) break
    closeOwn(origins, rates, limits)
    for (const limit of limitsMet(model, into, growth, counts)) {
      met.push(limit)
      close(model, origins, limits, limit, counts)
    }
    before = open
    open = openCount(limits)
  }
  return { rates, limits: limits.map((limit) => limit ?? { by: 'nothing' }), into, met }
}
function openCount(limits) {
  return limits.filter((limit) => limit === undefined).length
}
/** How long all may grow at their speeds until the first of them sends all that it has. */
function stepToOwn(origins, rates, speeds) {
  return origins.reduce((step, { most }, index) => {
    const speed = speeds[index] ?? 0
    return speed > 0 ? Math.min(step, (most - (rates[index] ?? 0)) / speed) : step
  }, Infinity)
}
/** How long rates may grow until the first stage, or the cores, are full. */
export function stepToFull(model, into, growth, counts = ALL) {
  let step = Infinity
  growth.forEach((speed, node) => {
    const rate = model.services[node]?.rate ?? Infinity
    if (speed > 0 && rate < Infinity && counts(node)) step = Math.min(step, Math.max(0, rate - into[node]) / speed)
  })
  const burnt = coreLoad(model, growth, counts)
  const free = Math.max(0, model.cores - coreLoad(model, into, counts))
  return burnt > 0 && free < Infinity ? Math.min(step, free / burnt) : step
}
/** What is full now of all that grew. A loop that grows fills its stages at any rate. */
export function limitsMet(model, into, growth, counts = ALL) {
  const met = []
  let burner = -1
  growth.forEach((speed, node) => {
    if (speed === 0 || !counts(node)) return
    const rate = model.services[node]?.rate ?? Infinity
    const isFull = into[node] >= rate * (1 - SAME) || (speed === Infinity && rate < Infinity)
    if (isFull) met.push({ by: 'stage', node })
    if (burner === -1 || coreLoadOf(model, into, node) > coreLoadOf(model, into, burner)) burner = node
  })
  const burnt = coreLoad(model, growth, counts)
  const coresFull = coreLoad(model, into, counts) >= model.cores * (1 - SAME) || burnt === Infinity
  if (burnt > 0 && model.cores < Infinity && coresFull) met.push({ by: 'cores', node: burner })
  return met
}
function closeOwn(origins, rates, limits) {
  origins.forEach(({ most, by }, index) => {
    if (limits[index] !== undefined || (rates[index] ?? 0) < most * (1 - SAME)) return
    rates[index] = most
    limits[index] = { by }
  })
}
/** Sets the limit of every origin from which records come to what is full. */
function close(model, origins, limits, limit, counts) {
  const nodes =
    limit.by === 'stage' && limit.node !== undefined
      ? [limit.node]
      : model.graph.nodes.flatMap((_, node) => (counts(node) && model.services[node].coreSeconds > 0 ? [node] : []))
  const feeding = feeders(model, nodes)
  origins.forEach(({ node }, index) => {
    if (limits[index] === undefined && sendsTo(model, node, feeding)) limits[index] = limit
  })
}
function sendsTo({ graph, shares }, origin, feeding) {
  if (graph.node(origin).kind === 'source') return feeding.has(origin)
  return graph.out(origin).some((edge) => (shares[edge]?.gain ?? 0) > 0 && feeding.has(graph.to(edge)))
}
function coreLoadOf(model, into, node) {
  return times(into[node] ?? 0, model.services[node]?.coreSeconds ?? 0)
}
/** Cores that are busy at these rates. */
export function coreLoad(model, into, counts = ALL) {
  return into.reduce((load, _, node) => (counts(node) ? load + coreLoadOf(model, into, node) : load), 0)
}
