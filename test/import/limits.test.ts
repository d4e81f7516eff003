/** In which order files are read, and what limits of kinds and tenants let through. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Marked } from 'millrace'
import type { JobData } from '#src/import/job.js'
import { fairOrder } from '#src/import/order.js'
import { endPieces, openReader, readFiles } from '#src/import/read.js'
import type { Piece } from '#src/import/records.js'
import { Restraint } from '#src/import/restraint.js'
import { databaseOnServer, folderOf, importHere, resultOf, rowsAt, withDatabase } from './harness.js'

const { onServer, to } = await databaseOnServer()
const cost = (bytes: number): number => Math.max(16_384, bytes)

test('a tenant waits for no more bytes of others than it has itself, for each of them', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 2_000_000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 3 }), sizes, { minKeys: 1, maxKeys: 6 }), (tenants) => {
      const files = Object.entries(tenants).flatMap(([tenant, bytes]) =>
        bytes.map((each, i) => ({ tenant, bytes: each, path: `${tenant}/${i}` })),
      )
      const order = fairOrder(files)
      assert.deepEqual(order.map(({ path }) => path).toSorted(), files.map(({ path }) => path).toSorted())
      const read = new Map<string, number>()
      const sizeBefore = new Map<string, number>()
      for (const { tenant, bytes } of order) {
        assert.ok(bytes >= (sizeBefore.get(tenant) ?? 0), 'small ones first')
        sizeBefore.set(tenant, bytes)
        read.set(tenant, (read.get(tenant) ?? 0) + cost(bytes))
        for (const [other, sum] of read) if (other !== tenant) assert.ok(sum <= read.get(tenant)!, 'nobody is ahead')
      }
    }),
  )
})

const kindOf = (path: string): string => path.replace(/\d*\.csv$/, '').replace(/^.*\//, '')

/** A job of files that are there, without a database. */
function jobOf(directory: string, files: readonly string[], more: Partial<JobData>): JobData {
  return {
    directory,
    connections: 3,
    kinds: Object.fromEntries(files.map((path) => [kindOf(path), {}])),
    files: files.map((path, id) => ({
      path,
      id,
      kind: kindOf(path),
      tenant: path.split('/')[0],
      placeholders: {},
      how: '',
    })),
    ...more,
  } as unknown as JobData
}

type Read = Marked<Piece> & { readonly cursor: unknown; readonly receipt: number }

const twoTurns = async (): Promise<undefined> => {
  for (let i = 0; i < 2; i++) await new Promise(setImmediate)
  return undefined
}

const lines = (count: number): string =>
  `id,text\n${Array.from({ length: count }, (_, i) => `${i},${'x'.repeat(90)}\n`).join('')}`

test('a reader that goes on at any cursor reads on where it was, of several files at once', async () => {
  const sizes = { 'a.csv': 30_000, 'b.csv': 12_000, 'c.csv': 25_000, 'd.csv': 3, 'e.csv': 14_000, 'f.csv': 0 }
  const files = Object.fromEntries(Object.entries(sizes).map(([path, count]) => [path, lines(count)]))
  const job = jobOf(folderOf(files), Object.keys(files), {})
  const readFrom = async (cursor: unknown, most: number): Promise<{ read: Read[]; cursor: unknown }> => {
    const read: Read[] = []
    const signal = new AbortController().signal
    const reading = readFiles({ params: job, cursor, signal, state: openReader({ params: job }), receipts: [] })
    for await (const piece of reading as AsyncIterable<Read>) {
      read.push(piece)
      if (read.length === most) break
    }
    return { read, cursor: read.at(-1)?.cursor ?? cursor }
  }
  const whole = (read: readonly Read[]): string[] =>
    job.files.map((_, index) =>
      Buffer.concat(read.filter(({ value }) => value.file === index).map(({ value }) => value.bytes)).toString(),
    )
  const once = await readFrom(undefined, Infinity)
  const firsts = once.read.slice(0, 6).map(({ value }) => value.file)
  assert.ok(new Set(firsts).size > 2, `files are read beside each other: ${firsts.join()}`)
  for (const step of [1, 2, 3]) {
    const parts: Read[] = []
    for (let cursor: unknown; ;) {
      const next = await readFrom(cursor, step)
      parts.push(...next.read)
      cursor = structuredClone(next.cursor)
      if (next.read.length < step) break
    }
    assert.deepEqual(whole(parts), whole(once.read))
    assert.equal(parts.filter(({ value }) => value.end !== undefined).length, job.files.length)
  }
})

