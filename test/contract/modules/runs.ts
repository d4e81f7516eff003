/** A module that runs another graph while a worker loads it, before its own is made. */
import { isMainThread } from 'node:worker_threads'
import { dataflow, run } from 'millrace'

const graph = (name: string) =>
  dataflow(name, import.meta.url)
    .source('one', { produce: () => [1] })
    .sink('out', { write: () => undefined })
    .connect('one', 'out')

if (!isMainThread) await run(graph('another'))

export const runsItself = graph('runsItself')
