import { expect, test } from 'vitest'
import { run } from 'millrace'
import { first as graph } from '../src/graphs.ts'

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
