/** A small pipeline. Prints what its process could have, and what came of it. */
import { dataflow, logEvents, run } from 'millrace'

const graph = dataflow('small', import.meta.url)
  .source('numbers', { produce: () => Array.from({ length: 10_000 }, (_, n) => n) })
  .transform('left', { concurrency: 2, map: (n: number) => n + 1 })
  .transform('right', { concurrency: 2, map: (n: number) => n * 2 })
  .sink('out', { write: () => undefined })
  .connect('numbers', 'left')
  .connect('left', 'right')
  .connect('right', 'out')

let limits: object = {}
const ignore = (): void => undefined
const info = (fields: object, text: string): void => {
  if (text === 'pipeline.limits') limits = fields
}
const pipeline = await run(graph)
logEvents(pipeline, { debug: ignore, info, warn: ignore, error: ignore })
const { acked } = await pipeline.finished
process.stdout.write(JSON.stringify({ limits, acked }))
