import { wallMs } from '../time.ts'
import { Alarm } from './alarm.ts'
import type { Schedule } from './schedule.ts'

export interface Service {
  /** Without one, only the alarm says when. */
  readonly schedule?: Schedule | undefined
  /** Rung where a run is wanted before one is due. */
  readonly alarm?: Alarm
  /** When the last run began; undefined where there was none: then the first is due at once. Milliseconds since 1970. */
  readonly lastRunMs: number | undefined
  /** Whether a run that was due while nobody served is made up for, once. */
  readonly makesUp: boolean
  /** An import; told whether one is due, or the alarm was rung. What it throws ends it alone. */
  readonly run: (isDue: boolean) => Promise<void>
  readonly onProblem: (error: unknown) => void
  /** Told until when it waits; undefined: until the alarm. */
  readonly onWaiting: (untilMs: number | undefined) => void
  /** Ends the service, behind the run that is under way. */
  readonly signal: AbortSignal
}

/** Imports whenever it is due, one run after the other: what falls due during a run is part of the next one. */
export async function serve(service: Service): Promise<void> {
  const { schedule, lastRunMs, makesUp, run, onProblem, onWaiting, signal } = service
  const alarm = service.alarm ?? new Alarm()
  const startMs = wallMs()
  const missed = lastRunMs === undefined ? startMs : schedule?.nextMs(lastRunMs)
  let dueMs = makesUp && missed !== undefined && missed <= startMs ? startMs : schedule?.nextMs(startMs)
  while (!signal.aborted && (dueMs !== undefined || service.alarm !== undefined)) {
    if (dueMs === undefined || dueMs > wallMs()) onWaiting(dueMs)
    await alarm.wait(dueMs ?? Infinity, signal)
    if (signal.aborted) return
    // A clock may be a little behind the one of the timer.
    const isDue = dueMs !== undefined && dueMs - wallMs() < CLOCK_MS
    try {
      await run(isDue)
    } catch (error) {
      onProblem(error)
    }
    dueMs = schedule?.nextMs(isDue ? Math.max(dueMs!, wallMs()) : wallMs())
  }
}

const CLOCK_MS = 20
