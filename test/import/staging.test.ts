/** Files of several pieces: staged by what their first piece holds, and whole whatever the others hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '#src/import/database.js'
import { enterSource } from '#src/import/entry.js'
import { RunLock } from '#src/import/run-lock.js'
import { databaseOnServer, folderOf, importHere, put, resultOf, rowsAt, tablesOf, withDatabase } from './harness.js'
import { Wire } from './wire.js'

const { onServer, to } = await databaseOnServer()
/** More than a piece. */
const MANY = 24_000
const filled = (row: (i: number) => string, last: string): string =>
  `n,d,t\n${Array.from({ length: MANY }, (_, i) => `${row(i)},${'.'.repeat(40)}\n`).join('')}${last}\n`
const daily = (i: number): string => `${i},2024-01-${String(1 + (i % 28)).padStart(2, '0')}`
const priced = (i: number): string => `${i}.${i % 2 === 0 ? '5' : '50'},${i}`
const rows = (file: number): string => Array.from({ length: 20 }, (_, i) => `${file},${i},${i / 4}\n`).join('')

test('what the first piece says of a column is taken back where a later one says otherwise', onServer, async () => {
  const lasts: Readonly<Record<string, readonly [string, string, string]>> = {
    same: ['7,2024-12-31,x', 'bigint', 'date'],
    code: ['007,2024-12-31,x', 'text', 'date'],
    decimal: ['1.50,2024-12-31,x', 'numeric', 'date'],
    word: ['NA,2024-12-31,x', 'bigint', 'date'],
    empty: ['"","",x', 'bigint', 'date'],
    missing: [',,x', 'bigint', 'date'],
    nonsense: ['7,2023-02-29,x', 'bigint', 'text'],
  }
  const files = Object.entries(lasts).map(([name, [last]]) => [`${name}.csv`, filled(daily, last)])
  const directory = folderOf(Object.fromEntries(files) as Record<string, string>, 'staged')
  for (const round of [1, 2]) {
    const summary = await importHere({ directory, to, connections: 2 })
    assert.deepEqual([summary.failed, summary.deadLetters, summary.isBalanced], [0, 0, true])
    assert.equal(summary.inserted, round === 1 ? 7 * (MANY + 1) : 0)
    for (const [name, [last, n, d]] of Object.entries(lasts)) {
      const cells = last.replaceAll('"', '').split(',')
      const isText = { n: n === 'text', d: d === 'text' }
      const expected = [
        cells[0] === 'NA' ? null : cells[0] === '' && !isText.n ? null : cells[0],
        cells[1] === '' && !isText.d ? null : cells[1],
      ]
      assert.deepEqual(
        await rowsAt(
          to,
          `select pg_typeof(n)::text as nt, pg_typeof(d)::text as dt, n::text, d::text from staged.${name} where t = 'x'`,
        ),
        [[n, d, ...expected]],
        `${name}, round ${round}`,
      )
      const [[sum]] = (await rowsAt(
        to,
        `select concat_ws(' ', count(*), count(distinct n::text), max(length(n::text))) as sum from staged.${name} where t <> 'x'`,
      )) as [[string]]
      assert.equal(sum, `${MANY} ${MANY} 5`)
    }
  }
})

test('numbers that are staged keep their digits, whatever the column is by then', onServer, async () => {
  const directory = folderOf({ 'a.csv': filled(priced, '0.10,1,x') }, 'digits')
  await importHere({ directory, to })
  assert.deepEqual(await rowsAt(to, `select n::text from digits.a where d in (3, 4) order by d`), [['3.50'], ['4.5']])
  // The column is text by what another round had: numbers are texts as they were written.
  put(directory, { 'a.csv': `n,d,t\nx1,1,x\n` })
  await importHere({ directory, to })
  put(directory, { 'a.csv': filled((i) => `${i}.50,1e5`, '1.5e+10,1,x') })
  const summary = await importHere({ directory, to })
  assert.deepEqual([summary.failed, summary.rows], [0, MANY + 1])
  assert.deepEqual(await rowsAt(to, `select n from digits.a where t = 'x' or n = '7.50' order by n`), [
    ['1.5e+10'],
    ['7.50'],
  ])
})

