import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Failure, run } from 'millrace'
import { assertConserved, collect } from '../run/harness.js'
import * as graphs from './graphs.js'
import { poison, sorted, upTo } from './poisoned.js'

test('poison among records: each is dead-lettered, the others come out once, the budget is not charged', () =>
  poison(graphs.fewPoisoned, 3_000))

test('records that kill when they are looked up together are found one by one', () =>
  poison(graphs.poisonedPreloads, 3_000))

test('an endless loop is found by its heartbeat, and its record is called again with `attempt` raised', async () => {
  const { outputs } = await collect(graphs.endless)
  const out = outputs['out'] as { n: number; attempt: number }[]
  assert.deepEqual(sorted(out.map(({ n }) => n)), upTo(100))
  assert.equal(out.find(({ n }) => n === 50)!.attempt, 2)
})

test('an async call that is late is aborted by its signal, tried again, and given up in the end', async () => {
  const { outputs, report } = await collect(graphs.late)
  const dead = outputs['dead'] as Failure<number>[]
  // A busy machine may make others late too, but none of them twice by an hour.
  assert.ok(
    dead.some(({ input, error, attempts }) => input === 7 && error.code === 'HANDLER_TIMEOUT' && attempts === 2),
  )
  assert.deepEqual(sorted([...outputs['out']!, ...dead.map(({ input }) => input)]), upTo(20))
  assert.equal(report.acked, 20)
})

test('a worker that takes more heap than its stage allows dies alone, and what it had in hand is given up', async () => {
  const { outputs } = await collect(graphs.greedy)
  assert.deepEqual(
    sorted(outputs['out']!),
    upTo(100).filter((n) => n !== 5),
  )
  assert.deepEqual(
    (outputs['dead'] as Failure<number>[]).map(({ input }) => input),
    [5],
  )
})

test('open batches by key survive a death, and the batch in hand is called again as it was', async () => {
  const { outputs } = await collect(graphs.batches)
  const out = outputs['out'] as { batch: number[]; attempt: number }[]
  assert.deepEqual(sorted(out.flatMap(({ batch }) => batch)), upTo(200))
  assert.equal(out.find(({ batch }) => batch.includes(60))!.attempt, 2)
  assert.ok(out.every(({ batch }) => new Set(batch.map((n) => n % 6)).size === 1))
})

test('a record that a handler failed by itself is a batch of its own, also after a death', async () => {
  const { outputs } = await collect(graphs.failedAlone)
  const out = outputs['out'] as { batch: number[]; attempt: number }[]
  assert.deepEqual(
    out.filter(({ batch }) => batch.includes(20)).map(({ batch, attempt }) => [batch.length, attempt]),
    [
      [2, 1],
      [1, 3],
    ],
  )
})

/** Of so many records this one alone is a dead letter, and the others came out once. */
function assertGivenUp(outputs: Readonly<Record<string, unknown[]>>, count: number, poisonous: number): void {
  assert.deepEqual(
    sorted(outputs['out']!),
    upTo(count).filter((n) => n !== poisonous),
  )
  assert.deepEqual(
    (outputs['dead'] as Failure<number>[]).map(({ input, error }) => [input, error.code]),
    [[poisonous, 'RECORD_POISONED']],
  )
}

for (const [does, graph] of [
  ['exits', graphs.deadlyKey],
  ['never returns', graphs.endlessKey],
] as const) {
  test(`a function for the key of batches that ${does} at a record: that record alone is given up`, async () => {
    const { outputs, report } = await collect(graph)
    assertGivenUp(outputs, 200, 60)
    assert.equal(report.nodes['group']!.crashed, 1)
  })
}

test('a function for the key of an order that exits at a record: that record alone is given up', async () => {
  const { outputs } = await collect(graphs.deadlyOrder)
  assertGivenUp(outputs, 200, 60)
})

test('an inline handler that kills, behind calls that overlap: its record alone is given up', async () => {
  const { outputs } = await collect(graphs.deadlyInline)
  assertGivenUp(outputs, 100, 50)
})

test('workers that wait for records do not hang, however short their calls must be', async () => {
  const { outputs, pipeline } = await collect(graphs.unhurried)
  assert.deepEqual(sorted(outputs['out']!), upTo(3))
  assert.deepEqual(
    pipeline.workers().map(({ deaths }) => deaths.length),
    pipeline.workers().map(() => 0),
  )
})

test('a budget that runs out stops the pipeline with the cause, the node and the history', async () => {
  const pipeline = await run(graphs.deadly)
  const names: string[] = []
  pipeline.events.on('*', ({ name }) => names.push(name))
  const error = await pipeline.finished.then(
    () => assert.fail('it has failed'),
    (reason: unknown) => reason as Error & { code: string; detail: Record<string, unknown>; report: object },
  )
  assert.equal(error.code, 'RESTARTS_EXHAUSTED')
  assert.equal(error.detail['node'], 'work')
  assert.match((error.cause as Error).message, /exited with code: 3/)
  assert.equal((error.detail['history'] as unknown[]).length, 3)
  assert.equal((error.report as { outcome: string }).outcome, 'failed')
  assert.ok(names.includes('stage.gaveUp') && names.at(-1) === 'pipeline.failed')
  assertConserved(pipeline)
})

test('a successor that hangs in its `setup`, and one whose `setup` fails, are deaths: the next one goes on', async () => {
  const pipeline = await run(graphs.stumbling, { startDeadlineMs: 5_000 })
  const told: unknown[] = []
  pipeline.events.on('worker.hung', ({ name, epoch }) => told.push([name, epoch]))
  pipeline.events.on('worker.died', ({ name, epoch, counts }) => told.push([name, epoch, counts]))
  const records: unknown[] = []
  for await (const record of pipeline.output('out')) records.push(record)
  assert.equal((await pipeline.finished).outcome, 'finished')
  assert.deepEqual(sorted(records), upTo(100))
  const deaths = [0, 1, 2].map((epoch) => ['worker.died', epoch, true])
  assert.deepEqual(told, [deaths[0], ['worker.hung', 1], deaths[1], deaths[2]])
  assert.match(pipeline.workers().find(({ node }) => node === 'work')!.deaths[2]!.cause, /no database/)
})

test('a worker that is ended before it has said which thread it has dies as soon as it does', async () => {
  const pipeline = await run(graphs.ticks)
  const work = () => pipeline.workers().find(({ node }) => node === 'work')!
  const deaths: unknown[] = []
  pipeline.events.on('worker.died', ({ epoch }) => deaths.push(epoch))
  await pipeline.killWorker('work', 0)
  while (work().epoch === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(work().threadId, undefined)
  await pipeline.killWorker('work', 0)
  while (deaths.length < 2) await sleep(1)
  assert.deepEqual(deaths, [0, 1])
  await pipeline.stop()
})

test('a restart takes this long', async (t) => {
  const pipeline = await run(graphs.ticks, { restart: { maxRestarts: 100 } })
  const took: number[] = []
  void (async () => {
    for await (const _ of pipeline.output('out'));
  })()
  for (let i = 0; i < 5; i++) {
    const restarted = new Promise<number>((resolve) => {
      const off = pipeline.events.on('worker.restarted', ({ tookMs }) => (off(), resolve(tookMs as number)))
    })
    await pipeline.restartWorker('work', 0)
    took.push(Math.round(await restarted))
  }
  await pipeline.stop()
  t.diagnostic(`recovery of a small module, in ms: ${took.join(', ')}`)
  assert.equal(took.length, 5)
})
