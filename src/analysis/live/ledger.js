import { isStage } from '../loops/lanes.js'
import { measuredOf } from './measured.js'
/**
 * Checks that no record is lost or doubled: `in = done + filtered + deadLettered + failed + inFlight` at each stage, and
 * carried = taken + queued + dropped on the edges into it. The counters of a running pipeline are not read at one instant:
 * `slack` records (default 0) may be off.
 */
export function ledger(graph, measurements, { slack = 0 } = {}) {
  const measured = measuredOf(graph, measurements)
  const entries = graph.nodes.flatMap(({ id, kind }, node) => {
    const counts = measured.node(node)
    if (counts === undefined || !isStage(kind)) return []
    const { in: taken, done, filtered, deadLettered, failed, inFlightBefore = 0, injected = 0 } = counts
    const inFlight = counts.inFlight - inFlightBefore
    const difference = taken - (done + filtered + deadLettered + failed + inFlight)
    const lanesDifference = kind === 'source' ? 0 : carriedTo(measured, node) + injected - taken
    const holds = Math.abs(difference) <= slack && Math.abs(lanesDifference) <= slack
    return [{ node: id, in: taken, done, filtered, deadLettered, failed, inFlight, difference, lanesDifference, holds }]
  })
  return { entries, holds: entries.every(({ holds }) => holds) }
}
function carriedTo({ graph, edge }, node) {
  return graph.in(node).reduce((sum, index) => {
    const { records, queued, dropped, queuedBefore = 0 } = edge(index)
    return sum + records - (queued - queuedBefore) - dropped
  }, 0)
}
