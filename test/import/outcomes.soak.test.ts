/** Files that are not as they should be, tables that are in use, a server that goes away: each has a clear outcome, for that file alone. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Piece } from '#src/import/records.js'
import { PIECE_BYTES, piecesOf } from '#src/import/file-pieces.js'
import { databaseOnServer, folderOf, importHere, put, resultOf, rowsAt, withDatabase } from './harness.js'

const { onServer, to } = await databaseOnServer()
const utf16 = (text: string): Buffer => Buffer.from(`\u{feff}${text}`, 'utf16le')

test('files are read as they come: line breaks, encodings, delimiters, titles, packed ones', onServer, async () => {
  const expected = 'id,name\n1,é\n2,x\n'
  const late = `id,name\n${'0,a\n'.repeat(80_000)}`
  const directory = folderOf(
    {
      'cr.csv': 'id,name\r1,é\r2,x\r\n',
      'double.csv': expected.replaceAll('\n', '\r\r\n'),
      'joined.csv': `\u{feff}id,name\n1,é\n\u{feff}2,x\n`,
      'utf16.csv': utf16(expected),
      'utf16be.csv': utf16(expected).swap16(),
      'latin.csv': Buffer.from(expected, 'latin1'),
      'far.csv': Buffer.concat([Buffer.from(late), Buffer.from('1,\xe9\x80\n', 'latin1')]),
      'semicolon.csv': 'id;name;amount\n1;é;1,50\n2;x;-3\n',
      'tab.tsv': expected.replaceAll(',', '\t'),
      'titled.csv': `Report of a program\n\n${expected}`,
      'packed.csv.gz': gzipSync(expected),
      'us.csv': 'day,name\n1/31/2024,a\n12/1/2024,b\n',
      'both.csv': 'day,name\n1/2/2024,a\n12/1/2024,b\n',
      'german.csv': 'day,name\n31.1.2024,a\n1.2.2024,b\n',
      'missing.csv': 'n,name\n1,NA\nNA,b\n3,c\n',
    },
    'as they come',
  )
  const summary = await importHere({ directory, to })
  assert.deepEqual([summary.failed, summary.deadLetters], [0, 0])
  for (const table of ['cr', '"double"', 'joined', 'utf16', 'utf16be', 'latin', 'tab', 'titled', 'packed']) {
    assert.deepEqual(await rowsAt(to, `select id::text, name from as_they_come.${table} order by 1`), [
      ['1', 'é'],
      ['2', 'x'],
    ])
  }
  assert.deepEqual(await rowsAt(to, 'select name from as_they_come.far where id = 1'), [['é€']])
  assert.deepEqual(await rowsAt(to, 'select amount::text from as_they_come.semicolon order by id'), [['1.50'], ['-3']])
  assert.deepEqual(await rowsAt(to, 'select day from as_they_come.us order by 1'), [['2024-01-31'], ['2024-12-01']])
  assert.deepEqual(await rowsAt(to, 'select day from as_they_come.both order by 1'), [['1/2/2024'], ['12/1/2024']])
  assert.deepEqual(await rowsAt(to, 'select day from as_they_come.german order by 1'), [['2024-01-31'], ['2024-02-01']])
  assert.deepEqual(await rowsAt(to, 'select n::text, name from as_they_come.missing order by _line'), [
    ['1', 'NA'],
    [null, 'b'],
    ['3', 'c'],
  ])
  for (const [path, remark] of [
    ['far.csv', 'encoding: windows-1252'],
    ['utf16be.csv', 'encoding: utf-16be'],
    ['titled.csv', '1 row before the header'],
    ['both.csv', 'day: days as text, because it is not clear which is the month; declare its dayOrder'],
    ['missing.csv', 'n: "NA" is a missing value'],
  ] as const)
    assert.ok(
      resultOf(summary, path).remarks.includes(remark),
      `${path}: ${resultOf(summary, path).remarks.join('; ')}`,
    )
})

test('what a row of PostgreSQL does not hold is in _rest, and that is told', onServer, async () => {
  const titles = Array.from({ length: 2_000 }, (_, i) => `c${i}`)
  const cells = (text: string): string => titles.map((_, i) => (i % 500 === 499 ? '' : `${text}${i}`)).join()
  const directory = folderOf({ 'wide.csv': `${titles.join()}\n${cells('long value ')}\n${cells('y')}\n` }, 'wide')
  for (const round of [1, 2]) {
    const summary = await importHere({ directory, to })
    const result = resultOf(summary, 'wide.csv')
    assert.deepEqual(
      [result.outcome, result.rows, result.inserted],
      ['imported', 2, round === 1 ? 2 : 0],
      result.message,
    )
    assert.match(result.remarks.join(), /\d+ columns in _rest: a row of PostgreSQL holds no more/)
  }
  const [row] = await rowsAt(
    to,
    'select c0, c10, _rest ->> $$c1998$$ as far, _rest ? $$c1999$$ as has from wide.wide order by _line',
  )
  assert.deepEqual(row, ['long value 0', 'long value 10', 'long value 1998', 'false'])
})

test(
  'a locked table, and a column that a view needs: that file fails by name, and the others are imported',
  onServer,
  async () => {
    const directory = folderOf({ 'locked.csv': 'id\n1\n', 'viewed.csv': 'id\n1\n', 'other.csv': 'id\n1\n' }, 'in_use')
    await importHere({ directory, to })
    put(directory, { 'locked.csv': 'id\n2\n', 'viewed.csv': 'id\nx\n', 'other.csv': 'id\n2\n' })
    const summary = await withDatabase(to, '', (holder) =>
      holder.transaction(async () => {
        await holder.execute('lock table in_use.locked in access share mode')
        await withDatabase(to, '', (database) =>
          database.execute('create view in_use.seen as select id from in_use.viewed'),
        )
        await holder.execute('lock table in_use.locked in access exclusive mode')
        return importHere({ directory, to, lockTimeoutMs: 200 })
      }),
    )
    assert.deepEqual([summary.failed, summary.imported], [2, 1])
    assert.match(resultOf(summary, 'locked.csv').message!, /its table is locked by somebody else/)
    assert.match(resultOf(summary, 'viewed.csv').message!, /something depends on it: .*view/)
    assert.deepEqual(await rowsAt(to, 'select id from in_use.other'), [['2']])
    assert.deepEqual(await rowsAt(to, 'select id from in_use.viewed'), [['1']])
    const after = await importHere({ directory, to })
    assert.deepEqual(
      after.results.filter(({ outcome }) => outcome === 'failed').map(({ path }) => path),
      ['viewed.csv'],
    )
    assert.deepEqual(await rowsAt(to, 'select id from in_use.locked'), [['2']])
  },
)

test('a file of which more than half is dead letters fails, and its table stays as it was', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id,v\n1,x\n2,y\n', 'b.csv': 'a,b\n1\n2\n3\n' }, 'dead')
  const first = await importHere({ directory, to })
  assert.match(
    resultOf(first, 'b.csv').message!,
    /^100 % of its rows are dead letters, of 3; the first, line 2: 1 cell,/,
  )
  assert.ok(!resultOf(first, 'b.csv').remarks.includes('a header alone'))
  put(directory, { 'a.csv': 'id,v\n1\n2\n3,z\n' })
  const second = await importHere({ directory, to })
  assert.equal(resultOf(second, 'a.csv').outcome, 'failed')
  assert.deepEqual(await rowsAt(to, 'select v from dead.a order by 1'), [['x'], ['y']])
  assert.deepEqual(
    await rowsAt(
      to,
      `select path, line, raw from millrace_imports.dead_letters l join millrace_imports.files f on f.id = l.file where path = 'a.csv' order by line`,
    ),
    [
      ['a.csv', '2', '1'],
      ['a.csv', '3', '2'],
    ],
  )
  const third = await importHere({ directory, to, maxDead: 0.7 })
  assert.deepEqual([resultOf(third, 'a.csv').rows, resultOf(third, 'a.csv').deadLetters], [1, 2])
})

test('what cannot be read is told: links to nowhere, pipes, binary and cut files', onServer, async () => {
  const packed = gzipSync('id\n'.repeat(100_000))
  const directory = folderOf(
    {
      'a.csv': 'id\n1\n',
      'binary.csv': Uint8Array.from([0x89, 0x50, 0, 0, 0x0a]),
      'cut.csv.gz': packed.subarray(0, packed.length - 20),
      'notes.txt': 'not a table',
    },
    'unreadable',
  )
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling.csv'))
  symlinkSync('.', join(directory, 'loop'))
  execFileSync('mkfifo', [join(directory, 'pipe.csv')])
  mkdirSync(join(directory, 'folder.csv'))
  const { results } = await importHere({ directory, to })
  const told = Object.fromEntries(results.map(({ path, message, outcome }) => [path, message ?? outcome]))
  assert.match(told['dangling.csv']!, /ENOENT/)
  assert.match(told['cut.csv.gz']!, /unexpected end of file/)
  delete told['dangling.csv']
  delete told['cut.csv.gz']
  assert.deepEqual(told, { 'a.csv': 'imported', 'binary.csv': 'a binary file', 'pipe.csv': 'not a regular file' })
})

test('a file that changes while it is read is not imported, and half a row of it is no row', async () => {
  const directory = folderOf({ 'a.csv': `id,text\n${`1,${'x'.repeat(1_000)}\n`.repeat(4_000)}` })
  const file = { path: 'a.csv', kind: 'a', bytes: 0, placeholders: {} } as never
  for (const change of [
    () => appendFileSync(join(directory, 'a.csv'), '2,more'),
    () => truncateSync(join(directory, 'a.csv'), 3_000_500),
    () => writeFileSync(join(directory, 'a.csv'), 'id,other\n1,2\n'),
  ]) {
    put(directory, { 'a.csv': `id,text\n${`1,${'x'.repeat(1_000)}\n`.repeat(4_000)}` })
    const pieces: Piece[] = []
    const how = { index: 0, file, kind: {}, pieceBytes: PIECE_BYTES }
    for await (const { value } of piecesOf(join(directory, 'a.csv'), how, undefined, new AbortController().signal)) {
      if (pieces.length === 0) change()
      pieces.push(value)
    }
    assert.deepEqual(pieces.at(-1)!.end!.nothing, { reason: 'the file changed while it was read', isFault: true })
  }
})

test('a database that cannot be reached is named, without its password', async () => {
  const summary = await importHere({
    directory: folderOf({ 'a.csv': 'id\n1\n' }),
    to: 'postgres://nobody:secret@127.0.0.1:1/none',
  })
  assert.match(summary.failure!, /database at 127\.0\.0\.1:1\/none cannot be used: .*ECONNREFUSED/)
  assert.ok(!JSON.stringify(summary).includes('secret'))
  assert.equal(resultOf(summary, 'a.csv').outcome, 'not read')
})
