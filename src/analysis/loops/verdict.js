import { describeCycle } from '../cycles.js'
import { quote } from '../problems.js'
import { isStage, lanePaths } from './lanes.js'
export function verdictOf(graph, edges, bounds) {
  const { records, maxDemand, shares } = bounds
  const lanes = lanePaths(graph, fromStage(graph, edges), maxDemand)
  const capacity = lanes.reduce((sum, lane) => sum + held(lane), 0)
  const verdict = { cycle: describeCycle(graph, shares, edges), inFlight: records, capacity }
  const drops = lanes.find((lane) => lane.drops)
  if (records === 0) return { ...verdict, safe: true, reason: 'unreached', why: 'No source reaches this loop.' }
  if (drops !== undefined) {
    const why = `The buffer ${quote(drops.buffer)} drops records when it is full, so no worker waits for it.`
    return { ...verdict, safe: true, reason: 'drops', why }
  }
  if (records === Infinity) {
    const why =
      'One record may become several inside the loop, so no capacity is enough: let a buffer in it drop, or multiply outside.'
    return { ...verdict, safe: false, reason: 'multiplies', why }
  }
  if (capacity >= records) {
    const why = `Its lanes hold ${capacity} records, and at most ${records} may be in the loop at once.`
    return { ...verdict, safe: true, reason: 'fits', why }
  }
  return { ...verdict, ...lacking(graph, lanes, { ...bounds, capacity }) }
}
/** The verdict on a cycle whose lanes do not hold enough by themselves. */
function lacking(graph, lanes, { records, capacity, larger }) {
  const lane = feedback(graph, lanes)
  if (lane === undefined) return { safe: false, reason: 'tooSmall', why: 'It has no lane that could hold its records.' }
  const enlarge = enlargement(graph, lane, Math.ceil((records - (capacity - held(lane))) / lane.fullRings))
  keepLarger(graph, lanes, records, enlarge, larger)
  const edge = `${quote(graph.edge(enlarge.edge).from)} → ${quote(graph.edge(enlarge.edge).to)}`
  const holds = `Its lanes hold ${capacity} records, and up to ${records} may be in the loop at once`
  if (!lane.isSaid) {
    const why = `${holds}: the plan makes the lane over ${edge} hold ${enlarge.capacity}.`
    return { safe: true, reason: 'sized', why, enlarge }
  }
  const place =
    enlarge.buffer === undefined ? `\`maxDemand\` of edge ${edge}` : `\`capacity\` of ${quote(enlarge.buffer)}`
  const to = enlarge.bufferCapacity ?? enlarge.capacity
  const why = `${holds}: set ${place} to ${to}, or lower the \`window\` of the sources.`
  return { safe: false, reason: 'tooSmall', why, enlarge }
}
/** Records that a lane holds when the cycle stands still. */
function held({ ringCapacity, fullRings }) {
  return ringCapacity * fullRings
}
/**
 * The lane to enlarge: one of which the graph says nothing before one of which it does, one that leads back by a retry edge
 * before others, a later one before an earlier.
 */
function feedback(graph, lanes) {
  const rank = (lane) => (lane.isSaid ? 0 : 2) + (retryEdge(graph, lane) === undefined ? 0 : 1)
  return lanes
    .filter(({ ringCapacity }) => ringCapacity > 0)
    .reduce((best, lane) => (best === undefined || rank(lane) >= rank(best) ? lane : best), undefined)
}
function enlargement(graph, lane, capacity) {
  const edge = closingEdge(graph, lane)
  return lane.buffer === undefined
    ? { edge, capacity, isSaid: lane.isSaid }
    : { edge, capacity, isSaid: true, buffer: lane.buffer, bufferCapacity: capacity * lane.rings }
}
/** Adds the enlargement, unless those of earlier cycles already give this one what it needs. */
function keepLarger(graph, lanes, records, enlarge, larger) {
  const now = lanes.reduce((sum, lane) => {
    return sum + Math.max(lane.ringCapacity, larger.get(closingEdge(graph, lane))?.capacity ?? 0) * lane.fullRings
  }, 0)
  const before = larger.get(enlarge.edge)?.capacity ?? 0
  if (now < records && enlarge.capacity > before) larger.set(enlarge.edge, enlarge)
}
/** The edge by which a lane is named: its retry edge, else its last. */
function closingEdge(graph, lane) {
  return retryEdge(graph, lane) ?? lane.edges.at(-1) ?? -1
}
function retryEdge(graph, { edges }) {
  return edges.findLast((edge) => graph.edge(edge).pathType === 'retry')
}
/** The cycle's edges in an order that begins at a stage, so that it can be cut into whole lanes. */
function fromStage(graph, edges) {
  const start = edges.findIndex((edge) => isStage(graph.node(graph.from(edge)).kind))
  return start <= 0 ? edges : [...edges.slice(start), ...edges.slice(0, start)]
}
