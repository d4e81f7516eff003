import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MillraceError, type PipelineEvent, type Receipt, run } from 'millrace'
import * as graphs from './graphs.js'
import { assertConserved, collect } from './harness.js'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const sorted = (numbers: unknown[]): number[] => (numbers as number[]).toSorted((a, b) => a - b)

test('a chain hands every record on exactly once', async () => {
  const { outputs, report } = await collect(graphs.chain)
  assert.deepEqual(
    sorted(outputs['out']!),
    upTo(10_000).map((n) => n * 2),
  )
  assert.equal(report.outcome, 'finished')
  assert.equal(report.acked, 10_000)
  assert.equal(report.failed + report.abandoned + report.deadLettered, 0)
})

test('filter, flatMap and mapBatch: what goes in and what comes out', async () => {
  const { outputs, report } = await collect(graphs.kinds)
  const batches = outputs['out'] as { sum: number; size: number }[]
  assert.equal(
    batches.reduce((sum, { size }) => sum + size, 0),
    3_000,
  )
  assert.equal(
    batches.reduce((sum, each) => sum + each.sum, 0),
    upTo(3_000).reduce((a, b) => a + b, 0),
  )
  assert.ok(batches.every(({ size }) => size <= 7))
  assert.equal(report.nodes['even']!.filtered, 1_500)
  assert.equal(report.acked, 3_000)
})

test('the histogram of service times holds each record once, however its handler answers', async () => {
  const { pipeline } = await collect(graphs.answers)
  for (const node of ['sync', 'alone', 'overlapping', 'batches']) {
    assert.equal(pipeline.histogram(node, 'service')!.total, 100, node)
  }
})

test('a conditional sends each record down one branch, and a merge brings them together', async () => {
  const { outputs } = await collect(graphs.branches)
  assert.deepEqual(
    sorted(outputs['tens']!),
    upTo(500).map((n) => n * 10),
  )
  const rest = (outputs['out'] as (number | { marked: number })[]).map((each) =>
    typeof each === 'number' ? each : each.marked,
  )
  assert.deepEqual(
    sorted(rest),
    upTo(5_000).filter((n) => n % 10 !== 0),
  )
})

test('several edges out of a node each get every record', async () => {
  const { outputs, report } = await collect(graphs.copies)
  const out = outputs['out'] as { from: string; n: number }[]
  for (const from of ['a', 'b'])
    assert.deepEqual(sorted(out.filter((each) => each.from === from).map(({ n }) => n)), upTo(2_000))
  assert.equal(report.acked, 2_000)
})

test('async handlers overlap, and every record is handed on once', async () => {
  const { outputs, report } = await collect(graphs.asyncMap)
  assert.deepEqual(sorted(outputs['out']!), upTo(2_000))
  assert.equal(report.acked, 2_000)
})

test('with `ordered`, what comes out is in the order of the input, async or not', async () => {
  const { outputs } = await collect(graphs.lateAsync)
  assert.deepEqual(outputs['out'], upTo(1_000))
})

test('a failed record is tried again without holding the others up, and goes to the dead-letter edge in the end', async () => {
  const { outputs, report } = await collect(graphs.retries)
  const out = outputs['out'] as { n: number; attempt: number }[]
  assert.deepEqual(
    sorted(out.map(({ n }) => n)),
    upTo(1_000).filter((n) => n % 100 !== 50),
  )
  assert.ok(out.filter(({ n }) => n % 10 === 3).every(({ attempt }) => attempt === 3))
  const dead = outputs['dead'] as {
    input: number
    attempts: number
    node: string
    error: { name: string; message: string }
  }[]
  assert.deepEqual(
    sorted(dead.map(({ input }) => input)),
    upTo(10).map((n) => n * 100 + 50),
  )
  assert.ok(dead.every(({ attempts, node, error }) => attempts === 3 && node === 'flaky' && error.name === 'TypeError'))
  assert.equal(report.nodes['flaky']!.retried, 100 * 2 + 10 * 2)
  assert.equal(report.deadLettered, 10)
  assert.equal(report.acked, 1_000)
})

