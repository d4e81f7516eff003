/** SQL stores: the suite of all stores, SQL that users write, retention, and databases that are away, locked or killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PostgresStore } from '#src/trace/store/sql/postgres-store.js'
import { openSqlite } from '#src/trace/store/sql/sqlite.js'
import { SqliteStore } from '#src/trace/store/sql/sqlite-store.js'
import { databaseOnServer, newDatabase, withDatabase } from '../import/harness.js'
import { type Played, play } from './model.js'
import { read, storeSuite } from './store-suite.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-sql-'))
after(() => rmSync(folder, { recursive: true }))
const hasSqlite = await openSqlite(':memory:').then(
  (database) => {
    database.close()
    return true
  },
  () => false,
)
const onSqlite = hasSqlite ? {} : { skip: 'neither node:sqlite nor better-sqlite3 is there' }
const { onServer, to } = await databaseOnServer()

const databases = new Map<string, string>()
async function urlOf(place: string): Promise<string> {
  const url = databases.get(place) ?? (await newDatabase(to))
  databases.set(place, url)
  return url
}

storeSuite({
  name: 'sqlite',
  options: onSqlite,
  isKept: true,
  open: (place) => SqliteStore.open(join(folder, place), { maxAgeMs: Infinity }),
})
storeSuite({
  name: 'postgres',
  options: onServer,
  isKept: true,
  open: async (place) => PostgresStore.open(await urlOf(place), { days: 36_500 }),
})

/** As the page about data flow tracing that users come from has it. */
const DEPENDENCIES = `
-- Find most active data flows
SELECT 
    source_actor,
    destination_actor,
    COUNT(*) as message_count,
    AVG(execution_time_ns) as avg_transfer_time,
    SUM(size_bytes) as total_bytes
FROM data_flow_events 
WHERE timestamp > NOW() - INTERVAL '1 hour'
GROUP BY source_actor, destination_actor
ORDER BY message_count DESC;
`

interface Flow {
  readonly source_actor: string
  readonly destination_actor: string
  readonly message_count: number | string
  readonly avg_transfer_time: number | string
  readonly total_bytes: number | string
}

function compare(rows: readonly Flow[], { counts, edges }: Played): void {
  const expected = new Map<string, { count: number; bytes: number }>()
  for (const [edge, { arrived }] of counts.entries()) {
    if (arrived === 0) continue
    const key = `${edges[edge]!.from} ${edges[edge]!.to}`
    const { count, bytes } = expected.get(key) ?? { count: 0, bytes: 0 }
    expected.set(key, { count: count + arrived, bytes: bytes + arrived * (20 + edge) })
  }
  const found = rows.map((row): [string, unknown] => [
    `${row.source_actor} ${row.destination_actor}`,
    { count: Number(row.message_count), bytes: Math.round(Number(row.total_bytes)) },
  ])
  assert.deepEqual(new Map(found), expected)
  const messages = rows.map((row) => Number(row.message_count))
  assert.deepEqual(
    messages,
    messages.toSorted((a, b) => b - a),
  )
  assert.ok(rows.every((row) => Number(row.avg_transfer_time) > 0))
}

const recent = (): Played => play(21, { chunks: 40, trouble: 0.2, startAt: Date.now() - 60_000 })
const old = play(22, { chunks: 5, startAt: Date.now() - 7_200_000 })

test('sqlite: the dependency query runs as written, and counts records', onSqlite, async () => {
  const store = await SqliteStore.open(join(folder, 'query'))
  const played = recent()
  await store.begin(played.run)
  store.write(old.events)
  store.write(played.events)
  await store.flush()
  compare(store.query(DEPENDENCIES) as Flow[], played)
  const [{ count }] = store.query(`select count(*) as count from trace_events where event_type = 'end'`) as [
    { count: number },
  ]
  assert.equal(count, [...old.events, ...played.events].filter(({ kind }) => kind === 'end').length)
  await store.close()
})

test('sqlite: what is older than it keeps is gone', onSqlite, async () => {
  const place = join(folder, 'retention')
  const first = await SqliteStore.open(place)
  first.write(old.events)
  await first.close()
  const played = recent()
  const second = await SqliteStore.open(place, { maxAgeMs: 3_600_000 })
  second.write(played.events)
  await second.flush()
  assert.deepEqual(await read(second), played.events)
  await second.close()
})

