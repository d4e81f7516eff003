import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MillraceError, run } from 'millrace'
import { Verdicts, isPoisonous } from '#src/supervisor/poison.js'
import * as graphs from './poison-graphs.js'

/** What the counters say at each verdict, where each so-manieth record kills. */
const each = (every: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ ended: i * every, crashed: i }))

test('more than the share of the last twenty records must kill', () => {
  assert.equal(isPoisonous(0.5, each(1, 10)), false)
  assert.equal(isPoisonous(0.5, each(1, 11)), true)
  assert.equal(isPoisonous(0.5, each(2, 20)), false)
  assert.equal(isPoisonous(0.25, each(2, 5)), false)
  assert.equal(isPoisonous(0.25, each(2, 6)), true)
})

/** The same of batches of a hundred, with so many records that are well between two of them. */
const batches = (wellBetween: number) =>
  Array.from({ length: 11 }, (_, i) => ({ ended: i * (100 + wellBetween), crashed: i * 100 }))

test('batches count as their records do', () => {
  assert.equal(isPoisonous(0.5, batches(50)), true)
  assert.equal(isPoisonous(0.5, batches(100)), false)
})

test('at 0 the first record is one too many, at 1 none is', () => {
  assert.equal(isPoisonous(0, each(1, 1)), true)
  assert.equal(isPoisonous(0, []), false)
  assert.equal(isPoisonous(1, each(1, 20)), false)
})

test('only the newest verdicts of a stage count, and each stage has its own', () => {
  const verdicts = new Verdicts()
  for (const verdict of each(1, 9)) verdicts.add('a', verdict)
  assert.equal(verdicts.add('b', { ended: 0, crashed: 0 }).length, 1)
  for (let i = 0; i < 1_000; i++) verdicts.add('a', { ended: 9 + 10 * i, crashed: 9 + i })
  assert.equal(isPoisonous(0.5, verdicts.add('a', { ended: 10_020, crashed: 1_010 })), false)
})

for (const graph of [graphs.one, graphs.batches, graphs.calls]) {
  test(`a handler that kills on every record ends the pipeline (${graph.name})`, async () => {
    const pipeline = await run(graph, { params: { count: 2_000, every: 1 } })
    const deaths: unknown[] = []
    pipeline.events.on('worker.died', (event) => deaths.push(event))
    await assert.rejects(pipeline.finished, (error: MillraceError) => {
      assert.equal(error.code, 'STAGE_POISONED')
      assert.match(error.message, /node: work/)
      return true
    })
    assert.ok(deaths.length <= 30, `${deaths.length} deaths`)
  })
}

test('any number of records that kill does not, where most are well', async () => {
  const pipeline = await run(graphs.one, { params: { count: 160, every: 8 } })
  const report = await pipeline.finished
  assert.deepEqual([report.acked, report.failed], [140, 20])
})

test('with `maxPoison: 1` every record may kill', async () => {
  const pipeline = await run(graphs.one, { params: { count: 15, every: 1 }, restart: { maxPoison: 1 } })
  assert.equal((await pipeline.finished).failed, 15)
})
