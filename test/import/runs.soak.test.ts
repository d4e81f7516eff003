/** Runs of an import: one at a time for a source, what they need not do again, what the books say of them, and whom they tell. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { type IncomingMessage, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Pipeline } from 'millrace'
import { progressText } from '#src/cli/import-progress.js'
import { ImportBusy, type Progress, importDirectory, listRuns, runsText } from 'millrace/import'
import {
  databaseOnServer,
  folderOf,
  importByCommand,
  importHere,
  put,
  resultOf,
  rowsAt,
  temporaryFolder,
  withDatabase,
} from './harness.js'

const { onServer, to } = await databaseOnServer()

test(
  'a second import of a source does not begin while one runs; the command says so by its exit code',
  onServer,
  async () => {
    const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'busy')
    await importHere({ directory, to })
    let first!: Promise<unknown>
    await withDatabase(to, '', (holder) =>
      holder.transaction(async () => {
        await holder.execute('lock table busy.a in access exclusive mode')
        await new Promise<Pipeline>((resolve) => {
          first = importHere({ directory, to, onRunning: resolve })
        })
        await assert.rejects(importHere({ directory, to }), (error: unknown) => {
          assert.ok(error instanceof ImportBusy)
          assert.match(
            error.message,
            /^Another import of the source "busy" is running: run 2, since .* UTC\. Nothing was imported\.$/,
          )
          return true
        })
        const { code, stderr } = await importByCommand([directory, '--to', to], { cwd: temporaryFolder() })
        assert.equal(code, 75, stderr)
        // Another source is none of its business.
        assert.equal((await importHere({ directory: folderOf({ 'a.csv': 'id\n1\n' }, 'free'), to })).imported, 1)
      }),
    )
    await first
    assert.equal((await importHere({ directory, to })).imported, 1)
  },
)

test('the lock is taken again when its connection broke', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'retaken')
  await importHere({ directory, to })
  let first!: Promise<{ failure?: string }>
  const holders = 'select pid from pg_locks where classid = 7113003 and granted'
  await withDatabase(to, '', (holder) =>
    holder.transaction(async () => {
      await holder.execute('lock table retaken.a in access exclusive mode')
      await new Promise<Pipeline>((resolve) => {
        first = importHere({ directory, to, onRunning: resolve })
      })
      const [[before]] = (await rowsAt(to, holders)) as [[string]]
      await rowsAt(to, `select pg_terminate_backend(${before})`)
      let now = before
      while (now === before) now = (await rowsAt(to, holders))[0]?.[0] ?? before
      await assert.rejects(importHere({ directory, to }), ImportBusy)
    }),
  )
  assert.equal((await first).failure, undefined)
})

test('an import whose lock another one took while its connection was broken ends, and says so', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'overtaken')
  await importHere({ directory, to })
  let first!: Promise<{ failure?: string }>
  await withDatabase(to, '', (holder) =>
    holder.transaction(async () => {
      await holder.execute('lock table overtaken.a in access exclusive mode')
      await new Promise<Pipeline>((resolve) => {
        first = importHere({ directory, to, onRunning: resolve })
      })
      await withDatabase(to, '', async (other) => {
        const lock = `select pg_advisory_lock(7113003, id)::text from millrace_imports.sources where name = 'overtaken'`
        const waiting = other.query(lock)
        const locks = 'select pid from pg_locks where classid = 7113003 and'
        while ((await rowsAt(to, `${locks} not granted`)).length === 0);
        const [[owner]] = (await rowsAt(to, `${locks} granted`)) as [[string]]
        await rowsAt(to, `select pg_terminate_backend(${owner})`)
        await waiting
        await holder.execute('commit; begin')
        assert.match((await first).failure!, /another import of the source has begun meanwhile/)
      })
    }),
  )
})

test(
  'files that are as they were are not read; what changed, failed, lost its table or is read in another way is',
  onServer,
  async () => {
    const directory = folderOf(
      { 'a.csv': 'id\n1\n', 'b.csv': 'id\n1\n', 'c.csv': 'id\nx\n', 'broken.csv': 'a,b\n1\n' },
      'settled',
    )
    const read = async (options = {}): Promise<string[]> => {
      const summary = await importHere({ directory, to, files: 'changed', ...options })
      assert.equal(summary.files, 4)
      return summary.results.filter(({ outcome }) => outcome !== 'unchanged').map(({ path }) => path)
    }
    // What was written just now may change without a sign, and is read again.
    const untilSettled = async (): Promise<void> => {
      while ((await importHere({ directory, to, files: 'changed' })).unchanged < 3);
    }
    await untilSettled()
    assert.deepEqual(await read(), ['broken.csv'])
    const { unchanged, rows, inserted } = await importHere({ directory, to, files: 'changed' })
    assert.deepEqual([unchanged, rows, inserted], [3, 3, 0])
    put(directory, { 'a.csv': 'id\n2\n' })
    assert.deepEqual(await read(), ['a.csv', 'broken.csv'])
    assert.deepEqual(await rowsAt(to, 'select id from settled.a'), [['2']])
    await untilSettled()
    await withDatabase(to, '', (database) => database.execute('drop table settled.b'))
    assert.deepEqual(await read(), ['b.csv', 'broken.csv'])
    assert.deepEqual(await rowsAt(to, 'select id from settled.b'), [['1']])
    const declared = { kinds: [{ pattern: 'c.csv', nulls: ['x'], columns: { id: { type: 'bigint' } } }] } as const
    assert.deepEqual(await read({ declared }), ['broken.csv', 'c.csv'])
    assert.deepEqual(await read({ files: 'all' }), ['a.csv', 'b.csv', 'broken.csv', 'c.csv'])
  },
)

test('where nothing has changed no pipeline starts', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'nothing_new')
  while ((await importHere({ directory, to, files: 'changed' })).unchanged === 0);
  const result = await importDirectory({ directory, to, onRunning: () => assert.fail('a pipeline runs') })
  assert.equal(result.snapshot, undefined)
  assert.equal((await listRuns({ to, source: 'nothing_new' }))[0]!.unchanged, 1)
})

test(
  'a file that comes under another kind leaves its former table, and is whole in the new one',
  onServer,
  async () => {
    const directory = folderOf({ 'a/orders.csv': 'id\n1\n2\n', 'b/orders.csv': 'id\n3\n' }, 'moved')
    await importHere({ directory, to })
    for (const mode of ['append', 'replace'] as const) {
      const declared = { kinds: [{ pattern: '{tenant}/orders.csv', name: mode, table: `orders_${mode}`, mode }] }
      const summary = await importHere({ directory, to, declared })
      assert.match(
        resultOf(summary, 'a/orders.csv').remarks.join(),
        mode === 'append'
          ? /2 rows went from moved\.a_orders to moved\.orders_append/
          : /2 rows went from .*append to /,
      )
      assert.deepEqual(await rowsAt(to, `select tenant, id from moved.orders_${mode} order by id`), [
        ['a', '1'],
        ['a', '2'],
        ['b', '3'],
      ])
      assert.deepEqual(await rowsAt(to, 'select count(*) from moved.a_orders'), [['0']])
    }
    assert.deepEqual(await rowsAt(to, 'select count(*) from moved.orders_append'), [['0']])
  },
)

test('retry reads files that failed or have dead letters, and no others', onServer, async () => {
  const directory = folderOf(
    { 'good.csv': 'id\n1\n', 'dead.csv': 'a,b\n1,2\n3\n5,6\n', 'failed.csv': 'a,b\n1\n' },
    'retried',
  )
  await importHere({ directory, to })
  put(directory, { 'dead.csv': 'a,b\n1,2\n3,4\n5,6\n' })
  const summary = await importHere({ directory, to, files: 'failed' })
  assert.deepEqual(
    summary.results.map(({ path, outcome, deadLetters }) => [path, outcome, deadLetters]),
    [
      ['dead.csv', 'imported', 0],
      ['failed.csv', 'failed', 1],
    ],
  )
  rmSync(join(directory, 'failed.csv'))
  const { code, summary: nothing } = await importByCommand(['retry', directory, '--to', to, '--json'], {
    cwd: temporaryFolder(),
  })
  assert.deepEqual([code, nothing.files], [0, 0])
})

test('the books say how runs ended: imported, failed, cut off', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n', 'b.csv': 'a,b\n1\n' }, 'history')
  await importHere({ directory, to })
  put(directory, { 'a.csv': 'id,n\n1,2\n2,3\n' })
  rmSync(join(directory, 'b.csv'))
  await importHere({ directory, to })
  await withDatabase(to, '', (database) =>
    database.execute(
      `insert into millrace_imports.runs (source) select id from millrace_imports.sources where name = 'history'`,
    ),
  )
  const open = await listRuns({ to, source: 'history' })
  assert.deepEqual(
    open.map(({ outcome, imported, failed, rows, schemaChanges }) => [outcome, imported, failed, rows, schemaChanges]),
    [
      ['open', 0, 0, 0, 0],
      ['imported', 1, 0, 2, 1],
      ['failed', 1, 1, 1, 0],
    ],
  )
  await importHere({ directory, to })
  const [, cut] = await listRuns({ to, source: 'history' })
  assert.deepEqual([cut!.outcome, cut!.message], ['failed', 'it was cut off'])
  const { code, stdout } = await importByCommand(
    ['runs', '--to', to, '--source', 'history', '--limit', '2', '--json'],
    {
      cwd: temporaryFolder(),
    },
  )
  const listed = JSON.parse(stdout) as { outcome: string }[]
  assert.deepEqual([code, listed.map(({ outcome }) => outcome)], [0, ['imported', 'failed']])
  assert.match(runsText(open), /failed +1 +0 +1 +1 +1 not imported/)
})

test('a webhook is told of failures, schema changes and dead letters, and of nothing else', onServer, async () => {
  const bodies: { concern: string; source: string; results: { path: string }[] }[] = []
  const web = createServer((request: IncomingMessage, response) => {
    void (async () => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      bodies.push(JSON.parse(body) as never)
      // It is tried again where it is not well.
      response.writeHead(bodies.length === 1 ? 503 : 204).end()
    })()
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  after(() => web.close())
  const webhook = `http://127.0.0.1:${(web.address() as AddressInfo).port}/told`
  const directory = folderOf({ 'a.csv': 'a,b\n1,1\n2,2\n3\n' }, 'told')
  const cwd = temporaryFolder()
  const told = async (file: string): Promise<string[]> => {
    put(directory, { 'a.csv': file })
    bodies.length = file.includes('4,4') ? 0 : 1
    await importByCommand([directory, '--to', to, '--webhook', webhook], { cwd })
    return bodies.slice(file.includes('4,4') ? 0 : 1).map(({ concern }) => concern)
  }
  assert.deepEqual(await told('a,b\n1,1\n2,2\n3\n4,4\n'), ['dead letters', 'dead letters'])
  assert.deepEqual(
    bodies[0]!.results.map(({ path }) => path),
    ['a.csv'],
  )
  assert.deepEqual(await told('a,b\n1,1\n'), [])
  assert.deepEqual(await told('a,b,c\n1,1,1\n'), ['schema change'])
  assert.deepEqual(await told('a,b,c\n1,1\n'), ['failure'])
})

test(
  'progress is told from the first moment on, and no start deadline runs while files are looked for and entered',
  onServer,
  async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d${i % 7}/f${i}.csv`, 'id\n1\n']))
    const directory = folderOf(files, 'many')
    const told: Progress[] = []
    let isRunning = false
    let importing!: Promise<unknown>
    await withDatabase(to, '', (holder) =>
      holder.transaction(async () => {
        // Whoever gives names waits for this, however long it takes.
        await holder.query('select pg_advisory_xact_lock(7113001)')
        importing = importHere({
          directory,
          to,
          onProgress: (progress) => told.push(progress),
          onRunning: () => (isRunning = true),
        })
        const waiting = `select 1 from pg_locks where objid = 7113001 and not granted`
        while ((await rowsAt(to, waiting)).length === 0);
        assert.deepEqual([isRunning, told.at(-1)!.phase, told.at(-1)!.files], [false, 'opening', 300])
      }),
    )
    await importing
    assert.deepEqual(
      told.filter(({ phase }) => phase === 'looking').map(({ files }) => files),
      Array.from({ length: 301 }, (_, i) => i),
    )
    const last = told.at(-1)!
    assert.deepEqual(
      [last.endedFiles, last.files, last.loadedBytes, last.bytes, last.rows],
      [300, 300, 1_500, 1_500, 300],
    )
  },
)

test(
  'within a large file too, progress is told: bytes, and what they say of the time that is left',
  onServer,
  async () => {
    const text = `id,text\n${'1,'.padEnd(100, '.')}\n`.concat(`${'2,'.padEnd(100, '.')}\n`.repeat(60_000))
    const directory = folderOf({ 'large.csv': text, 'small.csv': 'id\n1\n' }, 'large')
    const told: Progress[] = []
    await importHere({ directory, to, onProgress: (progress) => told.push(progress) })
    const importing = told.filter(({ phase }) => phase === 'importing')
    const shares = importing.map(({ loadedBytes, bytes }) => loadedBytes / bytes)
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    )
    assert.deepEqual([shares[0], shares.at(-1)], [0, 1])
    assert.ok(new Set(shares).size > 4, shares.join())
    const half = { ...importing.at(-1)!, endedFiles: 1, loadedBytes: 3_000_000, bytes: 6_000_000, rows: 1 }
    assert.equal(progressText(half, 30_000), '1 of 2 files, 50 % of 6 MB, 1 rows, about 30 s left.')
    assert.equal(progressText({ ...half, phase: 'looking', files: 1_200 }, 0), 'Looking for files: 1,200 files so far.')
  },
)
