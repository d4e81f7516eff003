/** Durable runs: what was accepted outlives the process. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Pipeline, mark, run } from 'millrace'
import { Random } from '#src/test-kit/random.js'
import { until } from '../run/harness.js'
import { importer, slow } from './graphs.js'
import { killOften } from './kills.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-durable-'))
after(() => rmSync(folder, { recursive: true }))
let directories = 0
const newDir = (): string => join(folder, String(directories++))

const start = (dir: string, options: object = {}): Promise<Pipeline> =>
  run(slow, { params: { waits: false }, durable: { dir, ...options } })

/** Reads so many rows of the output. */
async function rows(pipeline: Pipeline, count: number): Promise<{ id: string; n: number }[]> {
  const found: { id: string; n: number }[] = []
  for await (const row of pipeline.output('out')) {
    found.push(row as { id: string; n: number })
    if (found.length === count) break
  }
  return found.sort((a, b) => a.n - b.n)
}

describe('a durable run', () => {
  for (const sync of ['group', 'each', 'time'] as const) {
    test(`delivers again what had not ended at a stop, with the same ids (${sync})`, async () => {
      const dir = newDir()
      const first = await start(dir, { sync })
      await first.pushAll('in', [1, 2, mark(3, { flush: true })])
      assert.equal(first.snapshot().journal!.records, 3)
      await first.stop()
      const second = await start(dir, { sync })
      assert.equal(second.snapshot().journal!.restored, 3)
      await second.stop()
      const third = await start(dir)
      assert.deepEqual(
        (await rows(third, 3)).map(({ n }) => n),
        [1, 2, 3],
      )
      await third.drain()
      const fourth = await start(dir)
      assert.equal(fourth.snapshot().journal!.restored, 0)
      assert.equal(fourth.snapshot().journal!.segments, 1, 'files of records that have ended are gone')
      await fourth.drain()
    })
  }

  test('records keep their ids over restarts, and no two records share one', async () => {
    const dir = newDir()
    const first = await start(dir)
    await first.pushAll('in', [1, 2])
    const one = (await first.output('out').next()).value as { id: string; n: number }
    await first.stop()
    const second = await start(dir)
    await second.push('in', 3)
    const again = await rows(second, 3)
    await second.drain()
    // The first one was taken and not asked past, so it is delivered again.
    assert.deepEqual(
      again.map(({ n }) => n),
      [1, 2, 3],
    )
    assert.equal(again.find(({ n }) => n === one.n)!.id, one.id)
    assert.equal(new Set(again.map(({ id }) => id)).size, 3)
  })

  test('answers calls; one whose caller is gone is worked on, and nobody has to read its answer', async () => {
    const dir = newDir()
    const first = await start(dir)
    assert.equal(((await first.call('in', 5)) as { n: number }).n, 5)
    await assert.rejects(first.call('in', -1), /below zero/)
    await first.drain()
    const second = await run(slow, { params: { waits: true }, durable: { dir }, deadlineMs: 100 })
    const call = second.call('in', 6)
    const refused = assert.rejects(call, { code: 'RECORD_ABANDONED' })
    await until(() => second.snapshot().nodes['work']!.inFlight === 1, 'the call is worked on')
    await second.stop()
    await refused
    const third = await start(dir)
    assert.equal(third.snapshot().journal!.restored, 1)
    assert.equal((await third.drain()).acked, 1)
  })

  test('a record that failed has ended; one that was taken back was never accepted', async () => {
    const dir = newDir()
    const first = await start(dir)
    const receipt = await first.push('in', -1)
    await assert.rejects(receipt.done, /below zero/)
    await assert.rejects(first.push('in', 7, { signal: AbortSignal.abort(new Error('changed my mind')) }), /my mind/)
    await assert.rejects(
      first.push('in', () => 1),
      { code: 'RECORD_NOT_ENCODABLE' },
    )
    await first.stop()
    await assert.rejects(first.push('in', 1), { code: 'PIPELINE_NOT_RUNNING' })
    const second = await start(dir)
    assert.equal(second.snapshot().journal!.restored, 0)
    await second.stop()
  })

  test('a directory belongs to one pipeline at a time, and a process that was killed holds none', async () => {
    const dir = newDir()
    const first = await start(dir)
    await assert.rejects(start(dir), { code: 'JOURNAL_IN_USE' })
    await first.stop()
    // A lock of a process whose number another one has now.
    const { pid } = process
    const [place, began] = [await placeHere(dir), 'long ago']
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid, place, began, token: 'x' }))
    await (await start(dir)).stop()
    // Another container: its processes cannot be seen, but its lock was touched a moment ago.
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: 1, place: 'elsewhere', began, token: 'x' }))
    await assert.rejects(start(dir), { code: 'JOURNAL_IN_USE' })
  })

  test('a damaged journal is not opened', async () => {
    const dir = newDir()
    const first = await start(dir)
    await first.push('in', 1)
    await first.push('in', 2)
    await first.stop()
    const path = join(
      dir,
      readdirSync(dir).find((name) => name.endsWith('.journal'))!,
    )
    const bytes = readFileSync(path)
    bytes[40]! ^= 1
    writeFileSync(path, bytes)
    await assert.rejects(start(dir), { code: 'JOURNAL_CORRUPT' })
    bytes[40]! ^= 1
    writeFileSync(path, bytes)
    const second = await start(dir)
    assert.equal(second.snapshot().journal!.restored, 2)
    await second.stop()
  })

  test('needs a directory', async () => {
    await assert.rejects(run(slow, { params: { waits: false }, durable: {} }), { code: 'OPTIONS_INVALID' })
  })

  test('sources go on at their watermarks, without a line of code for it', async () => {
    const dir = newDir()
    const path = join(folder, 'imported')
    const startImport = (records: number): Promise<Pipeline> =>
      run(importer, { params: { ledger: path, records }, durable: { dir, cursorMs: 10 } })
    const first = await startImport(1_000_000)
    await until(() => first.snapshot().nodes['file']!.done > 500, 'some are written')
    // A worker that dies has its line of cursors taken over.
    await first.killWorker('log', 0)
    await until(() => first.snapshot().nodes['file']!.done > 1_500, 'more are written')
    await first.stop()
    const before = lines(path)
    const most = Math.max(...before.map(({ n }) => n))
    const second = await startImport(most + 200)
    assert.ok((await second.finished).acked < most, 'what has ended is not made again')
    const after = lines(path)
    assert.deepEqual(
      [...new Set(after.map(({ n }) => n))].sort((a, b) => a - b),
      Array.from({ length: most + 200 }, (_, n) => n),
    )
    assert.ok(after.length - new Set(after.map(({ id }) => id)).size < 300, 'only what was in flight came again')
    const ids = new Map(after.map(({ id, n }) => [n, id]))
    assert.deepEqual(
      after.filter(({ id, n }) => ids.get(n) !== id),
      [],
      'with the same id',
    )
    const third = await startImport(most + 200)
    assert.equal((await third.finished).acked, 0, 'all of it has ended')
  })

  test('kept cursors are those of so many workers', async () => {
    const dir = newDir()
    const path = join(folder, 'other')
    const first = await run(importer, { params: { ledger: path, records: 50 }, durable: { dir } })
    await first.finished
    const { nodes, ...rest } = importer
    const fewer = { ...rest, nodes: nodes.map((node) => (node.id === 'log' ? { ...node, concurrency: 1 } : node)) }
    const started = run(fewer as never, { params: { ledger: path, records: 50 }, durable: { dir } })
    await assert.rejects(started, { code: 'JOURNAL_DIFFERS' })
  })

  test('whatever instant the process is killed at, nothing that was accepted is lost', async () => {
    const seed = Number(process.env['SEED'] ?? 1)
    const { lost, mixedUp, accepted } = await killOften({
      kind: 'ledger',
      kills: 6,
      random: new Random(seed),
      place: {},
    })
    assert.deepEqual({ lost, mixedUp }, { lost: [], mixedUp: [] }, `seed ${seed}`)
    assert.ok(accepted > 100, `${accepted} were accepted`)
  })
})

function lines(path: string): { id: string; n: number }[] {
  const all = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return all.map((line) => ({ id: line.split(' ')[0]!, n: Number(line.split(' ')[1]) }))
}

/** Where a lock of this process says that it is. */
async function placeHere(dir: string): Promise<string> {
  const running = await start(dir)
  const { place } = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8')) as { place: string }
  await running.stop()
  return place
}
