/** What an import must never do to data: a test for each way in which one did. On a server; the tables are read back as texts. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { databaseOnServer, folderOf, importHere, put, resultOf, rowsAt, withDatabase } from './harness.js'

const { onServer, to } = await databaseOnServer()

const run = (sql: string): Promise<void> => withDatabase(to, '', (database) => database.execute(sql))
const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('')

test('a table that the import did not make is never touched, whatever its name', onServer, async () => {
  await run('create table public.users (id bigint primary key); insert into public.users values (7)')
  await run('create schema app; create table app.users (id bigint primary key); insert into app.users values (8)')
  await importHere({ directory: folderOf({ 'users.csv': 'id\nx1\n' }, 'public'), to })
  await importHere({ directory: folderOf({ 'users.csv': 'id\nx1\n' }, 'one'), to, declared: { schema: 'app' } })
  const told = await importHere({
    directory: folderOf({ 'users.csv': 'id\nx1\n' }, 'two'),
    to,
    declared: { schema: 'app', kinds: [{ pattern: 'users.csv', table: 'users' }] },
  })
  assert.equal(told.failed, 1)
  assert.match(resultOf(told, 'users.csv').message!, /app\.users is there, and was not made by an import/)
  assert.deepEqual(await rowsAt(to, 'select id from public.users'), [['7']])
  assert.deepEqual(await rowsAt(to, 'select id from app.users'), [['8']])
  assert.deepEqual(await rowsAt(to, 'select id from public_2.users'), [['x1']])
  assert.deepEqual(await rowsAt(to, 'select id from app.users_2'), [['x1']])
  assert.deepEqual(
    await rowsAt(
      to,
      `select data_type from information_schema.columns where table_schema in ('public', 'app') and table_name = 'users'`,
    ),
    [['bigint'], ['bigint']],
  )
})

test('files of one name in two directories are two tables, in one import and in two', onServer, async () => {
  const tenants = { 'a/invoices.csv': 'id\n1\n2\n3\n', 'b/invoices.csv': 'id\n9\n' }
  const directory = folderOf(tenants, 'tenants')
  await importHere({ directory, to })
  assert.deepEqual(await rowsAt(to, 'select id from tenants.a_invoices order by 1'), [['1'], ['2'], ['3']])
  assert.deepEqual(await rowsAt(to, 'select id from tenants.b_invoices'), [['9']])
  await importHere({ directory: folderOf({ 'a/invoices.csv': 'id\n5\n' }, 'tenants'), to })
  assert.deepEqual(await rowsAt(to, 'select id from tenants_2.a_invoices'), [['5']])
  assert.deepEqual(await rowsAt(to, 'select count(*) from tenants.a_invoices'), [['3']])
})

test('files of one kind are one table, with what the pattern says of each', onServer, async () => {
  const directory = folderOf({ 'a/invoices.csv': 'id\n1\n2\n', 'b/invoices.csv': 'id\n1\n' }, 'kinds')
  const declared = { kinds: [{ pattern: '{tenant}/invoices.csv' }] }
  await importHere({ directory, to, declared })
  put(directory, { 'a/invoices.csv': 'id\n2\n' })
  await importHere({ directory, to, declared })
  assert.deepEqual(await rowsAt(to, 'select tenant, id from kinds.invoices order by 1, 2'), [
    ['a', '2'],
    ['b', '1'],
  ])
})

test('a removed or renamed column leaves no value behind, and one that a view needs is empty', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id,old,kept\n1,x,y\n2,x,y\n' }, 'renamed')
  await importHere({ directory, to })
  await run('create view renamed.seen as select kept from renamed.a')
  put(directory, { 'a.csv': 'id,new\n1,z\n2,z\n' })
  const { schemaChanges } = await importHere({ directory, to })
  assert.deepEqual(await rowsAt(to, `select to_jsonb(t) - '_file' as row from renamed.a t`), [
    ['{"id": 1, "new": "z", "kept": null, "_line": 2}'],
    ['{"id": 2, "new": "z", "kept": null, "_line": 3}'],
  ])
  assert.deepEqual(
    schemaChanges.map(({ column, change }) => [column, change]),
    [
      ['new', 'new: text'],
      ['old', 'gone'],
    ],
  )
})

test('a name once given stays, whatever files come', onServer, async () => {
  const directory = folderOf({ 'a_b.csv': 'id\n1\n', '日本.csv': 'id\n2\n', '中国.csv': 'id\n3\n' }, 'names')
  await importHere({ directory, to })
  put(directory, { 'a-b.csv': 'id\n4\n', 'a b.csv': 'id\n5\n', 'Ελλάδα.csv': 'id\n6\n', '!!.csv': 'id\n7\n' })
  const { results } = await importHere({ directory, to })
  const tables = Object.fromEntries(results.map(({ path, table }) => [path, table]))
  assert.equal(tables['a_b.csv'], 'names.a_b')
  assert.deepEqual(new Set([tables['a-b.csv'], tables['a b.csv']]), new Set(['names.a_b_2', 'names.a_b_3']))
  assert.deepEqual(await rowsAt(to, 'select id from names.a_b'), [['1']])
  assert.deepEqual(await rowsAt(to, 'select id from names."日本" union all select id from names."中国"'), [
    ['2'],
    ['3'],
  ])
  assert.equal(tables['Ελλάδα.csv'], 'names.ελλαδα')
  assert.equal(tables['!!.csv'], 'names.table')
})

test('columns and files may have any name: those of the import, of SQL, of PostgreSQL', onServer, async () => {
  const titles = [
    'line',
    'file',
    '_line',
    '_file',
    'given',
    's',
    't',
    'xmin',
    'a"b',
    "c'd",
    '__proto__',
    'select',
    'two\nlines',
    '',
  ]
  const header = titles.map((title) => `"${title.replaceAll('"', '""')}"`).join()
  const row = titles.map((_, i) => i).join()
  const directory = folderOf(
    {
      'excluded.csv': `${header}\n${row}\n`,
      'given.csv': `${header}\n${row}\n`,
      'user.csv': 'id\n1\n',
      'date.csv': 'id\n1\n',
      'pg_class.csv': 'id\n1\n',
    },
    'odd names',
  )
  for (const { failed, deadLetters } of [await importHere({ directory, to }), await importHere({ directory, to })])
    assert.deepEqual([failed, deadLetters], [0, 0])
  for (const table of ['excluded', 'given']) {
    const [values] = await rowsAt(to, `select * from odd_names.${table}`)
    assert.deepEqual(
      values!.slice(2),
      titles.map((_, i) => String(i)),
      table,
    )
  }
  assert.deepEqual(await rowsAt(to, 'select count(*) from odd_names._pg_class'), [['1']])
})

test('values are what the file holds, at the first import and at the second', onServer, async () => {
  const columns: Record<string, string[]> = {
    id20: ['12345678901234567890', '12345678901234567891', '-99999999999999999999'],
    code: ['1e5', '2e5', '100000'],
    zip: ['00501', '10001', '90210'],
    digits: ['0.1234567890123456789', '3.14159265358979323846', '2'],
    money: ['1.10', '2.00', '-0.50'],
    float: ['0.5', '-2.25', '1e-07'.replace('1e-07', '3')],
    printed: ['1.5e+10', '2.25E-07', '3'],
    version: ['1.10', 'TRUE', '1e5'],
    flag: ['true', 'false', 'true'],
    day: ['2024-02-29', '1999-12-31', '0099-01-01'],
    noday: ['2023-02-29', '2024-01-01', '2024-01-02'],
    big: ['9223372036854775807', '-9223372036854775808', '0'],
    zero: ['-0', '1', '2'],
    sign: ['+1', '2', '3'],
    blank: [' 1', '2', '3'],
    time: ['2024-01-01T10:00:00', '2024-01-01 10:00', '2024-06-30T23:59:59.123456'],
    late: ['2024-01-01T24:00:00', '2024-01-01T10:00:00', '2024-01-01T10:00:00'],
    nano: ['2024-01-01T10:00:00.1234567', '2024-01-01T10:00:00', '2024-01-01T10:00:00'],
  }
  const expected: Record<string, [type: string, values?: string[]]> = {
    id20: ['numeric'],
    code: ['text'],
    zip: ['text'],
    digits: ['numeric'],
    money: ['numeric'],
    float: ['double precision'],
    printed: ['double precision', ['15000000000', '2.25e-07', '3']],
    version: ['text'],
    flag: ['boolean'],
    day: ['date'],
    noday: ['text'],
    big: ['bigint'],
    zero: ['double precision'],
    sign: ['text'],
    blank: ['text'],
    time: ['timestamp without time zone', ['2024-01-01 10:00:00', '2024-01-01 10:00:00', '2024-06-30 23:59:59.123456']],
    late: ['text'],
    nano: ['text'],
  }
  const names = Object.keys(columns)
  const rows = [0, 1, 2].map((i) => names.map((name) => columns[name]![i]!))
  const directory = folderOf({ 'values.csv': [names, ...rows].map((row) => `${row.join()}\n`).join('') }, 'exact')
  for (const round of ['first', 'second']) {
    await importHere({ directory, to })
    for (const name of names) {
      const [type, values] = expected[name]!
      const found = await rowsAt(
        to,
        `select pg_typeof(${name})::text, ${name}::text from exact."values" order by _line`,
      )
      assert.deepEqual(
        found,
        (values ?? columns[name]!).map((value) => [type, value]),
        `${name}, ${round} import`,
      )
    }
  }
})

test('a text column keeps its codes when a later file holds numbers alone', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'v\n1.10\nTRUE\n1e5\n' }, 'texts')
  await importHere({ directory, to })
  put(directory, { 'a.csv': 'v\n1.10\n1.0\n007\n' })
  await importHere({ directory, to })
  assert.deepEqual(await rowsAt(to, 'select v from texts.a order by _line'), [['1.10'], ['1.0'], ['007']])
})

test('what does not fit far behind the head widens the column, and that is told', onServer, async () => {
  const far = 'id,text\n' + lines(4_000, (i) => `${i},${'.'.repeat(100)}\n`)
  const directory = folderOf({ 'late.csv': `${far}n/a-17,x\n` }, 'widened')
  const first = await importHere({ directory, to })
  assert.deepEqual([first.rows, first.deadLetters], [4_001, 0])
  assert.deepEqual(await rowsAt(to, 'select id from widened.late where _line = 4002'), [['n/a-17']])
  put(directory, { 'b.csv': 'n,d\n1,2024-01-01\n2,2024-01-02\n' })
  await importHere({ directory, to })
  put(directory, { 'b.csv': 'n,d\n1,2024-01-01\n2.50,soon\n' })
  const { schemaChanges, deadLetters } = await importHere({ directory, to })
  assert.equal(deadLetters, 0)
  assert.deepEqual(
    schemaChanges.map(({ column, change }) => [column, change]),
    [
      ['n', 'bigint became numeric, for "2.50" on line 3'],
      ['d', 'date became text, for "soon" on line 3'],
    ],
  )
  assert.deepEqual(await rowsAt(to, 'select n::text, d from widened.b order by _line'), [
    ['1', '2024-01-01'],
    ['2.50', 'soon'],
  ])
})

test('a file that shrank leaves no row behind, and unchanged rows are not written again', onServer, async () => {
  const rows = lines(100, (i) => `${i},x\n`)
  const directory = folderOf({ 'a.csv': `id,v\n${rows}` }, 'shrunk')
  await importHere({ directory, to })
  put(directory, { 'a.csv': `id,v\n${rows.replace('3,x', '3,y').split('\n').slice(0, 50).join('\n')}\n` })
  const { rows: held, inserted, deleted } = await importHere({ directory, to })
  assert.deepEqual([held, inserted, deleted], [50, 1, 51])
  assert.deepEqual(await rowsAt(to, 'select count(*) as n, count(distinct id) as ids, max(id) as last from shrunk.a'), [
    ['50', '50', '49'],
  ])
  const again = await importHere({ directory, to })
  assert.deepEqual([again.inserted, again.deleted], [0, 0])
})

const versionOf = (version: number): string => 'v,text\n' + lines(20_000, () => `${version},${'.'.repeat(150)}\n`)

test('readers see a file as it was, or as it is: never half', onServer, async () => {
  const directory = folderOf({ 'a.csv': versionOf(1) }, 'whole')
  await importHere({ directory, to })
  put(directory, { 'a.csv': versionOf(2) })
  await withDatabase(to, '', async (database) => {
    const state = { isOver: false }
    const importing = importHere({ directory, to, connections: 2 }).finally(() => (state.isOver = true))
    const looks = new Set<string>()
    while (!state.isOver) {
      const [look] = await database.query<{ look: string }>(
        `select concat_ws(' ', count(*), min(v), max(v)) as look from whole.a`,
      )
      looks.add(look!.look)
    }
    assert.equal((await importing).inserted, 20_000)
    for (const look of looks) assert.match(look, /^20000 (1 1|2 2)$/)
  })
})

test(
  'a file that became empty by accident keeps its rows, and the import fails; a header alone empties the table',
  onServer,
  async () => {
    const directory = folderOf({ 'a.csv': 'id\n1\n2\n', 'b.csv': 'id\n1\n', 'never.csv': '' }, 'emptied')
    const first = await importHere({ directory, to })
    assert.deepEqual([first.failed, resultOf(first, 'never.csv').outcome], [0, 'empty'])
    put(directory, { 'a.csv': '', 'b.csv': 'id\n' })
    const second = await importHere({ directory, to })
    assert.match(resultOf(second, 'a.csv').message!, /the file is empty; the 2 rows of its last import stay/)
    assert.deepEqual(resultOf(second, 'b.csv').remarks, ['a header alone'])
    assert.deepEqual(
      await rowsAt(to, 'select (select count(*) from emptied.a) as a, (select count(*) from emptied.b) as b'),
      [['2', '0']],
    )
  },
)

test('the rows of a file that is gone stay', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n', 'b.csv': 'id\n1\n' }, 'gone')
  await importHere({ directory, to })
  rmSync(join(directory, 'b.csv'))
  await importHere({ directory, to })
  assert.deepEqual(await rowsAt(to, 'select id from gone.b'), [['1']])
})

test('append adds what a file holds, each content once; upsert keeps one row for a key', onServer, async () => {
  const directory = folderOf({ 'delta.csv': 'id\n1\n2\n', 'state.csv': 'id,v\n1,a\n2,b\n2,c\n,d\n' }, 'modes')
  const declared = {
    kinds: [
      { pattern: 'delta.csv', mode: 'append' },
      { pattern: 'state.csv', mode: 'upsert', key: ['id'] },
    ],
  } as const
  const first = await importHere({ directory, to, declared })
  assert.deepEqual([resultOf(first, 'state.csv').rows, resultOf(first, 'state.csv').deadLetters], [3, 1])
  assert.deepEqual(await rowsAt(to, `select line, reason from millrace_imports.dead_letters where line = 5`), [
    ['5', 'has no value for its key (id)'],
  ])
  await importHere({ directory, to, declared })
  put(directory, { 'delta.csv': 'id\n3\n', 'state.csv': 'id,v\n2,c\n3,e\n' })
  const third = await importHere({ directory, to, declared })
  assert.deepEqual(await rowsAt(to, 'select id from modes.delta order by id'), [['1'], ['2'], ['3']])
  assert.deepEqual(await rowsAt(to, 'select id, v from modes.state order by id'), [
    ['1', 'a'],
    ['2', 'c'],
    ['3', 'e'],
  ])
  assert.equal(resultOf(third, 'state.csv').inserted, 1, 'the row with the key 2 is as it was')
})
