/** Every kind of handler, source, dispatch and capacity, on real workers. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import { type GraphData, type Pipeline, run } from 'millrace'
import { assertConserved, collect, until } from './harness.js'
import * as graphs from './kinds-graphs.js'

const all = Array.from({ length: graphs.COUNT }, (_, i) => i)
const total = all.reduce((a, b) => a + b, 0)
const sorted = (numbers: unknown[] | undefined): number[] => (numbers as number[]).toSorted((a, b) => a - b)

function each(group: readonly GraphData[], promise: string, check: (out: unknown[]) => void): void {
  for (const graph of group) {
    test(`${graph.name}: ${promise}`, async () => {
      const { outputs, report } = await collect(graph)
      check(outputs['out']!)
      assert.equal(report.acked, graphs.COUNT)
    })
  }
}

each([graphs.map, graphs.mapAsync], 'one record in, one out', (out) =>
  assert.deepEqual(
    sorted(out),
    all.map((n) => n + 1),
  ),
)
each([graphs.filter, graphs.filterAsync], 'only the records for which it says true', (out) =>
  assert.deepEqual(
    sorted(out),
    all.filter((n) => n % 2 === 0),
  ),
)
each(
  [graphs.flatMap, graphs.flatMapAsync, graphs.flatMapGenerator, graphs.flatMapAsyncGenerator],
  'every record that it gives',
  (out) =>
    assert.deepEqual(
      sorted(out),
      all.flatMap((n) => [n, n]),
    ),
)
each([graphs.mapBatch, graphs.mapBatchAsync, graphs.mapBatchGenerator], 'what comes of every batch', (out) => {
  assert.equal(
    (out as number[]).reduce((a, b) => a + b, 0),
    total,
  )
  assert.ok(out.length >= graphs.COUNT / 7)
})
each(
  [graphs.write, graphs.writeAsync, graphs.writeBatch, graphs.writeBatchAsync],
  'a sink with an edge passes on what it has written',
  (out) => assert.deepEqual(sorted(out), all),
)
each(
  [
    graphs.iterable,
    graphs.generator,
    graphs.asyncGenerator,
    graphs.poll,
    graphs.pollAsync,
    graphs.nodeStream,
    graphs.webStream,
  ],
  'every record of the source, in order',
  (out) => assert.deepEqual(out, all),
)

test('handlers may be named by module and export, wherever they stand', async () => {
  const { outputs } = await collect(graphs.references)
  assert.deepEqual(
    sorted(outputs['odd']),
    all.filter((n) => n % 2 === 1).map((n) => n + 1_000),
  )
  const batches = outputs['out'] as number[][]
  assert.deepEqual(
    sorted(batches.flat()),
    all.filter((n) => n % 2 === 0).map((n) => n + 1_000),
  )
  assert.ok(batches.every((batch) => new Set(batch.map((n) => n % 5)).size === 1))
})

for (const loader of ['auto', 'tsx', 'jiti']) {
  test(`workers load TypeScript on every Node: loader ${loader}`, async () => {
    const { outputs } = await collect(graphs.typescript, { loader })
    assert.deepEqual(sorted(outputs['out']), all.map((n) => -n).toReversed())
  })
}

test('workers load TypeScript by a loader of the user on every Node', async () => {
  const { outputs } = await collect(graphs.typescript, { loader: new URL('modules/loader.js', import.meta.url).href })
  assert.deepEqual(sorted(outputs['out']), all.map((n) => -n).toReversed())
})

test('round-robin gives each worker its turn', async () => {
  const { outputs } = await collect(graphs.roundRobin)
  const out = outputs['out'] as { n: number; worker: number }[]
  assert.deepEqual(sorted(out.map(({ n }) => n)), all)
  for (const worker of [0, 1, 2])
    assert.equal(out.filter((record) => record.worker === worker).length, graphs.COUNT / 3)
})

test('broadcast gives every record to every worker', async () => {
  const { outputs, report } = await collect(graphs.broadcast)
  const out = outputs['out'] as { n: number; worker: number }[]
  for (const worker of [0, 1, 2])
    assert.deepEqual(sorted(out.filter((record) => record.worker === worker).map(({ n }) => n)), all)
  assert.equal(report.acked, graphs.COUNT)
})

test('broadcast with a selector gives a record to the workers that it picks', async () => {
  const { outputs, report } = await collect(graphs.selected)
  const out = outputs['out'] as { n: number; worker: number }[]
  assert.deepEqual(sorted(out.map(({ n }) => n)), all)
  assert.ok(out.every(({ n, worker }) => n % 3 === worker))
  assert.equal(report.acked, graphs.COUNT)
})

test('a batch that does not fill goes on when its time is over', async () => {
  const pipeline = await run(graphs.byTime)
  const out = pipeline.output('out')
  for (const n of [1, 2, 3]) await pipeline.push('in', n)
  const first = (await out.next()).value as number[]
  assert.ok(first.length >= 1 && first.length <= 3)
  const rest = first.length < 3 ? ((await out.next()).value as number[]) : []
  assert.deepEqual([...first, ...rest].slice(0, 3), [1, 2, 3].slice(0, first.length + rest.length))
  void out.next()
  await pipeline.drain()
  assertConserved(pipeline)
})

/** Records that a source has made when it makes no more. */
async function madeUntilFull(pipeline: Pipeline): Promise<number> {
  let before = -1
  await until(() => {
    const made = pipeline.snapshot().nodes['numbers']!.in
    const isFull = made > 0 && made === before && pipeline.snapshot().stages['numbers']!.blocked > 0.5
    before = made
    return isFull
  }, 'the source waits')
  return before
}

