import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Pipeline, run } from 'millrace'
import { collect } from '../run/harness.js'
import * as graphs from './flush-graphs.js'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const inFlight = (pipeline: Pipeline): number[] =>
  Object.values(pipeline.snapshot().nodes).map((counts) => counts.inFlight)

test('a flush resolves when all before it has ended: through batches, retries and loops, while the pipeline goes on', async () => {
  const pipeline = await run(graphs.slow)
  for (const node of ['in', 'other', 'in']) {
    const receipts = await pipeline.pushAll(node, upTo(200))
    assert.ok(
      receipts.some(({ outcome }) => outcome === undefined),
      'some wait in a batch',
    )
    await pipeline.flush(node)
    assert.deepEqual(new Set(receipts.map(({ outcome }) => outcome)), new Set(['acked']))
    assert.deepEqual(new Set(inFlight(pipeline)), new Set([0]))
    assert.equal(pipeline.state, 'running')
  }
  const { first, second, save } = pipeline.snapshot().stages
  for (const stage of [first!, second!, save!]) assert.ok(stage.batches!.flush >= 1, JSON.stringify(stage.batches))
  await pipeline.flush()
  await pipeline.drain()
})

test('a flush goes on if workers crash while it lasts', async () => {
  const pipeline = await run(graphs.slow)
  const receipts = await pipeline.pushAll('in', upTo(500))
  const flushing = pipeline.flush()
  await Promise.all([pipeline.restartWorker('first', 0), pipeline.restartWorker('second', 0)])
  await flushing
  assert.deepEqual(new Set(receipts.map(({ outcome }) => outcome)), new Set(['acked']))
  await pipeline.drain()
})

test('a record that flushes completes the batch that it comes to', async () => {
  const { outputs, pipeline } = await collect(graphs.marked)
  const sizes = outputs['out'] as number[]
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    1_000,
  )
  assert.ok(pipeline.snapshot().stages['work']!.batches!.flush > 0)
  const pushing = await run(graphs.slow)
  await pushing.pushAll('in', upTo(5))
  const receipt = await pushing.push('in', 7, { flush: true })
  await receipt.done
  await pushing.stop()
})

test('a flush of no source is refused, and so is one of a pipeline that has ended', async () => {
  const pipeline = await run(graphs.slow)
  await assert.rejects(pipeline.flush('nowhere'), { code: 'NODE_UNKNOWN' })
  await assert.rejects(pipeline.flush('first'), { code: 'NODE_NOT_SOURCE' })
  await pipeline.pushAll('in', upTo(5))
  await pipeline.drain()
  await assert.rejects(pipeline.flush(), { code: 'PIPELINE_NOT_RUNNING' })
})