test('a refused row of a large file is told as the file has it', onServer, async () => {
  const directory = folderOf({ 'a.csv': filled((i) => `${i},1.50`, '90000000000000001,1.5e+10,x') }, 'told')
  await importHere({ directory, to })
  await withDatabase(to, '', (database) =>
    database.execute(`delete from told.a; alter table told.a add check (t <> 'x')`),
  )
  const summary = await importHere({ directory, to })
  assert.deepEqual([summary.failed, summary.rows, summary.deadLetters], [0, MANY, 1])
  assert.deepEqual(await rowsAt(to, `select raw from millrace_imports.dead_letters where reason like '%check%'`), [
    ['90000000000000001,1.5e+10,x'],
  ])
})

test('files of one kind that end beside each other come to the same as one after the other', onServer, async () => {
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [
      `p${i}.csv`,
      `file,n,x${i % 20 === 7 ? `,more${i}` : ''}\n${i % 20 === 7 ? rows(i).replaceAll('\n', ',1\n') : rows(i)}`,
    ]),
  )
  const kinds = [{ pattern: '*.csv', name: 'p', table: 'p' }]
  const held: unknown[] = []
  for (const [source, connections] of [
    ['one', 1],
    ['four', 4],
  ] as const) {
    const directory = folderOf(files, source)
    for (const inserted of [800, 0]) {
      const summary = await importHere({ directory, to, connections, declared: { source, kinds } })
      assert.deepEqual([summary.failed, summary.inserted, summary.deleted, summary.isBalanced], [0, inserted, 0, true])
    }
    put(directory, { 'p7.csv': `file,n,x\n${rows(7)}` })
    await importHere({ directory, to, connections, declared: { source, kinds } })
    held.push(await withDatabase(to, '', (database) => tablesOf(database, source)))
  }
  assert.deepEqual(held[0], held[1])
})

test('a run that ends while its connection is broken keeps no lock', onServer, async () => {
  const wire = await Wire.to(to)
  const named = { source: { name: 'let go', isGiven: true }, directory: '/let go' }
  for (let round = 0; round < 5; round++) {
    const held: { lock?: RunLock } = {}
    const database = await openDatabase(wire.url, '', { onClose: () => held.lock?.retake() })
    const source = await enterSource(database, named)
    const lock = await RunLock.take(database, source, () => assert.fail('nobody else has it'))
    held.lock = lock
    let resolve!: () => void
    const promise = new Promise<void>((settle) => (resolve = settle))
    const retake = lock.retake.bind(lock)
    lock.retake = () => {
      retake()
      resolve()
    }
    wire.reset()
    await promise
    lock.release()
    await database.close()
  }
  await withDatabase(to, '', async (database) => {
    const source = await enterSource(database, named)
    const isFree = async (): Promise<boolean> => {
      const [row] = await database.query<{ free: boolean }>(
        `select not exists (select from pg_locks where locktype = 'advisory' and objid = $1 and objsubid = 2) as free`,
        [source.id],
      )
      return row!.free
    }
    // The server learns of a closed connection a moment later.
    for (let i = 0; i < 200 && !(await isFree()); i++);
    assert.ok(await isFree())
  })
})

test('the last file of a kind with fewer columns', onServer, async () => {
  const directory = folderOf({ 'a1.csv': 'id,x\n1,2\n', 'a2.csv': 'id\n3\n' }, 'fewer')
  const declared = { kinds: [{ pattern: 'a*.csv', name: 'a', table: 'a' }] }
  await importHere({ directory, to, declared })
  put(directory, { 'a1.csv': 'id\n1\n' })
  const summary = await importHere({ directory, to, declared })
  assert.deepEqual(
    summary.schemaChanges.map(({ column, change }) => `${column} ${change}`),
    ['x gone'],
  )
  assert.equal(resultOf(summary, 'a1.csv').rows, 1)
})
