/** Graphs whose records lie still for a while, on purpose or not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace/graph'

const source = (name: string) => dataflow(name, import.meta.url).source<'in', number>('in', { push: true })

const BATCH = { size: 10, timeoutMs: 1_000 }

export const batch = source('batch')
  .sink('work', { batch: BATCH, write: () => undefined })
  .connect('in', 'work')

export const keyed = source('keyed')
  .sink('work', { batch: { ...BATCH, by: (n) => n }, write: () => undefined })
  .connect('in', 'work')

export const retry = source('retry')
  .sink('work', {
    retry: { maxAttempts: 2, baseMs: 1_000, jitter: 0 },
    write: (_, { attempt }) => {
      if (attempt === 1) throw new Error('once more')
    },
  })
  .connect('in', 'work')

export const stands = source('stands')
  .sink('work', { write: (_, { signal }) => sleep(3_600_000, undefined, { signal }) })
  .connect('in', 'work')
