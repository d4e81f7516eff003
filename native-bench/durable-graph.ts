/** The graph that the suite `durable` runs. */
import { dataflow } from 'millrace'

function nothing(): void {
  // What a queue costs, not what is done with it.
}

/** Records that are pushed in, and a sink that has them. */
export const pushed = dataflow('pushed', import.meta.url)
  .source('in', { push: true })
  .sink('out', { write: nothing })
  .connect('in', 'out')
