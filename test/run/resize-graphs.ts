/** Stages that get other numbers of workers while they run. */
import { existsSync, writeFileSync } from 'node:fs'
import { type SetupContext, dataflow } from 'millrace/graph'

export interface Numbered {
  readonly key: number
  readonly n: number
}
const KEYS = 100
export const RECORDS = 20_000

function* numbered(count: number): Generator<Numbered> {
  for (let n = 0; n < count; n++) yield { key: n % KEYS, n }
}

/** By key, in order; the handler fails, is retried and is slow now and then. */
export const byKey = dataflow('by-key', import.meta.url)
  .source('in', { produce: () => numbered(RECORDS), window: 4_000 })
  .transform('work', {
    partitionBy: ({ key }: Numbered) => key,
    ordered: true,
    maxInFlight: 16,
    retry: { maxAttempts: 3, baseMs: 1, maxMs: 2 },
    concurrency: 2,
    maxConcurrency: 4,
    map: async (record: Numbered, { worker, attempt }) => {
      if (record.n % 997 === 0 && attempt === 1) throw new Error('once more')
      if (record.n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      return { ...record, worker }
    },
    restart: { maxRestarts: 1_000 },
  })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')

/** Any worker takes any record; records come for as long as the test pushes them. */
export const byDemand = dataflow('by-demand', import.meta.url)
  .source('in', { push: true })
  .transform('work', { map: (n: number, { worker }) => ({ n, worker }), maxConcurrency: 3 })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')

/** Batches by key that would wait for a day. */
export const batches = dataflow('batches', import.meta.url)
  .source('in', { push: true })
  .transform('work', {
    partitionBy: (n: number) => n,
    batch: { size: 1_000, timeoutMs: 86_400_000, by: (n: number) => n },
    mapBatch: (numbers: number[]) => numbers,
    maxConcurrency: 4,
  })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')

/** Only the first worker of a stage can be set up, as long as the file is not there. */
export const halfReady = (file: string) =>
  dataflow('half-ready', import.meta.url)
    .source('in', { push: true })
    .transform('work', {
      setup: ({ worker }: SetupContext) => {
        if (worker > 0 && !existsSync(file)) throw new Error(`worker ${worker} cannot`)
      },
      teardown: (_: unknown, { worker }: SetupContext) => writeFileSync(`${file}.${worker}`, 'left'),
      map: (n: number, { worker }) => ({ n, worker }),
      maxConcurrency: 2,
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
