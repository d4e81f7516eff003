import { availableParallelism } from 'node:os'
import { dataflow } from 'millrace'

/** The shape of the `pipeline` suite: source, two workers, a batching sink; about 20 µs of work. */
export const line = dataflow('line', import.meta.url)
  .source('numbers', {
    produce: function* () {
      for (let i = 0; ; i++) yield { id: i, name: 'sensor', value: i / 3, on: i % 2 === 0 }
    },
  })
  .transform('work', {
    concurrency: Math.min(2, availableParallelism()),
    map: (record: { id: number; value: number }) => {
      let sum = record.value
      for (let i = 0; i < 4_000; i++) sum += Math.sqrt(i + sum)
      return { id: record.id, sum }
    },
  })
  .sink('store', { batch: { size: 100, timeoutMs: 50 }, write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'store')

/** Fifty stages in ten lines of five, rehearsed: for the cost of one answer, not of the work. */
const stages = Array.from({ length: 10 }, (_, line) => Array.from({ length: 5 }, (_, stage) => `s${line}-${stage}`))
export const fifty = {
  name: 'fifty',
  nodes: stages.flatMap((ids) =>
    ids.map((id, i) => ({
      id,
      kind: i === 0 ? ('source' as const) : i === 4 ? ('sink' as const) : ('transform' as const),
      ...(i === 0 ? { rate: 50 } : { latencyMs: 0.1 }),
    })),
  ),
  edges: stages.flatMap((ids) => ids.slice(1).map((to, i) => ({ from: ids[i]!, to }))),
  clusters: [],
}
