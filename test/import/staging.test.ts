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

test('a first import is the table itself, whatever its columns and its folder are called', onServer, async () => {
  const many = Array.from({ length: MANY }, (_, i) => `${i},true,${i}.5,${'.'.repeat(40)}\n`).join('')
  const directory = folderOf(
    { 'a\\b/large.csv': `c2,c1,line,_file\n${many}`, 'a\\b/small.csv': 'c2,c1,line,_file\n1,true,0.5,x\n' },
    'moved',
  )
  const declared = { kinds: ['large', 'small'].map((name) => ({ pattern: `{tenant}/${name}.csv`, name, table: name })) }
  for (const inserted of [MANY + 1, 0]) {
    const summary = await importHere({ directory, to, declared })
    assert.deepEqual([summary.failed, summary.inserted, summary.deleted, summary.isBalanced], [0, inserted, 0, true])
    for (const [name, n] of Object.entries({ large: MANY, small: 1 })) {
      const rows = await rowsAt(
        to,
        `select count(*) || ' ' || min(tenant) || ' ' || pg_typeof(min(c2)) || ' ' || pg_typeof(bool_and(c1)) || ' ' || pg_typeof(min(line)) as all
        from moved.${name} where c1 and _line = case when '${name}' = 'small' then 2 else c2 + 2 end group by c1`,
      )
      assert.deepEqual(rows, [[`${n} a\\b bigint boolean double precision`]], name)
      const columns = await rowsAt(
        to,
        `select string_agg(column_name || coalesce(column_default, ''), ' ' order by ordinal_position) as all, min(p.relpersistence)
        from information_schema.columns join pg_class p on p.oid = 'moved.${name}'::regclass where table_schema = 'moved' and table_name = '${name}'`,
      )
      assert.deepEqual(columns, [['_file _line c2 c1 line file tenant', 'p']])
    }
  }
})

test('what somebody changed by hand in a large table is found, wherever and whatever it is', onServer, async () => {
  const directory = folderOf({ 'a.csv': filled((i) => `${i},${i}.50`, '0,1.50,x') }, 'by_hand')
  await importHere({ directory, to })
  const changes: Readonly<Record<string, readonly [number, number]>> = {
    // Equal to a hash of 32 bits of each half, equal as a number, and equal as a sum.
    'update by_hand.a set n = 4294967296 where n = 1': [1, 1],
    'update by_hand.a set d = 7.5 where n = 7': [1, 1],
    'update by_hand.a set n = case n when 5 then 6 else 5 end where n in (5, 6)': [2, 2],
    'delete from by_hand.a where n = 20000': [1, 0],
  }
  for (const [change, [inserted, deleted]] of Object.entries(changes)) {
    await withDatabase(to, '', (database) => database.execute(change))
    const summary = await importHere({ directory, to })
    assert.deepEqual([summary.failed, summary.isBalanced], [0, true], change)
    assert.deepEqual([summary.inserted, summary.deleted], [inserted, deleted], change)
    assert.deepEqual(
      await rowsAt(to, `select count(*) || ' ' || sum(n) || ' ' || max(length(d::text)) as all from by_hand.a`),
      [[`${MANY + 1} ${(MANY * (MANY - 1)) / 2} 8`]],
      change,
    )
  }
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
