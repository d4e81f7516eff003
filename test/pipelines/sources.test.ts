import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MillraceError, run } from 'millrace'
import { collect, until } from '../run/harness.js'
import * as graphs from './sources-graphs.js'

test('a poll that gives ten records a call is called once for each ten, though a chunk is one record', async () => {
  const { outputs } = await collect(graphs.tens)
  const records = outputs['out'] as { n: number; call: number }[]
  assert.equal(records.length, 1_000)
  assert.equal(records.at(-1)!.call, 100)
})

test('a source that starts paused makes no record until the pipeline is resumed', async () => {
  const pipeline = await run(graphs.tens, { paused: true })
  assert.equal(pipeline.isPaused('in'), true)
  assert.equal(pipeline.snapshot().nodes['in']!.in, 0)
  pipeline.resume()
  let records = 0
  for await (const _ of pipeline.output('out')) records++
  assert.equal(records, 1_000)
})

test('each worker of a source makes its last records when the pipeline drains, behind all others', async () => {
  const pipeline = await run(graphs.counted)
  const last = new Map<string, string>()
  const counts = new Map<string, number>()
  for await (const record of pipeline.output('out') as AsyncIterable<string>) {
    const [worker] = record.split(' ') as [string]
    assert.doesNotMatch(last.get(worker) ?? '', /end/, 'nothing comes behind the last record')
    last.set(worker, record)
    counts.set(worker, (counts.get(worker) ?? -1) + 1)
    if (counts.size === 2 && pipeline.state === 'running') void pipeline.drain()
  }
  for (const [worker, record] of last) assert.equal(record, `${worker} end ${counts.get(worker)}`)
  assert.equal((await pipeline.finished).outcome, 'drained')
})

test('a `finish` that returns something else stops the pipeline, and the error says what it is to return', async () => {
  const pipeline = await run(graphs.wrong)
  void pipeline.output('out').next()
  await assert.rejects(pipeline.drain(), (error: Error) => {
    assert.match(String(error.cause), /handler: finish, .*promise of one/)
    return true
  })
})

test('pushAll pushes more than the window holds, in its order, and gives a receipt for each record', async () => {
  const pipeline = await run(graphs.pushed)
  const records = Array.from({ length: 1_000 }, (_, i) => i)
  const pushing = pipeline.pushAll('in', records)
  const out: unknown[] = []
  for await (const record of pipeline.output('out')) {
    out.push(record)
    if (out.length === records.length) break
  }
  const receipts = await pushing
  await Promise.all(receipts.map(({ done }) => done))
  assert.deepEqual(out, records)
  assert.equal(receipts.length, records.length)
  await pipeline.drain()
})

test('pushAll that is aborted pushes nothing more, and an iterable that throws pushes nothing behind what it gave', async () => {
  const pipeline = await run(graphs.pushed)
  const abort = new AbortController()
  const reason = new Error('enough')
  const endless = (function* () {
    for (let n = 0; ; n++) yield n
  })()
  const pushing = pipeline.pushAll('in', endless, { signal: abort.signal })
  await until(() => pipeline.snapshot().nodes['in']!.in === 4, 'the window is full')
  abort.abort(reason)
  await assert.rejects(pushing, reason)
  const failing = (function* () {
    yield 0
    throw reason
  })()
  await assert.rejects(pipeline.pushAll('in', failing), reason)
  await assert.rejects(pipeline.pushAll('nowhere', []), { code: 'NODE_NOT_PUSHED' })
  const draining = pipeline.drain()
  const out: unknown[] = []
  for await (const record of pipeline.output('out')) out.push(record)
  await draining
  assert.deepEqual(out, [0, 1, 2, 3])
})

test('the receipt of a record that fails rejects with the error of the handler as cause, also if it is asked late', async () => {
  const pipeline = await run(graphs.failing)
  const refused = async (n: number, cause: RegExp, late = false): Promise<void> => {
    const receipt = await pipeline.push('in', n)
    if (late) await until(() => receipt.outcome !== undefined, 'it has failed')
    await assert.rejects(receipt.done, (error: MillraceError) => {
      assert.equal(error.code, 'RECORD_FAILED')
      assert.match(String(error.cause), cause)
      return true
    })
  }
  await refused(-1, /RangeError: negative: -1/)
  await refused(-2, /RangeError: negative: -2/, true)
  await refused(3, /Error: not 3/)
  await pipeline.drain()
})
