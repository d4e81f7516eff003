import { expect, test } from 'vitest'
import { dataflow, run } from 'millrace'

const graph = dataflow<{ readonly more: number }>('inline', import.meta.url)
  .source('numbers', { produce: () => [0, 1, 2] })
  .transform('square', { concurrency: 2, map: (n: number, { params }) => n * n + params.more })
  .sink('out')
  .connect('numbers', 'square')
  .connect('square', 'out')

async function squares(): Promise<unknown> {
  const pipeline = await run(graph, { params: { more: 0 } })
  const records: number[] = []
  for await (const record of pipeline.output('out')) records.push(record as number)
  await pipeline.finished
  return records.sort((a, b) => a - b)
}

test('squares', async () => {
  expect(await squares()).toEqual([0, 1, 4])
})
