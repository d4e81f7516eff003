/** A module that runs its own graph wherever it is loaded. */
import { dataflow, run } from 'millrace'

export const graph = dataflow('runs', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .sink('none', { write: () => undefined })
  .connect('numbers', 'none')

export const pipeline = await run(graph)
