/**
 * All time of the library comes from here. What it calls is taken when this module is loaded, so fakes that a test puts into
 * the globals afterwards (vitest, jest, sinon) do not stop a pipeline. Lint refuses the globals everywhere else.
 *
 * Two clocks: whatever is reckoned (a delay, a deadline, an age) uses the monotonic one; the wall clock may be set at any
 * time, so it is for people only.
 */
import { performance } from 'node:perf_hooks'
import * as timers from 'node:timers'

/** Milliseconds of the monotonic clock. All threads of a process read the same one. */
export const monotonicMs: () => number = performance.now.bind(performance)

/** Milliseconds since 1970 by the wall clock: to show, never to reckon with. */
export const wallMs: () => number = Date.now

/** What the wall clock would have shown at a time of the monotonic clock, as it is set now. */
export function wallMsAt(ms: number): number {
  return wallMs() - (monotonicMs() - ms)
}

export const setTimeout: typeof timers.setTimeout = timers.setTimeout
export const clearTimeout: typeof timers.clearTimeout = timers.clearTimeout
export const setInterval: typeof timers.setInterval = timers.setInterval
export const clearInterval: typeof timers.clearInterval = timers.clearInterval
export const setImmediate: typeof timers.setImmediate = timers.setImmediate

/** The longest delay of a timer: Node takes a longer one for 1 ms. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/** Resolves after so long, however long that is. */
export async function sleep(ms: number): Promise<void> {
  const endsAt = monotonicMs() + ms
  for (let leftMs = ms; leftMs > 0; leftMs = endsAt - monotonicMs()) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, MAX_TIMER_MS)))
  }
}
