import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/**
 * CPU work of a known length: so many steps of an integer loop. Steps and not a clock, because a thread that waits for a
 * core would otherwise pass for one that works.
 */
export function work(steps: number): number {
  let state = 1
  for (let i = 0; i < steps; i++) state = (Math.imul(state, 1664525) + 1013904223) | 0
  return state
}

const PROBE_STEPS = 200_000

/** Steps that take so many microseconds on this machine, in its quickest of some tries. */
export function stepsFor(us: number): number {
  let best = Infinity
  for (let i = 0; i < 50; i++) {
    const start = performance.now()
    if (work(PROBE_STEPS) === 0) throw new Error('the work gave nothing')
    best = Math.min(best, performance.now() - start)
  }
  return Math.round((us / 1000 / best) * PROBE_STEPS)
}

/** Threads started from now on do so much work for each record. */
export function setSteps(steps: number): void {
  setEnvironmentData('bench steps', steps)
}

export function steps(): number {
  return Number(getEnvironmentData('bench steps') ?? 0)
}