test('sqlite: a writer that is killed loses a batch at most', onSqlite, async () => {
  const place = join(folder, 'killed')
  const script = fileURLToPath(new URL('sqlite-writer.js', import.meta.url))
  const child = spawn(process.execPath, [script, place], { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  while (out.split('\n').length < 4) await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  const flushed = Number(out.split('\n').findLast((line, i, all) => i < all.length - 1 && line !== ''))
  const store = await SqliteStore.open(place, { maxAgeMs: Infinity })
  const found = await read(store)
  assert.ok(found.length >= flushed && found.every(({ sequence }, i) => sequence === i))
  await store.close()
})

test('sqlite: a file that is no database is refused; one that is locked costs what was counted', onSqlite, async () => {
  await assert.rejects(SqliteStore.open(join(folder, 'nowhere', 'file')), { code: 'TRACE_STORE_UNUSABLE' })
  const place = join(folder, 'locked')
  const store = await SqliteStore.open(place)
  const other = await openSqlite(place)
  other.exec('begin exclusive')
  store.write(old.events)
  await store.flush()
  other.exec('rollback')
  const { written, dropped, failures } = store.stats()
  assert.deepEqual([written, dropped, failures], [0, old.events.length, 1])
  store.write(old.events)
  await store.close()
  other.close()
  assert.equal(store.stats().written, old.events.length)
})

test('postgres: the dependency query runs verbatim, and counts records', onServer, async () => {
  const url = await urlOf('query')
  const store = await PostgresStore.open(url)
  const played = recent()
  await store.begin(played.run)
  store.write(old.events)
  store.write(played.events)
  await store.flush()
  await withDatabase(url, '', async (database) => {
    compare(await database.query<Flow>(DEPENDENCIES), played)
    const rows = await database.query<{ count: number }>(
      `select count(*)::int as count from trace_events where event_type = 'end' and data->>'outcome' = 'ok'`,
    )
    const ends = [...old.events, ...played.events].filter(({ kind, outcome }) => kind === 'end' && outcome === 'ok')
    assert.equal(rows[0]!.count, ends.length)
  })
  await store.close()
})

test('postgres: events lie in partitions by day, and days that are no longer kept are dropped', onServer, async () => {
  const url = await urlOf('days')
  const day = 86_400_000
  const store = await PostgresStore.open(url, { days: 2 })
  const past = play(23, { startAt: Date.now() - 5 * day })
  store.write(past.events)
  await store.flush()
  const present = recent()
  store.write(present.events)
  await store.flush()
  await store.expire()
  assert.deepEqual(await read(store), present.events)
  const partitions = await withDatabase(url, '', (database) =>
    database.query<{ name: string }>(`select relname as name from pg_class where relname ~ '^events_\\d{8}$'`),
  )
  const days = new Set(present.events.map(({ handedOffAt }) => new Date(handedOffAt).toISOString().slice(0, 10)))
  assert.equal(partitions.length, days.size)
  await store.expire(Date.now() + 10 * day)
  assert.deepEqual(await read(store), [])
  store.write(present.events)
  await store.flush()
  assert.deepEqual(await read(store), present.events)
  await store.close()
})

test('postgres: a server that is away is told; connections that break cost what was counted', onServer, async () => {
  await assert.rejects(PostgresStore.open('postgres://127.0.0.1:1/none'), { code: 'TRACE_STORE_UNUSABLE' })
  const url = await urlOf('broken')
  const store = await PostgresStore.open(url, { batch: 50 })
  const { events } = recent()
  store.write(events.slice(0, 50))
  await store.flush()
  await withDatabase(url, '', (database) => database.execute('alter table millrace_trace.events rename to away'))
  store.write(events.slice(50, 100))
  await store.flush()
  assert.deepEqual([store.stats().written, store.stats().dropped, store.stats().failures], [50, 50, 1])
  await withDatabase(url, '', (database) =>
    database.execute(
      `alter table millrace_trace.away rename to events; select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace trace' and datname = current_database()`,
    ),
  )
  store.write(events.slice(100))
  await store.close()
  const { written, dropped } = store.stats()
  assert.equal(written + dropped, events.length)
  const again = await PostgresStore.open(url)
  assert.equal((await read(again)).length, written)
  await again.close()
})
