import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { Line } from '../line.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

async function lineOf(map: (n: number, context: { attempt: number }) => number, options: object = {}, count = 8) {
  const graph = dataflow('records', import.meta.url)
    .source('in', { chunk: 4, produce: () => upTo(count) })
    .transform('work', { map, ...options })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  return await Line.of(graph)
}

const sorted = (records: readonly unknown[]): number[] => [...(records as number[])].sort((a, b) => a - b)

test('records come out once each, in their order, and the books are even', async () => {
  const line = await lineOf((n) => n * 2)
  line.settle()
  assert.deepEqual(
    line.out,
    upTo(8).map((n) => n * 2),
  )
  const { in: taken, done, inFlight } = line.counts('work')
  assert.deepEqual([taken, done, inFlight], [8, 8, 0])
})

test('a record that fails is given up by itself: those beside it in its chunk go on', async () => {
  const line = await lineOf((n) => {
    if (n === 2) throw new Error('two')
    return n
  })
  line.settle()
  assert.deepEqual(line.out, [0, 1, 3, 4, 5, 6, 7])
  assert.equal(line.counts('work')['failed'], 1)
  assert.deepEqual(
    line.events.map(({ name, input }) => [name, input]),
    [['record.failed', 2]],
  )
})

test('a record that waits for its next attempt lies in the stash meanwhile, and the others are handed on', async () => {
  const line = await lineOf(
    (n, { attempt }) => {
      if (n === 2 && attempt === 1) throw new Error('once')
      return n
    },
    { retry: { maxAttempts: 2, baseMs: 20, jitter: 0 } },
  )
  line.settle('in', 'work')
  assert.ok(!line.parts('work').pending.stash.isEmpty || line.counts('work')['done'] === 8)
  await line.settleUntil(() => line.out.length === 8)
  assert.deepEqual(sorted(line.out), upTo(8))
  assert.equal(line.counts('work')['retried'], 1)
  assert.ok(line.parts('work').pending.stash.isEmpty)
})

test('what was called and not handed off when the worker died is called again, and comes out once', async () => {
  const calls: number[] = []
  const line = await lineOf((n) => {
    calls.push(n)
    return n
  })
  line.settle('in')
  line.step('work')
  line.kill('work')
  line.settle()
  assert.deepEqual(line.out, upTo(8))
  assert.equal(calls.filter((n) => n === 0).length, 2)
})

test('where the lane below takes some of what came of a chunk, that much is handed off; a death then doubles nothing', async () => {
  const graph = dataflow('part', import.meta.url)
    .source('in', { chunk: 4, produce: () => upTo(4) })
    .transform('work', { flatMap: (n: number) => upTo(8).map((i) => n * 8 + i) })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out', { maxDemand: 8, minDemand: 0 })
  const line = await Line.of(graph, { maxDemand: 8, minDemand: 0 })
  line.settle('in', 'work')
  line.kill('work')
  line.settle()
  assert.deepEqual(line.out, upTo(32))
})
