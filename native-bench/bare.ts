import { Worker } from 'node:worker_threads'
import { load, store } from '#src/atomics.js'
import { type Contender, moved } from './suite.ts'

/** Shared words of the bare threads: records asked for of each, and, from DONE on, records that each has done. */
const ASKED = 0
const DONE = 1
const TIMEOUT_MS = 60_000

/** Threads that do nothing but the work: what so many cores can do at most. */
export function bareThreads(
  threads: number,
  steps: number,
): { contender(name: string, records: number): Contender; close(): Promise<void> } {
  const words = new Int32Array(new SharedArrayBuffer(4 * (DONE + threads)))
  const workers = Array.from(
    { length: threads },
    (_, thread) => new Worker(new URL('./bare-thread.js', import.meta.url), { workerData: { words, thread, steps } }),
  )
  return {
    contender: (name, records) => ({
      name,
      unit: 'records/s',
      async burst() {
        const each = Math.ceil(records / threads)
        const target = load(words, ASKED) + each
        const start = performance.now()
        store(words, ASKED, target)
        for (let thread = 0; thread < threads;) {
          if (load(words, DONE + thread) === target) thread++
          else if (performance.now() - start > TIMEOUT_MS) throw new Error(`${name}: a bare thread does not answer`)
          else await new Promise((resolve) => setTimeout(resolve, 1))
        }
        return moved(each * threads, performance.now() - start)
      },
    }),
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
