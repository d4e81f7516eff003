/** Graphs of the tests of tracing. Workers import this module. */
import { dataflow } from 'millrace'

export const COUNT = 20_000

function* numbers(): Generator<number> {
  for (let i = 0; i < COUNT; i++) yield i
}

/** So few that a busy machine drops no event on its way to a store. */
export const FEW = 4_000

function* fewNumbers(): Generator<number> {
  for (let i = 0; i < FEW; i++) yield i
}

/** One record in each chunk, so that a trace is the way of one record. */
export const single = dataflow('single', import.meta.url)
  .source('numbers', { produce: numbers, chunk: 1 })
  .transform('double', { concurrency: 2, map: (n: number) => n * 2 })
  .sink('out')
  .connect('numbers', 'double')
  .connect('double', 'out')

export const chosen = dataflow('chosen', import.meta.url)
  .source('numbers', { produce: numbers, chunk: 1, trace: (n) => n % 1_000 === 7 })
  .transform('double', { map: (n: number) => n * 2 })
  .sink('out')
  .connect('numbers', 'double')
  .connect('double', 'out')

export const failing = dataflow('failing', import.meta.url)
  .source('numbers', { produce: fewNumbers, chunk: 1 })
  .transform('odd', {
    map: (n: number) => {
      if (n % 1_000 === 3) throw new Error(`not ${n}`)
      return n
    },
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'odd')
  .connect('odd', 'out')
  .connect('odd', 'dead', { pathType: 'dead_letter' })

export const mixed = dataflow('mixed', import.meta.url)
  .source('numbers', { produce: numbers })
  .transform('even', { filter: (n: number) => n % 2 === 0 })
  .transform('twice', { flatMap: (n: number) => [n, n + 1] })
  .transform('pairs', { batch: { size: 100, timeoutMs: 20 }, mapBatch: (batch: number[]) => [batch.length] })
  .sink('out')
  .connect('numbers', 'even')
  .connect('even', 'twice')
  .connect('twice', 'pairs')
  .connect('pairs', 'out')

/** Goes on until it is stopped. */
export const stream = dataflow('stream', import.meta.url)
  .source('numbers', { poll: (demand) => Array.from({ length: Math.min(demand, 10) }, (_, i) => i), rateLimit: 5_000 })
  .transform('double', { map: (n: number) => n * 2 })
  .sink('end', { write: () => undefined })
  .connect('numbers', 'double')
  .connect('double', 'end')

/** Half of its predicate's calls throw. */
export const throwing = dataflow('throwing', import.meta.url)
  .source('numbers', {
    produce: numbers,
    chunk: 1,
    trace: (n) => {
      if (n % 2 === 1) throw new Error(`no word of ${n}`)
      return n % 1_000 === 0
    },
  })
  .sink('out')
  .connect('numbers', 'out')

/** Two records end their worker whenever they are taken up, until they are given up. */
export const deadly = dataflow('deadly', import.meta.url)
  .source('numbers', { produce: numbers })
  .transform('twice', { flatMap: (n: number) => [n, n] })
  .transform('odd', {
    concurrency: 2,
    restart: { maxRestarts: 100, backoffMs: 1 },
    maxCrashes: 2,
    map: (n: number) => {
      if (n === 7_777) process.exit(1)
      return n
    },
  })
  .sink('out')
  .sink('dead')
  .connect('numbers', 'twice')
  .connect('twice', 'odd')
  .connect('odd', 'out')
  .connect('odd', 'dead', { pathType: 'dead_letter' })

/** The same in batches, and with calls that overlap. */
export const deadlyBatches = dataflow('deadlyBatches', import.meta.url)
  .source('numbers', { produce: numbers })
  .transform('sum', {
    restart: { maxRestarts: 100, backoffMs: 1 },
    maxCrashes: 2,
    batch: { size: 100, timeoutMs: 20 },
    mapBatch: (batch: number[]) => {
      if (batch.includes(7_777)) process.exit(1)
      return batch
    },
  })
  .sink('out')
  .connect('numbers', 'sum')
  .connect('sum', 'out')

export const deadlyCalls = dataflow('deadlyCalls', import.meta.url)
  .source('numbers', { produce: numbers })
  .transform('later', {
    restart: { maxRestarts: 100, backoffMs: 1 },
    maxCrashes: 2,
    maxInFlight: 8,
    map: async (n: number) => {
      await Promise.resolve()
      if (n === 7_777) process.exit(1)
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'later')
  .connect('later', 'out')
