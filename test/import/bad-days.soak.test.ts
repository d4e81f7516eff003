/** Days on which nothing goes as it should: the process is killed at any instant, connections break again and again, disks are full. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Pace } from '#src/import/pace.js'
import { exitCodeOf } from 'millrace/import'
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
import { Wire } from './wire.js'

const { onServer, to } = await databaseOnServer()
/** Each is a process of its own: `MILLRACE_IMPORT_KILLS=50` for as many as are promised. */
const KILLS = Number(process.env['MILLRACE_IMPORT_KILLS'] ?? 2)

const run = (sql: string): Promise<void> => withDatabase(to, '', (database) => database.execute(sql))
const ROWS = { small: 40, large: 30_000 }
/** Files of which each row says which version of them it is. */
const versionOf = (version: number): Record<string, string> => {
  const rows = (count: number): string =>
    Array.from({ length: count }, (_, i) => `${i},${version},${'.'.repeat(60)}\n`).join('')
  const small = Array.from({ length: 4 }, (_, i) => [`small${i}.csv`, `id,version,text\n${rows(ROWS.small)}`])
  return { ...Object.fromEntries(small), 'large.csv': `id,version,text\n${rows(ROWS.large)}` }
}
const TABLES = ['small0', 'small1', 'small2', 'small3', 'large']
const heldIn = async (schema: string): Promise<string[]> =>
  Promise.all(
    TABLES.map(async (table) => {
      const [[held]] = (await rowsAt(
        to,
        `select concat_ws(' ', count(*), count(distinct id), min(version), max(version)) as held from ${schema}.${table}`,
      )) as [[string]]
      return held
    }),
  )
const wholeOf = (version: number): string[] =>
  TABLES.map((table) => {
    const rows = table === 'large' ? ROWS.large : ROWS.small
    return `${rows} ${rows} ${version} ${version}`
  })

test('a process that is killed at any instant leaves each table whole, as it was or as it is', onServer, async () => {
  const directory = folderOf(versionOf(0), 'killed')
  const cwd = temporaryFolder()
  const startedAt = performance.now()
  assert.equal((await importByCommand([directory, '--to', to], { cwd })).code, 0)
  const usualMs = performance.now() - startedAt
  const seed = Math.trunc(Math.random() * 2 ** 31)
  const instants = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { numRuns: KILLS, seed })
  for (const [i, instant] of instants.entries()) {
    put(directory, versionOf(i + 1))
    const before = await heldIn('killed')
    const { code } = await importByCommand([directory, '--to', to], {
      cwd,
      onStart: (child) => void setTimeout(() => child.kill('SIGKILL'), instant * usualMs),
    })
    assert.ok(code === null || code === 0, `seed ${seed}, kill ${i}: exit code ${code}`)
    for (const [t, held] of (await heldIn('killed')).entries()) {
      assert.ok(held === before[t] || held === wholeOf(i + 1)[t], `seed ${seed}, kill ${i}, ${TABLES[t]}: ${held}`)
    }
  }
  // Whoever was killed lets go of the lock.
  const { code, stdout } = await importByCommand([directory, '--to', to], { cwd })
  assert.equal(code, 0, stdout)
  assert.deepEqual(await heldIn('killed'), wholeOf(KILLS))
  assert.match(stdout, /The books balance/)
})

test('connections that are reset again and again: the import ends, and all is there', onServer, async () => {
  const wire = await Wire.to(to)
  const directory = folderOf(versionOf(1), 'reset')
  let resets = 0
  const summary = await importHere({
    directory,
    to: wire.url,
    connections: 2,
    onRunning: (pipeline) => {
      let loaded = 0
      const timer = setInterval(() => {
        const { done } = pipeline.snapshot().nodes['load']!
        if (pipeline.state === 'ended' || resets === 20) return clearInterval(timer)
        if (done === loaded) return
        loaded = done
        resets++
        wire.reset()
      }, 2)
    },
  })
  assert.ok(resets > 2, `${resets} resets`)
  assert.deepEqual([summary.failure, summary.failed, summary.isBalanced], [undefined, 0, true])
  assert.deepEqual(await heldIn('reset'), wholeOf(1))
})

test(
  'a disk that is full: what was not written is told, the tables are as they were, and the next import goes on',
  onServer,
  async () => {
    const directory = folderOf(versionOf(1), 'full')
    await importHere({ directory, to })
    await run(`create function full_disk() returns trigger language plpgsql as
    $$begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end$$;
    create trigger full_disk before insert on "full".large for each statement execute function full_disk()`)
    put(directory, versionOf(2))
    const summary = await importHere({ directory, to })
    assert.equal(summary.failure, 'could not extend file: No space left on device')
    assert.equal(exitCodeOf(summary), 1)
    assert.equal(resultOf(summary, 'large.csv').outcome, 'not read')
    assert.deepEqual(await heldIn('"full"'), [...wholeOf(2).slice(0, 4), wholeOf(1)[4]])
    await run('drop trigger full_disk on "full".large')
    assert.deepEqual((await importHere({ directory, to })).failed, 0)
    assert.deepEqual(await heldIn('"full"'), wholeOf(2))
  },
)

test('a statement that takes longer than it may fails its file alone', onServer, async () => {
  const directory = folderOf({ 'slow.csv': 'id\n1\n', 'quick.csv': 'id\n1\n' }, 'timed')
  await importHere({ directory, to })
  await run(`create function timed.wait() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end';
    create trigger wait before insert on timed.slow for each row execute function timed.wait()`)
  put(directory, { 'slow.csv': 'id\n2\n', 'quick.csv': 'id\n2\n' })
  const declared = { limits: { statementTimeoutMs: 300 } }
  const summary = await importHere({ directory, to, declared })
  assert.match(
    resultOf(summary, 'slow.csv').message!,
    /^a statement took longer than it may; nothing of it was written/,
  )
  assert.deepEqual(await rowsAt(to, 'select (select id from timed.slow) as a, (select id from timed.quick) as b'), [
    ['1', '2'],
  ])
})

test('a limit of rows: what the limit lets through in a second is read, whatever the pieces', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.array(fc.record({ rows: fc.integer({ min: 1, max: 5_000 }), workMs: fc.integer({ min: 0, max: 3_000 }) }), {
        minLength: 1,
      }),
      (limit, pieces) => {
        const pace = new Pace(limit)
        let now = 1_000
        let rows = 0
        for (const piece of pieces) {
          now += piece.workMs
          rows += piece.rows
          now += Math.max(0, pace.waitMs(piece.rows, now))
          assert.ok(rows <= (limit * (now - 1_000)) / 1_000 + 1e-6, `${rows} rows in ${now - 1_000} ms`)
        }
      },
    ),
  )
})

test('an import with a limit of rows imports the same, in smaller pieces', onServer, async () => {
  const directory = folderOf(versionOf(3), 'paced')
  let pieces = 0
  const summary = await importHere({
    directory,
    to,
    rowsPerSecond: 1_000_000,
    onRunning: (pipeline) => void pipeline.finished.then(() => (pieces = pipeline.snapshot().nodes['load']!.done)),
  })
  assert.deepEqual([summary.failed, summary.isBalanced], [0, true])
  assert.ok(pieces > 30, `${pieces} pieces`)
  assert.deepEqual(await heldIn('paced'), wholeOf(3))
})
