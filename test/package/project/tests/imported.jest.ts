import { expect, test } from '@jest/globals'
import { run } from 'millrace'
import { inline } from 'millrace/test'
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

test('squares, on this thread', async () => {
  const { outputs } = await inline(graph, { params: { more: 1 }, crashAt: 3 })
  expect([...(outputs['out'] as number[])].sort((a, b) => a - b)).toEqual([1, 2, 5])
})
