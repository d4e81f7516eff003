import { isMainThread } from 'node:worker_threads'
import { dataflow } from 'millrace'

/** In a worker it is another graph than in the thread that runs it. */
export const otherInWorkers = dataflow('otherInWorkers', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'out', { codec: isMainThread ? 'shape' : { struct: 'f64' } })

/** In a worker its sink has no key. */
export const keyless = dataflow('keyless', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .sink('out', {
    concurrency: 2,
    restart: { maxRestarts: 0 },
    ...(isMainThread ? { partitionBy: (n: number) => n } : {}),
    write: () => undefined,
  })
  .connect('numbers', 'out')
