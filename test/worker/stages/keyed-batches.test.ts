import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow } from 'millrace'
import { Line } from '../line.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

async function lineOf(by: (n: number) => number, batches: number[][], isOver = true) {
  const chunks = [upTo(8)]
  const source = isOver ? { produce: () => upTo(8) } : { poll: (): number[] => chunks.shift() ?? [], pollMs: 0 }
  const graph = dataflow('keyed', import.meta.url)
    .source('in', { chunk: 3, ...source } as never)
    .transform('work', {
      batch: { size: 3, timeoutMs: 3_600_000, by },
      mapBatch: (records: number[]) => {
        batches.push([...records])
        return records
      },
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  return await Line.of(graph)
}

test('a batch holds records of one key', async () => {
  const batches: number[][] = []
  const line = await lineOf((n) => n % 2, batches)
  line.settle()
  assert.deepEqual(batches, [[0, 2, 4], [1, 3, 5], [6], [7]])
  assert.equal(line.counts('work')['done'], 8)
  assert.ok(line.parts('work').pending.stash.isEmpty)
})

test('open batches lie in the stash, where a successor finds their records and gathers them again', async () => {
  const batches: number[][] = []
  const line = await lineOf((n) => n, batches, false)
  line.settle()
  assert.deepEqual(batches, [])
  assert.equal(line.parts('work').pending.stash.open().length, 8)
  line.kill('work')
  line.settle()
  assert.deepEqual(batches, [])
  line.drain()
  line.settle()
  assert.deepEqual(
    batches,
    upTo(8).map((n) => [n]),
  )
  assert.deepEqual(line.out, upTo(8))
})

test('a record without a key is given up, and holds up no other', async () => {
  const batches: number[][] = []
  const line = await lineOf((n) => (n === 3 ? Number.NaN : 0), batches)
  line.settle()
  assert.deepEqual([line.out.length, new Set(line.out)], [7, new Set([0, 1, 2, 4, 5, 6, 7])])
  assert.equal(line.counts('work')['failed'], 1)
  assert.deepEqual(
    line.events.map(({ error, input }) => [error.code, input]),
    [['KEY_INVALID', 3]],
  )
})
