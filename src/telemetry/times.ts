import { TIMES, namesOf, type Time } from '../figures.ts'

/** Milliseconds of a worker that went into each, since the start. */
export type WorkerTimes = Readonly<Record<`${Time}Ms`, number>>
/** What workers' time went into: shares of it, from 0 to 1. */
export type TimeShares = Readonly<Record<Time, number>>

/** Names of the times with the names of their milliseconds. */
export const TIME_NAMES: readonly (readonly [Time, `${Time}Ms`])[] = namesOf(TIMES).map((name) => [name, `${name}Ms`])

/** What a worker's time went into. @param before undefined: since the start */
export function workerTime(now: WorkerTimes, before: WorkerTimes | undefined, seconds: number): TimeShares {
  return withShares({}, (_, ms) => now[ms] - (before?.[ms] ?? 0), 1_000 * seconds)
}

/** Adds to an object what share of `allMs` went into each time, one by one, for the reason that `counts.ts` gives. */
export function withShares<T extends object>(
  given: T,
  spentMs: (time: Time, ms: `${Time}Ms`) => number,
  allMs: number,
): T & TimeShares {
  const filled = given as T & Record<Time, number>
  for (const [time, ms] of TIME_NAMES)
    // Looks at running counters may be torn: a share stays one.
    (filled as Record<Time, number>)[time] = allMs <= 0 ? 0 : Math.min(1, Math.max(0, spentMs(time, ms)) / allMs)
  return filled
}
