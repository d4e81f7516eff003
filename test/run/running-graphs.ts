/** Pipelines that stay until they are ended. */
import { dataflow } from 'millrace/graph'

export const waits = dataflow('waits', import.meta.url)
  .source('in', { push: true })
  .transform('work', { map: async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)) })
  .sink('out', { write: () => undefined })
  .connect('in', 'work')
  .connect('work', 'out')

/** Its handler fails twice; what a run says for all stages makes it pass or not. */
export const fails = dataflow('fails', import.meta.url)
  .source('in', { produce: () => [1] })
  .transform('work', {
    map: (n: number, { attempt, workers }) => {
      if (attempt < 3) throw new RangeError('once more')
      return { n, workers }
    },
  })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')
