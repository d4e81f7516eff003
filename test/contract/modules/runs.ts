/** A module that runs another graph while a worker loads it. */
import { isMainThread } from 'node:worker_threads'
import { dataflow, run } from 'millrace'

export const runsItself = dataflow('runsItself', import.meta.url)
  .source('one', { produce: () => [1] })
  .sink('out', { write: () => undefined })
  .connect('one', 'out')

if (!isMainThread) await run({ ...runsItself, name: 'another' })
