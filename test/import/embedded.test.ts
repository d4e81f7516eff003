/** The import as a user runs it, into the embedded database. */
import assert from 'node:assert/strict'
import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Summary, summarize } from '../../examples/import/summary.js'
import {
  VEGA,
  dataOf,
  embeddedTables,
  folderOf,
  importByCommand,
  importHere,
  killEachStageOnce,
  temporaryFolder,
  withDatabase,
  workingDirectory,
} from './harness.js'

function assertBalanced(summary: Summary): void {
  assert.equal(summary.rowsRead, summary.rowsWritten + summary.rowsDeadLettered)
  assert.equal(summary.failure, undefined)
}

const ODD = {
  'bom.csv': '\uFEFFid,name\n1,one\n2,two\n',
  'crlf.csv': 'id,name\r\n1,"two\r\nlines"\r\n2,x\r\n',
  'duplicate.csv': 'id,name,name,Name\n1,a,b,c\n',
  'empty.csv': '',
  'header.csv': 'id,name\n',
  'binary.csv': Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]),
  'ragged.csv': 'id,name\n1,one\n2\n3,three,more\n4,four\n',
  // What does not fit comes behind the sample that the columns are inferred from.
  'late.csv': `id,day,text\n${`1,2024-01-01,${'.'.repeat(1_000)}\n`.repeat(300)}x,2024-01-01,\n2,2024-02-30,\n3,2024-02-28,\n`,
  'notes.txt': 'not a CSV file',
}

test('odd files have a clear outcome each, and twice is the same as once', async () => {
  const cwd = await workingDirectory()
  const directory = folderOf(ODD)
  const first = await importByCommand([directory, '--json'], { cwd })
  assert.equal(first.code, 1, first.stderr)
  const { summary } = first
  assertBalanced(summary)
  assert.equal(summary.files, 8)
  assert.deepEqual(summary.incomplete, [{ file: 'binary.csv', reason: 'binary file, or not UTF-8', rowsWritten: 0 }])
  assert.equal(summary.rowsDeadLettered, 4)
  assert.equal(summary.rowsWritten, 2 + 2 + 1 + 2 + 301)
  assert.match(first.stderr, /empty\.csv .*empty file/)
  assert.match(first.stderr, /header\.csv .*header alone/)
  assert.match(first.stderr, /bom\.csv .*byte order mark/)
  assert.match(first.stderr, /duplicate\.csv .*duplicate column "name"/)
  assert.match(first.stderr, /binary\.csv .*binary file/)

  const rows = await withDatabase(undefined, dataOf(cwd), async (database) => ({
    bom: await database.query('select id, name from bom order by id'),
    crlf: await database.query('select source_line, id, name from crlf order by id'),
    duplicate: await database.query('select * from duplicate'),
    header: await database.query('select * from header'),
    letters: await database.query('select * from dead_letters order by file, line'),
  }))
  assert.deepEqual(rows.bom, [
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
  ])
  assert.deepEqual(rows.crlf, [
    { source_line: 2, id: 1, name: 'two\r\nlines' },
    { source_line: 4, id: 2, name: 'x' },
  ])
  assert.deepEqual(rows.duplicate, [
    { source_file: 'duplicate.csv', source_line: 2, id: 1, name: 'a', name_2: 'b', name_3: 'c' },
  ])
  assert.deepEqual(rows.header, [])
  assert.deepEqual(rows.letters, [
    { file: 'late.csv', line: 302, reason: 'id: "x" is no bigint', raw: 'x,2024-01-01,' },
    { file: 'late.csv', line: 303, reason: 'day: "2024-02-30" is no date', raw: '2,2024-02-30,' },
    { file: 'ragged.csv', line: 3, reason: '1 cells, and the header has 2', raw: '2' },
    { file: 'ragged.csv', line: 4, reason: '3 cells, and the header has 2', raw: '3,three,more' },
  ])

  const once = await embeddedTables(dataOf(cwd))
  const second = await importByCommand([directory, '--json'], { cwd })
  assert.deepEqual({ ...second.summary, seconds: 0, stages: {} }, { ...summary, seconds: 0, stages: {} })
  assert.deepEqual(await embeddedTables(dataOf(cwd)), once)
})

