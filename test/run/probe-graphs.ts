/** Pipelines of stages that wait for so long with each record, and burn nothing. */
import { dataflow } from 'millrace/graph'

const CLOCK = new Int32Array(new SharedArrayBuffer(4))

function resting(ms: number): (n: number) => number {
  return (n) => {
    Atomics.wait(CLOCK, 0, 0, ms)
    return n
  }
}

function* numbers(): Generator<number> {
  for (let n = 0; ; n++) yield n
}

/** `slow` limits, and `quick` has two thirds of its time left. */
export const row = dataflow('row', import.meta.url)
  .source('in', { produce: numbers, window: 1_000 })
  .transform('quick', { map: resting(3) })
  .transform('slow', { map: resting(10), maxConcurrency: 3 })
  .sink('out', { write: () => undefined })
  .connect('in', 'quick', { maxDemand: 64 })
  .connect('quick', 'slow', { maxDemand: 64 })
  .connect('slow', 'out')

/** Nothing limits it. */
export const idle = dataflow('idle', import.meta.url)
  .source('in', { poll: () => [1], pollSize: 1, rateLimit: 20 })
  .sink('out', { write: () => undefined })
  .connect('in', 'out')
