/** Graphs of the tests of tracing. Workers import this module. */
import { dataflow } from 'millrace'

export const COUNT = 20_000

function* numbers(): Generator<number> {
  for (let i = 0; i < COUNT; i++) yield i
}

/** One record in each granule, so that a trace is the way of one record. */
export const single = dataflow('single', import.meta.url)
  .source('numbers', { produce: numbers, granule: 1 })
  .transform('double', { concurrency: 2, map: (n: number) => n * 2 })
  .sink('out')
  .connect('numbers', 'double')
  .connect('double', 'out')

export const chosen = dataflow('chosen', import.meta.url)
  .source('numbers', { produce: numbers, granule: 1, trace: (n) => n % 1_000 === 7 })
  .transform('double', { map: (n: number) => n * 2 })
  .sink('out')
  .connect('numbers', 'double')
  .connect('double', 'out')

export const failing = dataflow('failing', import.meta.url)
  .source('numbers', { produce: numbers, granule: 1 })
  .transform('odd', {
    map: (n: number) => {
      if (n % 5_000 === 3) throw new Error(`not ${n}`)
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
