import type { StagePlan } from '../plan/types.ts'
import type { StageSnapshot } from './snapshot.ts'
import { type TimeShares, withShares } from './times.ts'

/** What a stage's time went into since the snapshot `was`, so many seconds ago, averaged over its workers; without one, since the start. */
export function stageTime(
  stage: StagePlan,
  now: StageSnapshot,
  was: StageSnapshot | undefined,
  seconds: number,
): TimeShares {
  const overlap = overlapOf(stage, now)
  return withShares(
    {},
    (time, ms) => {
      if (time === 'busy' && overlap > 1) return (serviceNs(now) - serviceNs(was)) / overlap / 1e6
      let spentMs = 0
      for (let i = 0; i < now.workers.length; i++) spentMs += now.workers[i]![ms] - (was?.workers[i]?.[ms] ?? 0)
      return spentMs
    },
    1_000 * seconds * (was === undefined ? workersOf(now) : (workersOf(was) + workersOf(now)) / 2),
  )
}

/** How many workers a stage has: its seats that are taken. */
export function workersOf({ workers }: StageSnapshot): number {
  return workers.filter(({ state }) => state !== 'vacant').length
}

/** Calls that may be open at once on each worker, which share its time; 1 where each call has its worker for itself. */
export function overlapOf({ input }: StagePlan, { workers }: StageSnapshot): number {
  return workers.some(({ isAsync }) => isAsync) ? (input?.maxInFlight ?? 1) : 1
}

/** Nanoseconds in the handler since the start, all calls together. */
export function serviceNs(stage: StageSnapshot | undefined): number {
  const service = stage?.histograms.service
  return service === undefined ? 0 : service.mean * service.count
}
