import { clearTimeout, setTimeout, wallMs } from '../time.ts'
import type { Schedule } from './schedule.ts'

/** The clock may be set, and a machine may sleep: it is looked at again after so long. */
const LOOK_MS = 30_000

export interface Service {
  readonly schedule: Schedule
  /** When the last run began; undefined where there was none: then the first is due at once. Milliseconds since 1970. */
  readonly lastRunMs: number | undefined
  /** Whether a run that was due while nobody served is made up for, once. */
  readonly makesUp: boolean
  /** An import. What it throws ends it alone. */
  readonly run: () => Promise<void>
  readonly onProblem: (error: unknown) => void
  readonly onWaiting: (untilMs: number) => void
  /** Ends the service, behind the run that is under way. */
  readonly signal: AbortSignal
}

/** Imports whenever it is due, one run after the other: what falls due during a run is part of the next one. */
export async function serve(service: Service): Promise<void> {
  const { schedule, lastRunMs, makesUp, run, onProblem, onWaiting, signal } = service
  const startMs = wallMs()
  const missed = lastRunMs === undefined ? startMs : schedule.nextMs(lastRunMs)
  let dueMs = makesUp && missed !== undefined && missed <= startMs ? startMs : schedule.nextMs(startMs)
  while (dueMs !== undefined && !signal.aborted) {
    if (dueMs > wallMs()) onWaiting(dueMs)
    await waitUntil(dueMs, signal)
    if (signal.aborted) return
    try {
      await run()
    } catch (error) {
      onProblem(error)
    }
    dueMs = schedule.nextMs(Math.max(dueMs, wallMs()))
  }
}

async function waitUntil(ms: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = ms - wallMs(); leftMs > 0 && !signal.aborted; leftMs = ms - wallMs()) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, Math.min(leftMs, LOOK_MS))
      function done(): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
    })
  }
}