test('a kind, and a tenant, has as many pieces in flight as it may have connections, and keeps nobody else', async () => {
  const paths = ['big/slow1.csv', 'big/slow2.csv', 'big/other1.csv', 'small/other2.csv', 'small/slow3.csv']
  const directory = folderOf(Object.fromEntries(paths.map((path) => [path, lines(20)])))
  for (const [limits, most] of [
    [
      { kinds: { slow: { limits: { connections: 1 } }, other: {} } },
      ({ kind }: { kind: string }) => (kind === 'slow' ? 1 : 9),
    ],
    [{ tenantLimits: { connections: 2 } }, () => 2],
  ] as const) {
    const job = jobOf(directory, paths, limits)
    const state = openReader({ params: job })
    const controller = new AbortController()
    // Of an earlier life: it counts, and so does its end.
    const receipts = [0]
    const reading = readFiles({ params: job, cursor: undefined, signal: controller.signal, state, receipts })
    const inFlight: number[] = [0]
    const seen: number[] = []
    const group = (index: number): string =>
      'tenantLimits' in limits ? job.files[index]!.tenant : job.files[index]!.kind
    let next = reading.next() as Promise<IteratorResult<Read>>
    for (;;) {
      const result = await Promise.race([next, twoTurns()])
      if (result === undefined) {
        // Nothing may go on, or the file system is slow: the oldest ends.
        if (inFlight.length > 0) endPieces([inFlight.shift()], [], { state })
        continue
      }
      if (result.done === true) break
      const index = result.value.receipt
      inFlight.push(index)
      seen.push(index)
      const same = inFlight.filter((each) => group(each) === group(index)).length
      assert.ok(same <= most(job.files[index]!), `${same} of ${group(index)} in flight`)
      next = reading.next() as Promise<IteratorResult<Read>>
    }
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4],
    )
  }
})

test('a kind with a limit of rows is read more slowly than the others', async () => {
  const paths = ['a/slow.csv', 'a/quick.csv']
  const directory = folderOf({ 'a/slow.csv': lines(3_000), 'a/quick.csv': lines(60_000) })
  const job = jobOf(directory, paths, { kinds: { slow: { limits: { rowsPerSecond: 10_000 } }, quick: {} } })
  const signal = new AbortController().signal
  const order: number[] = []
  const startedAt = performance.now()
  const reading = readFiles({
    params: job,
    cursor: undefined,
    signal,
    state: openReader({ params: job }),
    receipts: [],
  })
  for await (const { value } of reading as AsyncIterable<Read>) {
    order.push(value.file)
    const rows = order.filter((file) => file === 0).length
    // Its pieces are of 64 KiB: all but the last have had to wait.
    assert.ok(value.file === 1 || (rows - 1) * 600 <= 10 * (performance.now() - startedAt) + 1, `${rows} pieces`)
  }
  assert.ok(order.indexOf(1) < 2 && order.lastIndexOf(1) < order.lastIndexOf(0), order.join(''))
})

test('statements of one kind are limited, and those of others are not', onServer, async () => {
  const directory = folderOf({ 'slow.csv': 'id\n1\n', 'free.csv': 'id\n1\n' }, 'kinds_time')
  await importHere({ directory, to })
  await withDatabase(to, '', (database) =>
    database.execute(`create function kinds_time.wait() returns trigger language plpgsql as 'begin perform pg_sleep(0.6); return new; end';
    create trigger wait before insert on kinds_time.slow for each row execute function kinds_time.wait();
    create trigger wait before insert on kinds_time.free for each row execute function kinds_time.wait();
    delete from kinds_time.slow; delete from kinds_time.free`),
  )
  const kinds = [{ pattern: 'slow.csv', limits: { statementTimeoutMs: 200 } }]
  const summary = await importHere({ directory, to, declared: { kinds } })
  assert.match(resultOf(summary, 'slow.csv').message!, /^a statement took longer than it may/)
  assert.equal(resultOf(summary, 'free.csv').outcome, 'imported')
  assert.deepEqual(await rowsAt(to, 'select count(*) as n from kinds_time.free'), [['1']])
})

test('a server that is slow is given rest, and that is told; one that is quick again gets all', onServer, async () => {
  const restraint = new Restraint(100)
  const shares = [50, 150, 150, 90, 90, 90, 90, 90, 90, 90].map((latencyMs) => {
    restraint.see(latencyMs)
    return restraint.share
  })
  assert.deepEqual(shares.slice(0, 4), [1, 0.5, 0.25, 0.3125])
  assert.equal(shares.at(-1), 1)
  for (let i = 0; i < 9; i++) restraint.see(1_000)
  assert.deepEqual([restraint.share, restraint.restMs(10), restraint.restMs(1e9)], [1 / 16, 150, 5_000])
  // No server answers in no time.
  const directory = folderOf({ 'a.csv': 'id\n1\n', 'b.csv': 'id\n1\n' }, 'rest')
  const told: unknown[] = []
  const summary = await importHere({
    directory,
    to,
    latencyMs: 1e-6,
    onProgress: ({ heldBack }) => heldBack !== undefined && told.push(heldBack),
  })
  assert.deepEqual([summary.imported, told.length > 0], [2, true])
  assert.ok(summary.heldBack!.latencyMs > 0 && summary.heldBack!.share < 1)
})
