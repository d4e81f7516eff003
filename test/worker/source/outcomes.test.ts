import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow, mark } from 'millrace'
import { ChunkSize, Pacing } from '#src/worker/source/pacing.js'
import { Line } from '../line.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

async function lineOf(ack: (done: unknown[], failed: unknown[]) => void, write: (n: number) => void) {
  const graph = dataflow('outcomes', import.meta.url)
    .source('in', {
      produce: () => upTo(6).map((n) => mark(n, { receipt: `r${n}` })),
      ack,
    } as never)
    .sink('out', { write } as never)
    .connect('in', 'out')
  return await Line.of(graph)
}

test('`ack` learns of each record once, and apart of those that failed', async () => {
  const [done, failed]: unknown[][] = [[], []]
  const line = await lineOf(
    (well, ill) => {
      done!.push(...well)
      failed!.push(...ill)
    },
    (n) => {
      if (n === 2) throw new Error('two')
    },
  )
  await line.settleUntil(() => done!.length + failed!.length === 6)
  assert.deepEqual(failed, ['r2'])
  assert.deepEqual(
    new Set(done),
    new Set(
      upTo(6)
        .filter((n) => n !== 2)
        .map((n) => `r${n}`),
    ),
  )
  assert.equal(done!.length, 5)
})

test('a successor tells what its predecessor had not told', async () => {
  let isUp = false
  const told: unknown[] = []
  const line = await lineOf(
    (well) => {
      if (!isUp) throw new Error('down')
      told.push(...well)
    },
    () => undefined,
  )
  line.settle()
  await line.settleUntil(() => line.counts('out')['done'] === 6)
  isUp = true
  line.kill('in')
  await line.settleUntil(() => told.length >= 6)
  assert.deepEqual(new Set(told), new Set(upTo(6).map((n) => `r${n}`)))
})

test('a successor goes on at the watermark of its predecessor, over what had ended behind open records', async () => {
  const release = new Map<number, () => void>()
  const watermarks: unknown[] = []
  /** Whoever crashes before its hand-off tells once more. */
  const acked = new Set<number>()
  const graph = dataflow('watermark', import.meta.url)
    .source('in', {
      *produce({ cursor = -1 }: { cursor?: number }) {
        for (let n = cursor + 1; n < 6; n++) yield mark(n, { cursor: n })
      },
      ack: (done: number[], _failed: number[], { watermark }: { watermark: unknown }) => {
        for (const n of done) acked.add(n)
        watermarks.push(watermark)
      },
    } as never)
    .sink('out', {
      maxInFlight: 6,
      write: async (n: number) => {
        if (n === 1 || n === 5) await new Promise<void>((resolve) => release.set(n, resolve))
      },
    } as never)
    .connect('in', 'out')
  const line = await Line.of(graph)
  await line.settleUntil(() => acked.size === 4)
  assert.equal(watermarks.at(-1), 0)
  line.kill('in')
  await line.settleUntil(() => release.size === 2)
  release.get(1)!()
  await line.settleUntil(() => acked.size === 5)
  assert.equal(watermarks.at(-1), 4)
  line.kill('in')
  release.get(5)!()
  await line.settleUntil(() => acked.size === 6)
  assert.equal(watermarks.at(-1), 5)
})

test('a bucket lets its rate through, and no more of it at once than a few milliseconds hold', () => {
  const pacing = new Pacing(1_000, 0)
  assert.equal(pacing.allowed(0), 1)
  pacing.take(1)
  assert.equal(pacing.allowed(0.5), 0)
  assert.ok(Math.abs(pacing.nextAt - 1) < 1e-9)
  assert.equal(pacing.allowed(5_000), 10)
  assert.equal(new Pacing(0, 0).allowed(0), Infinity)
})

test('chunks grow at once to what ends in a millisecond, and shrink by half', () => {
  const size = new ChunkSize(512, 0)
  assert.equal(size.records, 1)
  size.ended(1_000, 10)
  assert.equal(size.records, 100)
  size.ended(1, 20)
  assert.equal(size.records, 50)
})
