import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { type MillraceError, type Pipeline, type PipelineEvent, run } from 'millrace'
import * as graphs from './drops-graphs.js'
import { assertConserved, collect, until } from './harness.js'

const shared = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length))

function open(gate: Int32Array): void {
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
}

const dropped = (pipeline: Pipeline): number => pipeline.snapshot().edges.reduce((sum, edge) => sum + edge.dropped, 0)

const KEPT = [
  { name: 'newest', graph: graphs.newest, kept: [0, 1, 2, 3] },
  { name: 'oldest', graph: graphs.oldest, kept: [0, 3, 4, 5] },
]

for (const { name, graph, kept } of KEPT) {
  test(`a buffer that drops the ${name} holds its capacity beside the record in hand, and tells what it dropped`, async () => {
    const gate = shared(2)
    const pipeline = await run(graph, { params: { gate } })
    const events: PipelineEvent[] = []
    pipeline.events.on('record.dropped', (event) => events.push(event))
    const receipts = [await pipeline.push('in', 0)]
    await until(() => Atomics.load(gate, 1) === 1, 'the first record is in hand')
    for (let n = 1; n <= 5; n++) receipts.push(await pipeline.push('in', n))
    open(gate)
    const records: unknown[] = []
    for await (const record of pipeline.output('out')) if (records.push(record) === 4) break
    assert.deepEqual(records, kept)
    const outcomes = receipts.map(({ done }) =>
      done.then(
        () => 'acked',
        ({ code }: MillraceError) => code,
      ),
    )
    const expected = receipts.map((_, n) => (kept.includes(n) ? 'acked' : 'RECORD_FAILED'))
    assert.deepEqual(await Promise.all(outcomes), expected)
    const report = await pipeline.drain()
    assert.deepEqual([report.acked, report.failed, report.dropped], [4, 2, 2])
    assert.deepEqual(report.drops, [{ edge: 0, from: 'in', to: 'buffer', total: 2 }])
    assert.equal(
      events.reduce((sum, { records: count }) => sum + (count as number), 0),
      2,
    )
    assert.deepEqual([events.at(-1)!['total'], events.at(-1)!['to']], [2, 'buffer'])
    assertConserved(pipeline)
  })
}

for (const graph of [graphs.ackedNewest, graphs.ackedOldest]) {
  test(`\`ack\` is told which records were dropped, and which failed (${graph.name})`, async () => {
    const [gate, told] = [shared(2), shared(20)]
    const pipeline = await run(graph, { params: { gate, told } })
    await until(() => Atomics.load(gate, 1) === 1, 'the first record is in hand')
    if (graph === graphs.ackedNewest) await until(() => dropped(pipeline) > 0, 'some are dropped')
    open(gate)
    const report = await pipeline.finished
    const count = (outcome: number): number => told.filter((each) => each === outcome).length
    assert.equal(count(2), 1, 'the first one in hand failed')
    assert.ok(count(3) > 0, 'some are dropped')
    assert.equal(count(3), report.dropped)
    assert.equal(count(1), report.acked)
    assert.equal(count(0) + count(4), 0)
    assert.equal(report.failed, 1 + report.dropped)
  })
}

test('`ack` is told which records the end of the pipeline left', async () => {
  const [gate, told] = [shared(2), shared(20)]
  const pipeline = await run(graphs.ackedNewest, { params: { gate, told } })
  await until(() => Atomics.load(gate, 1) === 1, 'the first record is in hand')
  await pipeline.stop({ deadlineMs: 1_500 })
  assert.equal(told[0], 4)
})

test('NaN is no key: that record fails, and the others go on', async () => {
  const { report, pipeline } = await collect(graphs.keys)
  assert.deepEqual([report.acked, report.failed], [1, 2])
  const errors = pipeline.deadLetters.list().map(({ error }) => error)
  for (const { code, message } of errors) {
    assert.equal(code, 'KEY_INVALID')
    assert.match(message, /returned: NaN/)
  }
})

test('a branch that no edge carries is refused with those that there are', async () => {
  const { outputs } = await collect(graphs.contexts)
  const [{ error }] = outputs['failed'] as [{ error: { message: string } }]
  assert.match(error.message, /ROUTE_UNKNOWN.*branch: nowhere.*branches: \["left"\]/)
})

test('contexts and receipts show what is for the user only', async () => {
  const { outputs } = await collect(graphs.contexts)
  assert.match(outputs['out']![0] as string, /attempt: 1/)
  assert.doesNotMatch(outputs['out']![0] as string, /emitted|failed|#/)
  const gate = shared(2)
  open(gate)
  const pipeline = await run(graphs.newest, { params: { gate } })
  const receipt = await pipeline.push('in', 1)
  assert.deepEqual(Object.keys(receipt), [])
  assert.doesNotMatch(inspect(receipt), /WaitedFor/)
  await pipeline.stop()
})
