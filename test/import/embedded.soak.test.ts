/** The main job as a user runs it, into the embedded database: half a minute. Parts of it are in `embedded.test.ts` and `damage.test.ts`. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ImportRun } from 'millrace/import'
import { VEGA, importByCommand, tablesOf, temporaryFolder, withDatabase } from './harness.js'

const cwd = temporaryFolder()
const database = join(cwd, '.millrace', 'import', 'database')

test('the main job: every file of a package, twice the same', async () => {
  const first = await importByCommand([VEGA, '--json', '--source', 'vega'], { cwd })
  assert.equal(first.code, 0, first.stderr)
  assert.equal(first.stdout.trimEnd().split('\n').length, 1, 'stdout holds the JSON line alone')
  const { files, imported, failed, rows, inserted, deadLetters, stages } = first.summary
  assert.deepEqual([files, imported, failed, deadLetters], [24, 24, 0, 0])
  assert.ok(rows > 95_000)
  assert.equal(inserted, rows)
  // On two cores one thread reads and parses.
  const parse = availableParallelism() > 2 ? ['parse'] : []
  assert.deepEqual(Object.keys(stages), ['files', ...parse, 'load', 'notes', 'lost'])
  const once = await withDatabase(undefined, database, (database) => tablesOf(database, 'vega'))
  const second = await importByCommand([VEGA, '--json', '--source', 'vega'], { cwd })
  const { unchanged, rows: still, inserted: written } = second.summary
  assert.deepEqual([unchanged, still, written], [24, rows, 0])
  assert.deepEqual(await withDatabase(undefined, database, (database) => tablesOf(database, 'vega')), once)
  const all = await importByCommand([VEGA, '--json', '--source', 'vega', '--all'], { cwd })
  assert.deepEqual([all.summary.unchanged, all.summary.rows, all.summary.inserted], [0, rows, 0])
  const runs = await importByCommand(['runs', '--json'], { cwd })
  assert.deepEqual(
    (JSON.parse(runs.stdout) as ImportRun[]).map(({ outcome, imported, unchanged }) => [outcome, imported, unchanged]),
    [
      ['imported', 24, 0],
      ['imported', 0, 24],
      ['imported', 24, 0],
    ],
  )
})
