/** Graph and `run` in one file, and nothing exported. */
import { threadId } from 'node:worker_threads'
import { dataflow, run } from 'millrace'

const { COUNT = '3' } = process.env

const graph = dataflow('one-file', import.meta.url)
  .source('numbers', { produce: () => Array.from({ length: Number(COUNT) }, (_, i) => i) })
  .transform('double', { map: (n: number) => ({ n: 2 * n, thread: threadId }) })
  .sink('out')
  .connect('numbers', 'double')
  .connect('double', 'out')

const pipeline = await run(graph)
for await (const record of pipeline.output('out')) console.warn(JSON.stringify(record))
console.warn(JSON.stringify({ acked: (await pipeline.finished).acked, thread: threadId }))
