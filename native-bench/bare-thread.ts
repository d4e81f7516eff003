/** A thread that does nothing but the work (`bare.ts`). */
import { workerData } from 'node:worker_threads'
import { load, store } from '#src/atomics.js'
import { work } from './work.ts'

const { words, thread, steps } = workerData as { words: Int32Array; thread: number; steps: number }
let done = 0
setInterval(() => {
  const target = load(words, 0)
  for (; done < target; done++) work(steps)
  store(words, 1 + thread, done)
}, 1)
