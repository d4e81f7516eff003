/** Graphs whose handlers meddle with clocks, or take their time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace/graph'

const realNow = Date.now
let steps = 0

/** Each reading of the wall clock is an hour behind the one before. */
function stepBack(): void {
  Date.now = () => realNow() - 3_600_000 * ++steps
}

const fails = (n: number, attempt: number): void => {
  if (n % 10 === 3 && attempt === 1) throw new Error('the first attempt fails')
}

const retry = { maxAttempts: 2, baseMs: 5, jitter: 0 } as const
const twenty = { produce: () => Array.from({ length: 20 }, (_, n) => n) }

export const steppedRecords = dataflow('stepped-records', import.meta.url)
  .source('numbers', twenty)
  .transform('work', {
    setup: stepBack,
    retry,
    map: (n: number, { attempt }) => {
      fails(n, attempt)
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

export const steppedCalls = dataflow('stepped-calls', import.meta.url)
  .source('numbers', twenty)
  .transform('work', {
    setup: stepBack,
    retry,
    map: async (n: number, { attempt }) => {
      await Promise.resolve()
      fails(n, attempt)
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

const failingBatch = (batch: readonly number[], attempt: number): readonly number[] => {
  for (const n of batch) fails(n, attempt)
  return batch
}

export const steppedBatches = dataflow('stepped-batches', import.meta.url)
  .source('numbers', twenty)
  .transform('work', {
    setup: stepBack,
    retry,
    batch: { size: 5, timeoutMs: 10 },
    mapBatch: (batch: readonly number[], { attempt }) => [...failingBatch(batch, attempt)],
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

export const steppedKeys = dataflow('stepped-keys', import.meta.url)
  .source('numbers', twenty)
  .transform('work', {
    setup: stepBack,
    retry,
    batch: { size: 5, timeoutMs: 10, by: (n: number) => n % 2 },
    mapBatch: (batch: readonly number[], { attempt }) => [...failingBatch(batch, attempt)],
  })
  .sink('out')
  .connect('numbers', 'work')
  .connect('work', 'out')

/** Pushed records come out doubled; every tenth fails at first. */
export const doubled = dataflow('doubled', import.meta.url)
  .source('in', { push: true })
  .transform('double', {
    retry,
    timeoutMs: 30_000,
    map: async (n: number, { attempt }) => {
      await Promise.resolve()
      fails(n, attempt)
      return 2 * n
    },
  })
  .sink('out')
  .connect('in', 'double')
  .connect('double', 'out')

/** Its record never ends: the call stays open. */
export const unread = dataflow('unread', import.meta.url)
  .source('in', { push: true })
  .sink('out', { write: () => new Promise<void>(() => undefined) })
  .connect('in', 'out')

/** About so many ms of a core, and no less where the process is stopped meanwhile. */
function burn(ms: number): number {
  let sum = 0
  for (let i = 0; i < ms * 100_000; i++) sum = (sum * 31 + i) | 0
  return sum
}

/** Sync and async calls with time-outs that are long for their work and short for a pause. */
export const timed = dataflow('timed', import.meta.url)
  .source('in', { push: true })
  .transform('burn', {
    setup: () => sleep(300),
    timeoutMs: 1_000,
    map: (n: number) => {
      burn(100)
      return n
    },
  })
  .transform('wait', {
    timeoutMs: 1_000,
    map: async (n: number) => {
      await sleep(50)
      return n
    },
  })
  .sink('out', { write: () => undefined })
  .connect('in', 'burn')
  .connect('burn', 'wait')
  .connect('wait', 'out')
