/** What users of a pipeline may do to it: each call has an outcome, and none hangs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RunOptions, run } from 'millrace'
import * as graphs from './graphs.js'
import { assertConserved } from './harness.js'

test('records that are asked for at once come in turn, and none is lost', { timeout: 30_000 }, async () => {
  const pipeline = await run(graphs.pushed)
  const out = pipeline.output('out')
  const asked = Promise.all([out.next(), out.next(), out.next()])
  for (const n of [1, 2, 3]) await pipeline.push('in', n)
  assert.deepEqual(
    (await asked).map(({ value }) => value as unknown),
    [1, 4, 9],
  )
  // The last record is in the reader's hands until it asks for another one, or leaves.
  await out.return!()
  assert.equal((await pipeline.drain()).acked, 3)
  assertConserved(pipeline)
})

test(
  'a reader that leaves while it waits comes to its end, and another one reads on',
  { timeout: 30_000 },
  async () => {
    const pipeline = await run(graphs.pushed)
    const [left, other] = [pipeline.output('out'), pipeline.output('out')]
    const waiting = left.next()
    const reading = other.next()
    await left.return!()
    assert.deepEqual(await waiting, { done: true, value: undefined })
    assert.deepEqual(await left.next(), { done: true, value: undefined })
    await pipeline.push('in', 3)
    assert.deepEqual(await reading, { done: false, value: 9 })
    await other.return!()
    assert.equal((await pipeline.drain()).acked, 1)
  },
)

test('pushes without number wait for credit, and all are taken back at once', { timeout: 30_000 }, async () => {
  const pipeline = await run(graphs.pushed, { maxDemand: 1 })
  const controller = new AbortController()
  const { signal } = controller
  const pushes = Array.from({ length: 30_000 }, (_, n) => pipeline.push('in', n, { signal }))
  const settled = Promise.allSettled(pushes)
  await pushes[0]
  controller.abort(new Error('enough'))
  const taken = (await settled).filter(({ status }) => status === 'fulfilled').length
  assert.ok(taken > 0 && taken < 30_000, `${taken} taken`)
  const { acked, abandoned } = await pipeline.stop()
  assert.equal(acked + abandoned, taken)
})

test('options that are no object, and figures that are none, are refused', async () => {
  for (const options of [null, 5, 'text', []]) {
    await assert.rejects(run(graphs.pushed, options as unknown as RunOptions), { code: 'OPTIONS_INVALID' })
  }
  const pipeline = await run(graphs.pushed)
  for (const deadlineMs of [-1, NaN, Infinity, null, 'soon']) {
    await assert.rejects(pipeline.drain({ deadlineMs } as never), { code: 'OPTIONS_INVALID' })
    await assert.rejects(pipeline.stop({ deadlineMs } as never), { code: 'OPTIONS_INVALID' })
  }
  for (const rate of [0, -1, NaN, null, 'fast']) {
    assert.throws(() => pipeline.setRateLimit('in', rate as number), { code: 'OPTIONS_INVALID' })
  }
  await assert.rejects(pipeline.inject('square', 1), { code: 'INJECT_OFF' })
  assert.equal(pipeline.state, 'running')
  await pipeline.drain()
})

test(
  'a record that is far larger than its lane arrives whole in the embedding thread',
  { timeout: 60_000 },
  async () => {
    const pipeline = await run(graphs.texts, { laneBytes: 1_024 })
    const text = 'x'.repeat(1_000_000)
    assert.equal(await pipeline.call('in', text), text)
    await pipeline.drain()
  },
)
