import { isStage } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import type { Measurements } from '../types.ts'
import { measuredOf, type Measured } from './measured.ts'

/** The books of one stage, in records: what came in is somewhere. */
export interface LedgerEntry {
  readonly node: string
  readonly in: number
  readonly done: number
  readonly filtered: number
  readonly deadLettered: number
  readonly failed: number
  /** Of measurements since an earlier snapshot: how many more than then. */
  readonly inFlight: number
  /** `in - (done + filtered + deadLettered + failed + inFlight)`: above 0 records are missing, below 0 there are too many. */
  readonly difference: number
  /** What the edges into the stage carried, less what waits on them or was dropped there, less what the stage took: 0 is meant. */
  readonly lanesDifference: number
  readonly holds: boolean
}

/** The account of every node: what went in and what became of it. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[]
  /** Every entry holds. */
  readonly holds: boolean
}

/**
 * Checks that no record is lost or doubled: `in = done + filtered + deadLettered + failed + inFlight` at each stage, and
 * carried = taken + queued + dropped on the edges into it. The counters of a running pipeline are not read at one instant:
 * `slack` records (default 0) may be off.
 */
export function ledger(
  graph: GraphData,
  measurements: Measurements,
  { slack = 0 }: { readonly slack?: number } = {},
): Ledger {
  const measured = measuredOf(graph, measurements)
  const entries = graph.nodes.flatMap(({ id, kind }, node): LedgerEntry[] => {
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

function carriedTo({ graph, edge }: Measured, node: number): number {
  return graph.in(node).reduce((sum, index) => {
    const { records, queued, dropped, queuedBefore = 0 } = edge(index)
    return sum + records - (queued - queuedBefore) - dropped
  }, 0)
}
