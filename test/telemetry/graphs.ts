/** Graphs whose measurements are known beforehand. Workers import this module. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace'

function* numbers(): Generator<number> {
  for (let i = 0; ; i++) yield i
}

/** Blocks the thread, as a handler that computes does, without using a core. */
function rest(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const slow = dataflow('slow', import.meta.url)
  .transform('pass', { map: (n: number) => n })
  .sink('slow', { write: () => rest(2) })
  .sink('quick', { write: () => undefined })
  .connect('pass', 'slow', { maxDemand: 16 })
  .connect('pass', 'quick')

/** `slow` takes 2 ms a record; everybody else waits for it, for credit. */
export const credit = slow.source('numbers', { produce: numbers }).connect('numbers', 'pass', { maxDemand: 16 })

/** The same, but the source's window is full before any lane is. */
export const window = dataflow('window', import.meta.url)
  .source('numbers', { window: 32, chunk: 1, produce: numbers })
  .sink('slow', { write: () => rest(2) })
  .connect('numbers', 'slow')

/** Eight calls of 5 ms are open at once. */
export const overlapping = dataflow('overlapping', import.meta.url)
  .source('numbers', { produce: numbers })
  .sink('calls', { maxInFlight: 8, latencyMs: 5, write: () => sleep(5) })
  .connect('numbers', 'calls', { maxDemand: 64 })
