import { MAX_TIMER_MS, clearTimeout, monotonicMs, setTimeout } from './time.ts'

/**
 * How long the process has run, as far as one can tell who looks regularly. Where a process is stopped (SIGSTOP, a debugger, a
 * sleeping laptop, a paused machine) the monotonic clock goes on, and all threads are late at once: a look that comes far too
 * late counts as if it came in time.
 */
export class RunningTime {
  readonly #clock: () => number
  #lookedAtMs: number
  #ranMs = 0

  constructor(clock: () => number = monotonicMs) {
    this.#clock = clock
    this.#lookedAtMs = clock()
  }

  /**
   * @param askedMs after which time from the last look this one was to come
   * @returns how long the process has run since this object was made, in ms
   */
  look(askedMs: number): number {
    const nowMs = this.#clock()
    const sinceMs = nowMs - this.#lookedAtMs
    this.#lookedAtMs = nowMs
    this.#ranMs += sinceMs > 2 * askedMs ? askedMs : sinceMs
    return this.#ranMs
  }
}

/** Looks within a time-out: a pause that is shorter than two of their distances counts as running. */
const LOOKS = 10
const LEAST_MS = 5

/** A time-out that does not fire for a pause of the whole process: it has to run for so long. */
export class TimeOut {
  readonly #running = new RunningTime()
  readonly #ms: number
  readonly #onOver: () => void
  #timer: NodeJS.Timeout

  constructor(ms: number, onOver: () => void) {
    this.#ms = ms
    this.#onOver = onOver
    this.#timer = this.#ask(ms)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  #ask(leftMs: number): NodeJS.Timeout {
    const askedMs = Math.min(leftMs, Math.max(LEAST_MS, this.#ms / LOOKS), MAX_TIMER_MS)
    return setTimeout(() => {
      // Timers count whole milliseconds, and take less than one for one.
      const stillMs = this.#ms - this.#running.look(Math.max(1, askedMs))
      if (stillMs > 0) this.#timer = this.#ask(stillMs)
      else this.#onOver()
    }, askedMs)
  }
}

/** Resolves to undefined where the promise does not settle while the process runs for so long. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timeOut: TimeOut | undefined
  const late = new Promise<undefined>((resolve) => (timeOut = new TimeOut(ms, () => resolve(undefined))))
  try {
    return await Promise.race([promise, late])
  } finally {
    timeOut?.cancel()
  }
}
