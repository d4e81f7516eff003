import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'
import { type Drop, dropsOf } from './drops.ts'
import type { NodeCounts } from '../telemetry/counts.ts'
import { readSnapshot } from '../telemetry/snapshot.ts'

/** How a pipeline ended. Records are source records, but for `deadLettered`, which counts at every node. */
export interface Report {
  /** All sources came to their end; `drain` or `stop` was called; an error stopped it. */
  readonly outcome: 'finished' | 'drained' | 'stopped' | 'failed'
  readonly acked: number
  readonly failed: number
  readonly deadLettered: number
  /** By buffers, on the way: at all edges together, and at each that has dropped any. A source record of which any was counts as failed. */
  readonly dropped: number
  readonly drops: readonly Drop[]
  /** Still on their way at the end: nacked to their source. */
  readonly abandoned: number
  readonly deadlinePassed: boolean
  readonly seconds: number
  readonly nodes: Readonly<Record<string, NodeCounts>>
}

export function reportOf(
  memory: Memory,
  plan: Plan,
  startedAtMs: number,
  { outcome, deadlinePassed }: Pick<Report, 'outcome' | 'deadlinePassed'>,
): Report {
  const snapshot = readSnapshot(memory, plan, startedAtMs)
  const { nodes, elapsedMs } = snapshot
  const drops = dropsOf(snapshot)
  const sources = plan.nodeStages.filter(({ kind }) => kind === 'source').map(({ node }) => nodes[node]!)
  const sum = (of: (counts: NodeCounts) => number, counts: readonly NodeCounts[] = sources): number =>
    counts.reduce((total, each) => total + of(each), 0)
  return {
    outcome,
    acked: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    deadLettered: sum(({ deadLettered }) => deadLettered, Object.values(nodes)),
    dropped: drops.reduce((total, drop) => total + drop.total, 0),
    drops,
    abandoned: sum(({ inFlight }) => inFlight),
    deadlinePassed,
    seconds: elapsedMs / 1000,
    nodes,
  }
}
