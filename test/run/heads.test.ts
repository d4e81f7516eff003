/** Meta and expiry: what a source says of a record holds for all that comes of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Failure, type Pipeline, mark, run } from 'millrace'
import { type Dead, type Item, batching, headless, seeing } from './heads-graphs.js'

async function outputsOf<T>(pipeline: Pipeline, node: string): Promise<T[]> {
  const found: T[] = []
  for await (const record of pipeline.output(node)) found.push(record as T)
  return found
}

test('all that comes of a record has its meta: after a crash, in a batch, in fused nodes, and in a failure', async () => {
  const pipeline = await run(seeing)
  const out = outputsOf<Item>(pipeline, 'out')
  const dead = outputsOf<Dead>(pipeline, 'dead')
  await pipeline.push('in', { n: 0 }, { meta: { tenant: 'a' } })
  await pipeline.push('in', { n: 1, kills: true }, { meta: ['b'] })
  await pipeline.push('in', { n: 2 })
  await pipeline.push('in', mark({ n: 3 }, { meta: 'c' }), { expiresAt: Date.now() + 3_600_000 })
  await pipeline.push('in', { n: 4, fails: true }, { meta: 'd' })
  await pipeline.push('in', { n: 5, fails: true })
  await pipeline.drain()
  const seen = (await out).map(({ n, seen: metas }) => [n, ...metas!]).sort(([a], [b]) => Number(a) - Number(b))
  assert.deepEqual(seen, [
    [0, { tenant: 'a' }, { tenant: 'a' }, { tenant: 'a' }],
    [1, ['b'], ['b'], ['b']],
    [2, 'none', 'none', 'none'],
    [3, 'c', 'c', 'c'],
  ])
  assert.deepEqual(
    (await dead)
      .map(({ n, inFailure, inContext }) => [n, inFailure, inContext])
      .sort(([a], [b]) => Number(a) - Number(b)),
    [
      [4, 'd', 'd'],
      [5, undefined, undefined],
    ],
  )
})

test('no handler is called with a record that has expired, but those that failures come to', async () => {
  const pipeline = await run(seeing)
  const out = outputsOf<Item>(pipeline, 'out')
  const dead = outputsOf<Dead>(pipeline, 'dead')
  const late = await pipeline.push('in', { n: 0, kills: true }, { expiresAt: Date.now() - 1, meta: 'late' })
  await pipeline.push('in', { n: 1 }, { expiresAt: Date.now() + 3_600_000 })
  await late.done
  await pipeline.drain()
  assert.deepEqual(
    (await out).map(({ n }) => n),
    [1],
  )
  assert.deepEqual(await dead, [{ n: 0, code: 'RECORD_EXPIRED', inFailure: 'late', inContext: 'late' }])
  const { expired, deadLettered, done } = pipeline.snapshot().nodes['name']!
  assert.deepEqual({ expired, deadLettered, done }, { expired: 1, deadLettered: 1, done: 1 })
})

test('a batch is called without those that have expired, which fail by themselves', async () => {
  const pipeline = await run(batching)
  const out = outputsOf<string>(pipeline, 'out')
  const dead = outputsOf<Failure<number>>(pipeline, 'dead')
  const past = { expiresAt: Date.now() - 1 }
  for (const [n, marks] of [past, {}, past, {}].entries()) await pipeline.push('in', n, marks)
  for (let n = 4; n < 8; n++) await pipeline.push('in', n, past)
  await pipeline.drain()
  assert.deepEqual(await out, ['3 of 1,3'])
  const failures = (await dead).map(({ input, error }) => `${input} ${error.code ?? error.message}`)
  const expired = [0, 2, 4, 5, 6, 7].map((n) => `${n} RECORD_EXPIRED`)
  assert.deepEqual(failures.sort(), [...expired, '1 the first of 2'].sort())
  assert.equal(pipeline.snapshot().nodes['each']!.expired, 6)
})

test('a record that cannot have its head takes the dead-letter edge of its source; the others go on', async () => {
  const pipeline = await run(headless)
  const out = outputsOf<number>(pipeline, 'out')
  const dead = outputsOf<Failure<number>>(pipeline, 'dead')
  await pipeline.push('in', 0, { meta: 'a' })
  await pipeline.push('in', 1)
  await pipeline.push('in', 2, { expiresAt: Date.now() })
  await pipeline.drain()
  assert.deepEqual(await out, [1])
  assert.deepEqual(
    (await dead).map(({ input, error }) => [input, error.code]),
    [
      [0, 'META_INVALID'],
      [2, 'META_INVALID'],
    ],
  )
})

test('what is said of a record outlives the process with it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-heads-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const first = await run(batching, { durable: { dir } })
  await first.push('in', 0, { expiresAt: Date.now() - 1 })
  await first.push('in', 1)
  await first.stop()
  const second = await run(batching, { durable: { dir } })
  assert.equal(second.snapshot().journal!.restored, 2)
  const dead = outputsOf<Failure<number>>(second, 'dead')
  await second.drain()
  assert.deepEqual((await dead).map(({ input, error }) => `${input} ${error.code ?? error.message}`).sort(), [
    '0 RECORD_EXPIRED',
    '1 the first of 1',
  ])
})
