import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { type Pipeline, run } from 'millrace'
import * as graphs from './graphs.js'
import { assertConserved } from './harness.js'

/** Waits until `holds`, for at most ten seconds. */
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let looks = 0; !holds(); looks++) {
    assert.ok(looks < 1_000, `in time: ${what}`)
    await sleep(10)
  }
}

function read(pipeline: Pipeline, node: string): unknown[] {
  const records: unknown[] = []
  void (async () => {
    for await (const record of pipeline.output(node)) records.push(record)
  })()
  return records
}

test('a paused source makes no records until it is resumed', async () => {
  const pipeline = await run(graphs.endless)
  const records = read(pipeline, 'out')
  await until(() => records.length > 5, 'records flow')
  pipeline.pause('ticks')
  await until(() => pipeline.snapshot().stages['ticks']!.inFlight === 0, 'what was on its way has ended')
  const { length } = records
  await sleep(100)
  assert.equal(records.length, length)
  pipeline.resume('ticks')
  await until(() => records.length > length + 5, 'records flow again')
  assert.throws(() => pipeline.pause('out'), { code: 'NODE_NOT_SOURCE' })
  assert.throws(() => pipeline.pause('nowhere'), { code: 'NODE_UNKNOWN' })
  await pipeline.drain()
  assertConserved(pipeline)
})

test('a rate limit takes effect at once, and can be taken back', async () => {
  const pipeline = await run(graphs.fast)
  const made = (): number => pipeline.snapshot().nodes['numbers']!.in
  await until(() => made() > 10_000, 'records flow')
  pipeline.setRateLimit('numbers', 500)
  await sleep(100)
  const before = made()
  await sleep(1_000)
  const perSecond = made() - before
  assert.ok(perSecond > 250 && perSecond < 1_000, `about 500 in a second: ${perSecond}`)
  pipeline.setRateLimit('numbers', undefined)
  await until(() => made() > before + 50_000, 'records flow freely again')
  const report = await pipeline.stop()
  assert.equal(report.outcome, 'stopped')
  assertConserved(pipeline)
})

test('any stage is limited while it runs, and a drain lifts the limits or keeps them', async () => {
  for (const limits of ['lift', 'keep'] as const) {
    const pipeline = await run(graphs.endless)
    const records = read(pipeline, 'out')
    await until(() => records.length > 5, 'records flow')
    assert.equal(pipeline.rateLimit('check'), Infinity)
    assert.throws(() => pipeline.setRateLimit('nowhere', 1), { code: 'NODE_UNKNOWN' })
    pipeline.setRateLimit('check', 0.001)
    // As many are on their way without a limit too: they wait once none comes through any more.
    let [done, looks] = [-1, 0]
    await until(() => {
      const { nodes, stages } = pipeline.snapshot()
      looks = nodes['check']!.done === done ? looks + 1 : 0
      done = nodes['check']!.done
      return looks > 30 && stages['ticks']!.inFlight > 3
    }, 'records wait for the limit')
    const report = await pipeline.drain({ limits, deadlineMs: limits === 'lift' ? 30_000 : 500 })
    assert.equal(report.deadlinePassed, limits === 'keep')
    assert.equal(report.abandoned > 0, limits === 'keep')
    assertConserved(pipeline)
  }
})

test('an injected record goes in before its node, and its receipt follows it; a dead letter can be tried once more', async () => {
  const pipeline = await run(graphs.endless, { inject: true })
  const records = read(pipeline, 'out')
  pipeline.pause('ticks')
  const good = await pipeline.inject('check', 1_000_000)
  await good.done
  assert.ok(records.includes(1_000_000))
  const bad = await pipeline.inject('check', -5)
  await assert.rejects(bad.done, { code: 'RECORD_FAILED' })
  await until(() => pipeline.deadLetters.list().length === 1, 'the dead letter is told')
  const [letter] = pipeline.deadLetters.list()
  assert.equal(letter!.input, -5)
  assert.equal(letter!.node, 'check')
  assert.equal(letter!.error.name, 'RangeError')
  assert.equal(letter!.outcome, 'failed')
  const again = await pipeline.inject(letter!.node, letter!.input)
  await assert.rejects(again.done, { code: 'RECORD_FAILED' })
  await until(() => pipeline.deadLetters.list().length === 2, 'and so is the second one')
  assert.equal(pipeline.deadLetters.purge(letter!.id), 1)
  assert.equal(pipeline.deadLetters.list({ node: 'check' }).length, 1)
  await assert.rejects(pipeline.inject('ticks', 1), { code: 'NODE_UNKNOWN' })
  const report = await pipeline.drain()
  assert.equal(report.failed, 0)
  assertConserved(pipeline)
})

test('injection does not keep a pipeline running whose sources have ended', async () => {
  const pipeline = await run(graphs.chain, { inject: true })
  const records = read(pipeline, 'out')
  await pipeline.finished
  assert.equal(records.length, 10_000)
})

test('without the option, nothing can be injected', async () => {
  await using pipeline = await run(graphs.endless)
  read(pipeline, 'out')
  await assert.rejects(pipeline.inject('check', 1), { code: 'INJECT_OFF' })
})

test('a worker that is restarted goes on where it was', async () => {
  const pipeline = await run(graphs.endless)
  const records = read(pipeline, 'out') as number[]
  await until(() => records.length > 10, 'records flow')
  await pipeline.restartWorker('check', 0)
  const { length } = records
  await until(() => records.length > length + 50, 'records flow again')
  await pipeline.drain()
  assert.deepEqual(
    records,
    records.map((_, i) => i),
  )
  await assert.rejects(pipeline.restartWorker('check', 7), { code: 'WORKER_UNKNOWN' })
})
