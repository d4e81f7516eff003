/** Graphs whose batches wait for an hour, if nobody flushes. */
import { type Context, dataflow, mark } from 'millrace'

const here = import.meta.url
const hour = { size: 100_000, timeoutMs: 3_600_000 }
const same = (records: number[]): number[] => records

export const slow = dataflow('slow', here)
  .source('in', { push: true })
  .source('other', { push: true })
  .transform('first', { concurrency: 2, batch: hour, mapBatch: same })
  .transform('second', {
    batch: { ...hour, by: (n: number) => n % 3 },
    maxInFlight: 4,
    retry: { maxAttempts: 2, baseMs: 1 },
    mapEach: async (records: number[], { attempt }: Context) => {
      if (attempt === 1 && records.includes(1)) throw new Error('once more')
      return records
    },
  })
  .transform('loop', {
    retry: { maxAttempts: 3, baseMs: 1 },
    map: (n: number, { attempt }: Context) => {
      if (attempt < 3 && n % 10 === 0) throw new Error('round again')
      return n
    },
  })
  .sink('save', { batch: hour, write: () => undefined })
  .connect('in', 'first')
  .connect('other', 'first')
  .connect('first', 'second')
  .connect('second', 'loop')
  .connect('loop', 'loop', { pathType: 'retry' })
  .connect('loop', 'save')

/** Every hundredth record flushes. */
export const marked = dataflow('marked', here)
  .source('in', { produce: () => Array.from({ length: 1_000 }, (_, n) => mark(n, { flush: n % 100 === 99 })) })
  .transform('work', { batch: { ...hour, by: () => 'all' }, mapBatch: (records: number[]) => [records.length] })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')