test('the main job: 23 files, every row accounted for; a worker that dies midway changes no table', async () => {
  const calm = temporaryFolder()
  const { code, summary, stdout } = await importByCommand(['--json'], { cwd: calm })
  assert.equal(code, 0)
  assert.equal(stdout.trimEnd().split('\n').length, 1, 'stdout holds the JSON line alone')
  assertBalanced(summary)
  assert.equal(summary.files, 23)
  assert.ok(summary.rowsRead > 95_000)
  assert.deepEqual(Object.keys(summary), ['files', 'rowsRead', 'rowsWritten', 'rowsDeadLettered', 'seconds', 'stages'])
  assert.deepEqual(Object.keys(summary.stages), ['files', 'parse', 'convert', 'postgres', 'unwritten', 'notes'])
  for (const stage of Object.values(summary.stages)) {
    assert.deepEqual(Object.keys(stage), ['in', 'out', 'busy', 'starved', 'blocked'])
  }

  const stormy = dataOf(await workingDirectory())
  const result = await importHere({ directory: VEGA, dataDirectory: stormy, onRunning: killEachStageOnce })
  assert.equal(result.failure, undefined)
  const { rowsRead, rowsWritten, rowsDeadLettered } = summarize(result)
  assert.deepEqual(
    { rowsRead, rowsWritten, rowsDeadLettered },
    {
      rowsRead: summary.rowsRead,
      rowsWritten: summary.rowsWritten,
      rowsDeadLettered: summary.rowsDeadLettered,
    },
  )
  assert.deepEqual(await embeddedTables(stormy), await embeddedTables(dataOf(calm)))
})

test('files that vanish or change midway are told, and the others are imported', async () => {
  const wide = `text\n${`${'x'.repeat(100_000)}\n`.repeat(150)}`
  const directory = folderOf({ 'a.csv': wide, 'b.csv': 'id\n1\n', 'c.csv': 'id\n7\n', 'd.csv': 'id\n8\n' })
  const result = await importHere({
    directory,
    dataDirectory: dataOf(await workingDirectory()),
    onRunning: () => {
      unlinkSync(join(directory, 'b.csv'))
      writeFileSync(join(directory, 'c.csv'), 'name\n7\n')
    },
  })
  const summary = summarize(result)
  assertBalanced(summary)
  assert.equal(summary.rowsWritten, 151)
  const [vanished, changed, ...others] = summary.incomplete!
  assert.deepEqual([vanished!.file, changed!.file, others], ['b.csv', 'c.csv', []])
  assert.match(vanished!.reason, /ENOENT/)
  assert.equal(changed!.reason, 'the file has changed since it was looked at')
})

test('nothing to import is said, and nothing is made', async () => {
  const cwd = temporaryFolder()
  const missing = await importByCommand([join(cwd, 'nowhere'), '--json'], { cwd })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /nowhere cannot be read: ENOENT/)
  const none = await importByCommand([folderOf({ 'a.txt': '' })], { cwd })
  assert.equal(none.code, 1)
  assert.match(none.stderr, /holds no CSV file/)
  const misused = await importByCommand(['--jsn'], { cwd })
  assert.equal(misused.code, 2)
  assert.match(misused.stderr, /Usage: npm start/)
})

test('Ctrl-C drains: what was read is written, and no row is on its way', async () => {
  const cwd = await workingDirectory()
  const interrupted = await importByCommand([VEGA, '--json'], {
    cwd,
    onStart: (child) => {
      // Once: a second one would end the process, and on a slow machine there is time for a second line.
      const onProgress = (text: Buffer): void => {
        if (!/ s: files/.test(text.toString())) return
        child.stderr!.off('data', onProgress)
        child.kill('SIGINT')
      }
      child.stderr!.on('data', onProgress)
    },
  })
  assert.equal(interrupted.code, 130, interrupted.stderr)
  assertBalanced(interrupted.summary)
  assert.equal(interrupted.summary.isInterrupted, true)
  assert.ok(interrupted.summary.rowsWritten > 0)
})
