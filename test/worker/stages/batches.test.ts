import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { Line } from '../line.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

async function lineOf(mapBatch: (records: number[]) => number[] | Promise<number[]>, options: object = {}) {
  const graph = dataflow('batches', import.meta.url)
    .source('in', { chunk: 3, produce: () => upTo(7) })
    .transform('work', { batch: { size: 5, timeoutMs: 3_600_000 }, mapBatch, ...options })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  return await Line.of(graph)
}

test('a batch is made of whole and of parts of chunks, and all of it is given back once it is sent', async () => {
  const batches: number[][] = []
  const line = await lineOf((records) => {
    batches.push([...records])
    return [records.length]
  })
  line.settle()
  assert.deepEqual(batches, [upTo(5), [5, 6]])
  assert.deepEqual(line.out, [5, 2])
  const { in: taken, done, inFlight } = line.counts('work')
  assert.deepEqual([taken, done, inFlight], [7, 7, 0])
})

test('a successor makes the same batch that its predecessor died with, though more has come since', async () => {
  const batches: number[][] = []
  const line = await lineOf((records) => {
    batches.push([...records])
    return batches.length === 1 ? new Promise<number[]>(() => undefined) : records
  })
  line.settle()
  assert.deepEqual(batches, [upTo(5)])
  line.kill('work')
  await line.settleUntil(() => line.out.length === 7)
  assert.deepEqual(batches[1], upTo(5))
  assert.deepEqual(line.out, upTo(7))
})

test('a batch that fails waits for its next attempt as it is', async () => {
  const batches: number[][] = []
  const line = await lineOf(
    (records) => {
      batches.push([...records])
      if (batches.length === 1) throw new Error('once')
      return records
    },
    { retry: { maxAttempts: 2, baseMs: 1, jitter: 0 } },
  )
  await line.settleUntil(() => line.out.length === 7)
  assert.equal(batches.filter((batch) => batch.join() === upTo(5).join()).length, 2)
  assert.equal(line.counts('work')['retried'], 5)
})

test('a batch that has killed twice goes one record at a time', async () => {
  const batches: number[][] = []
  const line = await lineOf(
    (records) => {
      batches.push([...records])
      return records.length > 1 && records.includes(0) ? new Promise<number[]>(() => undefined) : records
    },
    { maxCrashes: 2 },
  )
  for (let deaths = 0; deaths < 2; deaths++) {
    line.settle()
    line.kill('work')
  }
  await line.settleUntil(() => line.out.length === 7)
  assert.deepEqual(
    batches.slice(2, 7),
    upTo(5).map((n) => [n]),
  )
  assert.deepEqual(line.out, upTo(7))
})
