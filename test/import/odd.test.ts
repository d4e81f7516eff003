/** Files that are hostile rather than broken: each has a clear outcome, and no other file suffers from it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Summary, summarize, summaryText } from '../../examples/import/summary.js'
import { dataOf, embeddedTables, folderOf, importHere, withDatabase, workingDirectory } from './harness.js'

function assertBalanced({ failure, rowsRead, rowsWritten, rowsDeadLettered }: Summary): void {
  assert.equal(failure, undefined)
  assert.equal(rowsRead, rowsWritten + rowsDeadLettered)
}

test('names of files and columns may be anything: none collides, none is SQL, and twice is the same as once', async () => {
  const titles = [
    'a"b',
    "c'd",
    '__proto__',
    'select',
    'drop table x; --',
    '日本',
    '🙂',
    'two\nlines',
    'xmin',
    'source_file',
  ]
  const header = titles.map((title) => `"${title.replaceAll('"', '""')}"`).join()
  const long = 'x'.repeat(100)
  const directory = folderOf({
    'columns.csv': `${header}\n${titles.map((_, i) => i).join()}\n`,
    'long.csv': `${`${long},`.repeat(1_200)}id\n${','.repeat(1_200)}7\n`,
    'a b.csv': 'id\n1\n',
    'a-b.csv': 'id\n2\n',
    'a_b_2.csv': 'id\n3\n',
    'dead letters.csv': 'id\n4\n',
    'pg_class.csv': 'id\n5\n',
    '__proto__.csv': 'id\n6\n',
    'date.csv': 'id\n10\n',
    '日本.csv': 'id\n7\n',
    'two\nlines.csv': 'id\n8\n',
    'q\'u"ote.csv': 'id\n9\n',
  })
  const dataDirectory = dataOf(await workingDirectory())
  const result = await importHere({ directory, dataDirectory })
  const summary = summarize(result)
  assertBalanced(summary)
  assert.deepEqual([summary.files, summary.rowsWritten, summary.incomplete], [12, 12, undefined])
  assert.equal(summaryText(result).split('\n').length, 12 + 4, 'a line for each file')
  const rows = await withDatabase(undefined, dataDirectory, async (database) => ({
    columns: await database.query('select * from columns'),
    long: await database.query('select id from long'),
    ids: await database.query<{ id: number }>(
      'select id from a_b union select id from a_b_2 union select id from a_b_2_2 union select id from dead_letters_2 union select id from _pg_class union select id from proto union select id from "table" union select id from two_lines union select id from q_u_ote union select id from date order by 1',
    ),
  }))
  assert.deepEqual(rows.columns, [
    {
      source_file: 'columns.csv',
      source_line: 3,
      a_b: 0,
      c_d: 1,
      proto: 2,
      select: 3,
      drop_table_x: 4,
      column_6: 5,
      column_7: 6,
      two_lines: 7,
      xmin_2: 8,
      source_file_2: 9,
    },
  ])
  assert.deepEqual(rows.long, [{ id: 7 }])
  assert.deepEqual(
    rows.ids.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  const once = await embeddedTables(dataDirectory)
  assertBalanced(summarize(await importHere({ directory, dataDirectory })))
  assert.deepEqual(await embeddedTables(dataDirectory), once)
})

test('long lines are read, up to a limit; a file that is beyond it is told, with what had been read of it', async () => {
  const directory = folderOf({
    'long.csv': `id,text\n1,${'y'.repeat(3_000_000)}\n2,x\n`,
    'too-long.csv': `id,text\n1,x\n2,${'y'.repeat(9_000_000)}\n3,x\n`,
    'long-header.csv': `${'h'.repeat(300_000)}\n1\n`,
    'wide.csv': `${Array.from({ length: 2_000 }, (_, i) => `c${i}`).join()}\n`,
    'blank.csv': '\n\r\nid,text\n\n1,x\n',
    'breaks.csv': '\n\n\n',
    'latin1.csv': Buffer.from('id,caf\xe9\n1,2\n', 'latin1'),
  })
  const dataDirectory = dataOf(await workingDirectory())
  const result = await importHere({ directory, dataDirectory })
  const summary = summarize(result)
  assertBalanced(summary)
  assert.deepEqual(summary.incomplete, [
    { file: 'latin1.csv', reason: 'its header is not CSV, or not UTF-8', rowsWritten: 0 },
    { file: 'long-header.csv', reason: 'its header does not end', rowsWritten: 0 },
    { file: 'too-long.csv', reason: 'line 3 is longer than 4194304 bytes', rowsWritten: 1 },
    { file: 'wide.csv', reason: '2000 columns, and a table holds 1598', rowsWritten: 0 },
  ])
  assert.match(summaryText(result), /breaks\.csv .*empty file/)
  const rows = await withDatabase(undefined, dataDirectory, async (database) => ({
    long: await database.query('select source_line, id, length(text) from long order by id'),
    blank: await database.query('select * from blank'),
  }))
  assert.deepEqual(rows.long, [
    { source_line: 2, id: 1, length: 3_000_000 },
    { source_line: 3, id: 2, length: 1 },
  ])
  assert.deepEqual(rows.blank, [{ source_file: 'blank.csv', source_line: 5, id: 1, text: 'x' }])
})

test('what cannot be read is told: a link to nowhere, a link to a folder, a pipe that nobody writes to', async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' })
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling.csv'))
  symlinkSync('.', join(directory, 'folder.csv'))
  execFileSync('mkfifo', [join(directory, 'pipe.csv')])
  mkdirSync(join(directory, 'not-a-file.csv'))
  const summary = summarize(await importHere({ directory, dataDirectory: dataOf(await workingDirectory()) }))
  assertBalanced(summary)
  assert.deepEqual([summary.files, summary.rowsWritten], [4, 1])
  const [dangling, ...others] = summary.incomplete!
  assert.match(dangling!.reason, /ENOENT/)
  assert.deepEqual(others, [
    { file: 'folder.csv', reason: 'not a regular file', rowsWritten: 0 },
    { file: 'pipe.csv', reason: 'not a regular file', rowsWritten: 0 },
  ])
})

test('a table that the database would not make: the rows of its file are kept apart, and the others are written', async () => {
  const dataDirectory = dataOf(await workingDirectory())
  await withDatabase(undefined, dataDirectory, (database) => database.query('create view taken as select 1 as id'))
  const directory = folderOf({ 'a.csv': 'id\n1\n', 'taken.csv': 'id,name\n1,a\n2,b\n' })
  const result = await importHere({ directory, dataDirectory })
  const summary = summarize(result)
  assertBalanced(summary)
  assert.deepEqual([summary.rowsWritten, summary.rowsDeadLettered], [1, 2])
  const [taken, ...others] = summary.incomplete!
  assert.deepEqual([taken!.file, others], ['taken.csv', []])
  assert.match(taken!.reason, /^2 rows not written: table taken: .*relation "taken"/)
  const kept = readFileSync(summary.unwritten!.path, 'utf8').trimEnd().split('\n')
  assert.equal(kept.length, 2)
})