test('a reader that does not read holds the source back, at maxDemand', async () => {
  const pipeline = await run(graphs.demanding)
  const made = await madeUntilFull(pipeline)
  assert.equal(made, 20)
  assert.ok(pipeline.snapshot().lanes.every(({ queued, capacity }) => capacity === 20 && queued <= 20))
  const out = pipeline.output('out')
  for (let n = 0; n < 100; n++) assert.deepEqual(await out.next(), { done: false, value: n })
  const later = await madeUntilFull(pipeline)
  assert.ok(later >= 100 && later <= 120, `${later} made`)
  await pipeline.stop()
  assertConserved(pipeline)
})

test('a lane holds no more bytes than its ring, and a buffer no more records than its capacity', async () => {
  for (const [graph, most] of [
    [graphs.narrow, 1_024 / 40],
    [graphs.buffered, 30],
  ] as const) {
    const pipeline = await run(graph)
    const made = await madeUntilFull(pipeline)
    assert.ok(made > 1 && made <= most, `${graph.name}: ${made} made`)
    for (const { usedBytes, ringBytes } of pipeline.snapshot().lanes) assert.ok(usedBytes <= ringBytes)
    const report = await pipeline.stop()
    assert.equal(report.abandoned, made)
    assertConserved(pipeline)
  }
})

test('nodes that are fused share one worker, and each keeps its account', async () => {
  const { outputs, pipeline } = await collect(graphs.fused)
  assert.deepEqual(
    outputs['out'],
    all.flatMap((n) => (n % 2 === 0 ? [`#${n}`, `#${n}`] : [])),
  )
  assert.deepEqual(
    pipeline.plan.stages.map(({ node }) => node),
    ['numbers', 'even', 'out'],
  )
  const { even, twice, text } = pipeline.snapshot().nodes
  assert.deepEqual([even!.in, even!.filtered, twice!.in, text!.in], [300, 150, 150, 300])
})

test('setup and teardown are called once in each worker, with its state', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  context.after(() => rmSync(folder, { recursive: true }))
  process.env['NOTES'] = join(folder, 'notes')
  await collect(graphs.noted)
  const notes = readFileSync(process.env['NOTES'], 'utf8').trim().split('\n')
  assert.deepEqual(notes.toSorted(), ['setup 0 of 2, life 0', 'setup 1 of 2, life 0', 'teardown 0 0', 'teardown 1 1'])
})

test('an aborted signal stops the pipeline, and one that is aborted already starts none', async () => {
  const controller = new AbortController()
  const pipeline = await run(graphs.saturated, { signal: controller.signal })
  await until(() => pipeline.snapshot().nodes['out']!.done > 1_000, 'records flow')
  controller.abort()
  const { outcome } = await pipeline.finished
  assert.equal(outcome, 'stopped')
  assertConserved(pipeline)
  const reason = new Error('not now')
  await assert.rejects(run(graphs.saturated, { signal: AbortSignal.abort(reason) }), reason)
})

test('the end of a block with `await using` drains the pipeline', async () => {
  let kept: Pipeline
  {
    await using pipeline = await run(graphs.saturated)
    kept = pipeline
    await until(() => pipeline.snapshot().nodes['out']!.done > 1_000, 'records flow')
  }
  const { outcome, acked, abandoned } = await kept.finished
  assert.equal(outcome, 'drained')
  assert.equal(abandoned, 0)
  assert.equal(acked, kept.snapshot().nodes['out']!.done)
  assertConserved(kept)
})

test('snapshots of a running pipeline only go forward, and no account is overdrawn', async () => {
  const pipeline = await run(graphs.saturated)
  let before = pipeline.snapshot()
  for (let looks = 0; looks < 200; looks++) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = pipeline.snapshot()
    for (const [id, counts] of Object.entries(now.nodes)) {
      assert.ok(counts.inFlight >= 0, id)
      assert.equal(counts.in, counts.done + counts.filtered + counts.failed + counts.deadLettered + counts.inFlight)
      assert.ok(counts.in >= before.nodes[id]!.in && counts.done >= before.nodes[id]!.done, id)
    }
    before = now
  }
  await pipeline.stop()
  assertConserved(pipeline)
})

test('the embedding thread does no work per record', async () => {
  const pipeline = await run(graphs.saturated)
  const done = (): number => pipeline.snapshot().nodes['out']!.done
  await until(() => done() > 10_000, 'records flow')
  const before = performance.eventLoopUtilization()
  const from = done()
  await until(() => done() > from + 300_000, 'many records flow', 100)
  const { utilization } = performance.eventLoopUtilization(before)
  // Were it to touch each record, it would be as busy as the workers are: wholly.
  assert.ok(utilization < 0.5, `the loop was busy for ${utilization} of the time`)
  await pipeline.stop()
  assertConserved(pipeline)
})