test('a batch by key holds records of one key, and none is lost', async () => {
  const { outputs } = await collect(graphs.keyedBatches)
  const batches = outputs['out'] as { keys: number[]; batch: number[] }[]
  assert.ok(batches.every(({ keys, batch }) => keys.length === 1 && batch.length <= 10))
  assert.deepEqual(sorted(batches.flatMap(({ batch }) => batch)), upTo(3_000))
})

test('records of one key visit one worker, in order', async () => {
  const { outputs } = await collect(graphs.partitions)
  const out = outputs['out'] as { key: number; n: number; worker: number }[]
  for (const key of upTo(11)) {
    const records = out.filter((each) => each.key === key)
    assert.ok(records.length > 300)
    assert.equal(new Set(records.map(({ worker }) => worker)).size, 1)
    assert.deepEqual(
      records.map(({ n }) => n),
      sorted(records.map(({ n }) => n)),
    )
  }
})

test('records that are larger than a frame, and than a lane, arrive whole', async () => {
  for (const laneBytes of [262_144, 65_536]) {
    const { outputs } = await collect(graphs.largeRecords, { laneBytes })
    const out = (outputs['out'] as { i: number; text: string }[]).toSorted((a, b) => a.i - b.i)
    assert.equal(out.length, 40)
    for (const { i, text } of out) {
      assert.equal(text.length, i % 4 === 0 ? 600_000 + i : 100)
      assert.equal(text, text[0]!.repeat(text.length))
    }
  }
})

test('a record above maxRecordBytes fails with RECORD_TOO_LARGE, and the others go on', async () => {
  const { outputs, report } = await collect(graphs.largeRecords, { maxRecordBytes: 300_000 })
  assert.equal(outputs['out']!.length, 30)
  assert.equal(report.failed, 10)
})

test('buffers that drop count every record that they drop', async () => {
  const { outputs, pipeline } = await collect(graphs.overflow, { deadlineMs: 20_000 })
  const { edges } = pipeline.snapshot()
  const dropped = edges.reduce((sum, each) => sum + each.dropped, 0)
  assert.ok(dropped > 0)
  assert.equal(outputs['out']!.length + outputs['last']!.length + dropped, 40_000)
})

test('push waits for credit, its receipt follows the record, and call answers with what comes of it', async () => {
  const pipeline = await run(graphs.pushed)
  const answers = await Promise.all(upTo(100).map((n) => pipeline.call('in', n)))
  assert.deepEqual(
    answers,
    upTo(100).map((n) => n * n),
  )
  const receipt = await pipeline.push('in', -1)
  await assert.rejects(receipt.done, { code: 'RECORD_FAILED' })
  await assert.rejects(pipeline.call('in', -2), ({ code, cause }: MillraceError) => {
    assert.equal(code, 'RECORD_FAILED')
    assert.match(String(cause), /^RangeError: negative$/)
    return true
  })
  await assert.rejects(pipeline.push('square', 1), { code: 'NODE_NOT_PUSHED' })
  const out = pipeline.output('out')
  const good = await pipeline.push('in', 5)
  assert.deepEqual(await out.next(), { done: false, value: 25 })
  const end = out.next()
  await good.done
  const report = await pipeline.drain()
  assert.deepEqual(await end, { done: true, value: undefined })
  assert.equal(report.outcome, 'drained')
  assert.equal(report.failed, 2)
  await assert.rejects(pipeline.push('in', 1), { code: 'PIPELINE_NOT_RUNNING' })
  assertConserved(pipeline)
})

test(
  'a record that cannot be sent goes to the dead-letter edge as far as it can be told',
  { timeout: 20_000 },
  async () => {
    const { outputs, report } = await collect(graphs.unsendable, { maxRecordBytes: 50_000 })
    assert.deepEqual(
      sorted(outputs['out']!),
      upTo(100).filter((n) => n % 10 !== 3 && n % 10 !== 7),
    )
    const dead = outputs['dead'] as { input: unknown; node: string; error: { code: string } }[]
    assert.equal(dead.length, 20)
    assert.deepEqual(
      new Set(dead.map(({ error }) => error.code)),
      new Set(['RECORD_NOT_ENCODABLE', 'RECORD_TOO_LARGE']),
    )
    for (const { input, node } of dead) {
      assert.equal(node, 'work')
      assert.ok(Object.values(input ?? {}).every((field) => typeof field !== 'object' && typeof field !== 'function'))
    }
    assert.equal(report.nodes['work']!.deadLettered, 20)
    assert.equal(report.acked, 100)
  },
)

