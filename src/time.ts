/**
 * All time of the library comes from here. What it calls is taken when this module is loaded, so fakes that a test puts into
 * the globals afterwards (vitest, jest, sinon) do not stop a pipeline. Lint refuses the globals everywhere else.
 *
 * Two clocks: whatever is reckoned (a delay, a deadline, an age) uses the monotonic one; the wall clock may be set at any
 * time, so it is for people only.
 */
import { performance } from 'node:perf_hooks'
import * as timers from 'node:timers'

/** What tells the time, and calls when it has come. */
export interface TimeSource {
  readonly monotonicMs: () => number
  readonly wallMs: () => number
  readonly setTimeout: typeof timers.setTimeout
  readonly clearTimeout: typeof timers.clearTimeout
  readonly setInterval: typeof timers.setInterval
  readonly clearInterval: typeof timers.clearInterval
  readonly setImmediate: typeof timers.setImmediate
}

/** The time of the process. */
export const PROCESS_TIME: TimeSource = {
  monotonicMs: performance.now.bind(performance),
  wallMs: Date.now,
  setTimeout: timers.setTimeout,
  clearTimeout: timers.clearTimeout,
  setInterval: timers.setInterval,
  clearInterval: timers.clearInterval,
  setImmediate: timers.setImmediate,
}

const nextTick = process.nextTick.bind(process)

/** Resolves once all promises have settled that can: the event loop does not go round, which costs many times as much. */
export function drained(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve))
}

/** Milliseconds of the monotonic clock. All threads of a process read the same one. */
export let monotonicMs: () => number = PROCESS_TIME.monotonicMs
/** Milliseconds since 1970 by the wall clock: to show, never to reckon with. */
export let wallMs: () => number = PROCESS_TIME.wallMs
export let setTimeout: typeof timers.setTimeout = PROCESS_TIME.setTimeout
export let clearTimeout: typeof timers.clearTimeout = PROCESS_TIME.clearTimeout
export let setInterval: typeof timers.setInterval = PROCESS_TIME.setInterval
export let clearInterval: typeof timers.clearInterval = PROCESS_TIME.clearInterval
export let setImmediate: typeof timers.setImmediate = PROCESS_TIME.setImmediate

/** All of the library in this thread goes by another time from now on: a pipeline on one thread, in a test, has its own. */
export function goBy(source: TimeSource): void {
  ;({ monotonicMs, wallMs, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = source)
}

/** What the wall clock would have shown at a time of the monotonic clock, as it is set now. */
export function wallMsAt(ms: number): number {
  return wallMs() - (monotonicMs() - ms)
}

/** The longest delay of a timer: Node takes a longer one for 1 ms. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/** Resolves after so long, however long that is, or when `signal` aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const endsAt = monotonicMs() + ms
  for (let leftMs = ms; leftMs > 0; leftMs = endsAt - monotonicMs()) {
    if (signal?.aborted === true) return
    await sleepOnce(Math.min(leftMs, MAX_TIMER_MS), signal)
  }
}

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(wake, ms)
    function wake(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    signal?.addEventListener('abort', wake)
  })
}
