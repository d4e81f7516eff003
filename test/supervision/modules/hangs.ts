/** A module that a worker never comes out of. */
import { isMainThread } from 'node:worker_threads'
import { dataflow } from 'millrace/graph'
import { HANGING, note } from '../slow-starts.js'

export const graph = dataflow('hangs', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .sink('none', { write: () => undefined })
  .connect('numbers', 'none')

if (!isMainThread) {
  note(HANGING)
  // oxlint-disable-next-line no-empty
  for (;;) {}
}
