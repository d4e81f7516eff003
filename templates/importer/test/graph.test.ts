import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { run } from 'millrace'
import postgres from 'postgres'
import graph, { rowOf } from '../src/graph.ts'

const database = process.env['DATABASE_URL']

test('a row has its types, or is refused with what is wrong', () => {
  const cells = { id: '7', name: 'Ada', day: '2026-01-31', amount: '1.5' }
  assert.deepEqual(rowOf(cells), { id: 7, name: 'Ada', day: '2026-01-31', amount: 1.5 })
  assert.throws(() => rowOf({ ...cells, day: 'yesterday' }), /The day of 7 is none: "yesterday"/)
  assert.throws(() => rowOf({ ...cells, amount: '' }), /The amount of 7/)
})

test('files are in the database, each row once', { skip: database === undefined && 'set DATABASE_URL' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'importer-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const lines = Array.from({ length: 5_000 }, (_, n) => `${n},"name, ${n}",2026-01-31,${n / 4}`)
  const header = 'id,name,day,amount'
  writeFileSync(join(folder, 'a.csv'), [header, ...lines.slice(0, 2_000), 'x,,,'].join('\n'))
  writeFileSync(join(folder, 'b.csv.gz'), gzipSync([header, ...lines.slice(1_000)].join('\n')))
  const refused = join(folder, 'refused.ndjson')
  // A schema for this test alone: nothing of the database is touched.
  const [schema, own] = [`test_${process.pid}`, new URL(database!)]
  own.searchParams.set('search_path', schema)
  const sql = postgres(own.href, { onnotice: () => undefined })
  await sql`CREATE SCHEMA ${sql(schema)}`
  t.after(async () => {
    await sql`DROP SCHEMA ${sql(schema)} CASCADE`
    await sql.end()
  })

  const pipeline = await run(graph, { params: { folder, refused, database: own.href } })
  await pipeline.finished

  const [row] = await sql`SELECT count(*)::int AS count, sum(amount)::float8 AS sum, min(name) AS name FROM imported`
  assert.deepEqual({ ...row }, { count: 5_000, sum: (4_999 * 5_000) / 8, name: 'name, 0' })
  assert.match(readFileSync(refused, 'utf8'), /^{"input":{"id":"x".*The id is no number/)
})
