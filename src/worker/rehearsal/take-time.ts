import { openSync, readSync } from 'node:fs'
import { load, wait } from '#atomics'
import { monotonicMs, sleep } from '../../time.ts'

/** Takes the time of so many records: burns it, sleeps through it, or answers with a promise where calls overlap. */
export type TakeTime = (records: number) => Promise<void> | undefined

/** Shorter waits are owed and paid together: a thread cannot sleep for less. */
const SLEEP_MS = 1
/** Core time that was burnt is compared with the core's own account each time so much has come together. */
const COMPARE_MS = 50

export function takeTime(work: { latencyMs: number; cpu: boolean; overlaps: boolean }, sleep: Sleep): TakeTime {
  const { latencyMs } = work
  if (latencyMs === 0) return () => undefined
  if (work.cpu) return burn(latencyMs)
  return work.overlaps ? overlap(latencyMs) : sleepThrough(latencyMs, sleep)
}

type Sleep = (ms: number) => void

/** Blocks the thread, on a word that nobody rings. */
export function sleeper(words: Int32Array, word: number): Sleep {
  return (ms) => void wait(words, word, load(words, word), ms)
}

/** What a sleep takes too long, the next ones take less. */
function sleepThrough(latencyMs: number, sleep: Sleep): TakeTime {
  let owedMs = 0
  return (records) => {
    owedMs += records * latencyMs
    if (owedMs < SLEEP_MS) return undefined
    const start = monotonicMs()
    sleep(owedMs)
    owedMs -= monotonicMs() - start
    return undefined
  }
}

/** The same where calls overlap: what some take too long, the next ones take less. */
function overlap(latencyMs: number): TakeTime {
  let owedMs = 0
  return async (records) => {
    const ms = owedMs + records * latencyMs
    owedMs = Math.min(0, ms)
    const start = monotonicMs()
    if (ms > 0) await sleep(ms)
    owedMs += Math.max(0, ms) - (monotonicMs() - start)
  }
}

/**
 * Burns core time, not time on the clock: where more threads than cores want to run, each gets less done. The account that
 * the system keeps moves in steps of some milliseconds, so it only corrects what the clock says.
 */
function burn(latencyMs: number): TakeTime {
  const coreMs = coreClock()
  let owedMs = 0
  let burntMs = 0
  let accountedMs = 0
  return (records) => {
    owedMs += records * latencyMs
    if (owedMs <= 0) return undefined
    const start = monotonicMs()
    const before = coreMs()
    const read = monotonicMs()
    let now = read
    while (now - start < owedMs) now = monotonicMs()
    const after = coreMs()
    const end = monotonicMs()
    // Asking the system takes core time too. The account is taken in the middle of each question.
    owedMs -= end - start
    burntMs += now - read + (read - start + end - now) / 2
    accountedMs += after - before
    if (burntMs >= COMPARE_MS) {
      owedMs += burntMs - accountedMs
      burntMs = accountedMs = 0
    }
    return undefined
  }
}

/** Core time of this thread, in ms; where the system does not tell, the time on the clock. */
function coreClock(): () => number {
  // Since Node 23.9; the types of older ones do not know it.
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } }
  if (threadCpuUsage !== undefined) {
    return () => {
      const { user, system } = threadCpuUsage.call(process)
      return (user + system) / 1000
    }
  }
  const text = Buffer.alloc(64)
  try {
    // Linux: nanoseconds on a core, then other figures. A worker's files are closed with it.
    const file = openSync('/proc/thread-self/schedstat', 'r')
    const read = (): number => {
      // The account of a running thread is behind by up to some milliseconds, until something asks the system for its own.
      process.cpuUsage()
      return Number.parseInt(text.toString('latin1', 0, readSync(file, text, 0, 64, 0)), 10) / 1e6
    }
    return Number.isFinite(read()) ? read : () => monotonicMs()
  } catch {
    return () => monotonicMs()
  }
}
