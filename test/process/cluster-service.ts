/** Two processes of `node:cluster`, each with a pipeline of its own. Prints the sum that each of them came to. */
import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import { dataflow, run } from 'millrace'

const graph = dataflow('squares', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3] })
  .transform('square', { concurrency: 2, map: (n: number) => n * n })
  .sink('out')
  .connect('numbers', 'square')
  .connect('square', 'out')

// Worker threads take themselves for the primary process.
if (cluster.isPrimary && isMainThread) {
  for (const _ of [1, 2]) cluster.fork().on('message', (sum) => console.warn(`sum ${sum}`))
} else {
  const pipeline = await run(graph)
  let sum = 0
  for await (const n of pipeline.output('out')) sum += n as number
  process.send!(sum, () => process.disconnect())
}