test('a record that a branch cannot send goes to the dead-letter edge of its stage', { timeout: 20_000 }, async () => {
  const { outputs, report } = await collect(graphs.unsendableBranch)
  assert.equal(outputs['dead']!.length, 30)
  assert.equal(outputs['even']!.length + outputs['odd']!.length, 270)
  assert.equal(report.acked, 300)
})

test(
  'a dead-letter edge that cannot carry a failure loses nothing: the record is nacked',
  { timeout: 20_000 },
  async () => {
    const { outputs, report, pipeline } = await collect(graphs.deafDeadLetters)
    assert.equal(outputs['out']!.length, 90)
    assert.equal(outputs['dead']!.length, 0)
    assert.equal(report.failed, 10)
    assert.equal(report.acked, 90)
    assert.equal(pipeline.snapshot().nodes['work']!.failed, 10)
  },
)

test('pushed records that share a chunk end together, and a call has its own answer', async () => {
  const pipeline = await run(graphs.pushedTogether)
  let others = 0
  const reading = (async () => {
    for await (const _ of pipeline.output('out')) others++
  })()
  const pushed = async (n: number): Promise<Receipt> => await pipeline.push('in', n)
  const called = async (n: number): Promise<unknown> => await pipeline.call('in', n)
  const [receipts, answers] = await Promise.all([
    Promise.all(upTo(300).map(pushed)),
    Promise.all(upTo(100).map(called)),
  ])
  assert.deepEqual(
    answers,
    upTo(100).map((n) => n * n),
  )
  await Promise.all(receipts.map(({ done }) => done))
  const failing = await Promise.all([1, 2, -3, 4].map(pushed))
  await assert.rejects(failing[2]!.done, { code: 'RECORD_FAILED' })
  await Promise.allSettled(failing.map(({ done }) => done))
  assert.ok(failing.every(({ outcome }) => outcome !== undefined))
  const report = await pipeline.drain()
  assert.equal(report.acked + report.failed, 404)
  await reading
  assert.ok(others >= 300)
  assertConserved(pipeline)
})

test('a record that fails in the embedding thread itself is told of like any other', async () => {
  const pipeline = await run(graphs.pushed)
  const failed = new Promise<PipelineEvent>((resolve) => void pipeline.events.on('record.failed', resolve))
  await assert.rejects(pipeline.call('in', upTo), ({ cause }: MillraceError) => {
    assert.match(String(cause), /RECORD_NOT_ENCODABLE/)
    return true
  })
  const { node, recordId } = await failed
  assert.equal(node, 'in')
  assert.match(String(recordId), /^[0-9a-f]{16}$/)
  assert.equal(pipeline.deadLetters.list()[0]!.recordId, recordId)
  await pipeline.drain()
})

test('batches of records from many slots go over lanes that were asked to be tiny', { timeout: 30_000 }, async () => {
  const { outputs, report } = await collect(graphs.manyAnchors)
  const out = outputs['out'] as { numbers: number[] }[]
  assert.deepEqual(
    out.flatMap(({ numbers }) => numbers),
    upTo(3_000),
  )
  assert.equal(report.acked, 3_000)
})

test('whatever a handler throws, only its record fails', async () => {
  const { report, pipeline } = await collect(graphs.throwsAnything)
  assert.equal(report.failed, 8)
  assert.ok(pipeline.workers().every(({ deaths }) => deaths.length === 0))
  assert.deepEqual(
    new Set(pipeline.deadLetters.list().map(({ error }) => error.message)),
    new Set(['undefined', 'null', 'text', '7', '[object Object]', 'Symbol(s)', 'what was thrown cannot be read']),
  )
})
