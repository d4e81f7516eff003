import type { StagePlan } from '../plan/types.ts'
import type { StageSnapshot } from './snapshot.ts'

/** Shares of the time of a stage's workers, from 0 to 1, averaged over the workers. */
export interface StageTime {
  readonly busy: number
  readonly starved: number
  readonly blocked: number
  readonly limited: number
}

/** What the workers' time went into since the snapshot `was`, so many seconds ago; without one, since the start. */
export function stageTime(
  stage: StagePlan,
  now: StageSnapshot,
  was: StageSnapshot | undefined,
  seconds: number,
): StageTime {
  if (seconds <= 0) return { busy: 0, starved: 0, blocked: 0, limited: 0 }
  let [busyMs, starvedMs, blockedMs, limitedMs] = [0, 0, 0, 0]
  for (let i = 0; i < now.workers.length; i++) {
    const worker = now.workers[i]!
    const earlier = was?.workers[i]
    busyMs += worker.busyMs - (earlier?.busyMs ?? 0)
    starvedMs += worker.starvedMs - (earlier?.starvedMs ?? 0)
    blockedMs += worker.blockedMs - (earlier?.blockedMs ?? 0)
    limitedMs += worker.limitedMs - (earlier?.limitedMs ?? 0)
  }
  const overlap = overlapOf(stage, now)
  if (overlap > 1) busyMs = (serviceNs(now) - serviceNs(was)) / overlap / 1e6
  const allMs = 1_000 * seconds * stage.concurrency
  // Looks at running counters may be torn: a share stays one.
  const share = (ms: number): number => Math.min(1, Math.max(0, ms) / allMs)
  return { busy: share(busyMs), starved: share(starvedMs), blocked: share(blockedMs), limited: share(limitedMs) }
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
