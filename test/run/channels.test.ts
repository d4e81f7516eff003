import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { run, type RunOptions } from 'millrace'
import { type Noted, noting } from './channels-graphs.js'

/** What each worker has noted, by node and index. */
async function notes(t: TestContext, options: RunOptions): Promise<ReadonlyMap<string, Noted>> {
  const folder = mkdtempSync(join(tmpdir(), 'channels-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const pipeline = await run(noting, { ...options, params: { folder } })
  await pipeline.finished
  return new Map(
    readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as Noted]),
  )
}

test('the tracing channels of each worker tell of calls, batches, polls and acks, and how they ended', async (t) => {
  const found = await notes(t, { workerModule: './modules/observer.js' })
  const all = [...found.values()].flatMap(({ told }) => told!)
  const at = (name: string, node: string): any[] =>
    all.filter((each) => each.at === name && each.node === node).map(({ message }) => message)
  assert.equal(at('call start', 'check').length, 3)
  assert.deepEqual(
    at('call start', 'check')
      .map(({ record, attempt }) => ({ record, attempt }))
      .toSorted((a, b) => a.record - b.record),
    [0, 1, 2].map((record) => ({ record, attempt: 1 })),
  )
  for (const { id, worker } of at('call start', 'check')) {
    assert.match(id, /^[\da-f]{16}$/)
    assert.ok(worker === 0 || worker === 1)
  }
  assert.equal(at('call end', 'check').length, 3)
  assert.equal(at('call error', 'check').length, 1)
  assert.equal(at('call asyncStart', 'check').length, 0)
  assert.deepEqual([at('call asyncStart', 'wait').length, at('call asyncEnd', 'wait').length], [2, 2])
  assert.equal(at('call error', 'wait').length, 1)
  assert.deepEqual(at('batch start', 'out')[0].records, [0])
  assert.ok(at('poll start', 'in').every(({ demand }) => demand > 0))
  assert.ok(at('poll end', 'in').some(({ result }) => result === null))
  const acked = at('ack start', 'in')
  assert.deepEqual(
    acked.flatMap(({ successes }) => successes),
    [1],
  )
  assert.deepEqual(acked.flatMap(({ failures }) => failures).length, 2)
})

test('threads have the name of their stage and their index', async (t) => {
  const found = await notes(t, {})
  assert.deepEqual([...found.keys()].toSorted(), ['check-0', 'check-1', 'in-0', 'out-0', 'wait-0'])
  for (const [file, { told, threadName }] of found) {
    assert.equal(told, undefined, 'nobody has subscribed')
    // Node 24.6 and later say it.
    if (threadName !== undefined) assert.equal(threadName, file.replace('-', ' #'))
  }
})

test('a module for workers that cannot be imported is refused', async () => {
  const params = { folder: '' }
  await assert.rejects(run(noting, { params, workerModule: 'no-such-package' }), { code: 'MODULE_NOT_LOADED' })
  await assert.rejects(run(noting, { params, workerModule: './modules/nothing.js' }), { code: 'START_FAILED' })
  await assert.rejects(run(noting, { params, workerModule: 7 as never }), { code: 'OPTIONS_INVALID' })
})
