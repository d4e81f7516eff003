/** Stages where each key has a rate limit. */
import { dataflow } from 'millrace/graph'

const tenant = (n: number): number => n % 10

/** Nearly nothing goes through, until the limit is changed. */
export const slow = dataflow('slow', import.meta.url)
  .source('in', { produce: () => Array.from({ length: 1_000 }, (_, n) => n) })
  .transform('work', {
    concurrency: 2,
    partitionBy: tenant,
    rateLimit: { perSecond: 0.001, by: tenant },
    map: (n: number) => n,
  })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')

export interface Times {
  /** One for each key, and the records that it has had. */
  readonly counts: Int32Array
}

const timed = (workers: number) =>
  dataflow<Times>(`timed-${workers}`, import.meta.url)
    .source('in', {
      produce: function* () {
        for (let n = 0; ; n++) yield n
      },
    })
    .sink('work', {
      concurrency: workers,
      partitionBy: tenant,
      rateLimit: { perSecond: 50, by: tenant },
      write: (n: number, { params }) => void Atomics.add(params.counts, tenant(n), 1),
    })
    .connect('in', 'work')

export const timedByOne = timed(1)
export const timedByTwo = timed(2)
