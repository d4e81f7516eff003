/** Rows that the database refuses are dead letters, each with its reason; the others land. And the books tell where rows went. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf, summaryText } from 'millrace/import'
import { databaseOnServer, folderOf, importHere, put, resultOf, rowsAt, withDatabase } from './harness.js'

const { onServer, to } = await databaseOnServer()

const run = (sql: string): Promise<void> => withDatabase(to, '', (database) => database.execute(sql))
const lettersOf = (path: string): Promise<(string | null)[][]> =>
  rowsAt(
    to,
    `select line, reason, raw from millrace_imports.dead_letters l join millrace_imports.files f on f.id = l.file
    where path = '${path}' order by line`,
  )
const rowsOf = (count: number): string => Array.from({ length: count }, (_, i) => `${i},${'.'.repeat(100)}\n`).join('')

test(
  'a row that a constraint refuses is a dead letter, whether its file is small or staged in pieces',
  onServer,
  async () => {
    const directory = folderOf({ 'small.csv': 'id,v\n1,a\n', 'large.csv': `id,v\n${rowsOf(10)}` }, 'refused')
    await importHere({ directory, to })
    await run('alter table refused.small add check (id > 0); create unique index on refused.small (v)')
    await run('alter table refused.large add check (id <> 15000 and id <> 15001)')
    put(directory, { 'small.csv': 'id,v\n1,a\n-2,b\n3,a\n4,"c,d"\n', 'large.csv': `id,v\n${rowsOf(30_000)}` })
    for (const round of [1, 2]) {
      const summary = await importHere({ directory, to, connections: 2 })
      const [small, large] = [resultOf(summary, 'small.csv'), resultOf(summary, 'large.csv')]
      assert.deepEqual([small.outcome, small.rows, small.deadLetters], ['imported', 2, 2], `${round}: ${small.message}`)
      assert.deepEqual([large.outcome, large.rows, large.deadLetters], ['imported', 29_998, 2], large.message)
      assert.deepEqual([summary.isBalanced, exitCodeOf(summary)], [true, 0])
      assert.deepEqual(await rowsAt(to, 'select id, v from refused.small order by _line'), [
        ['1', 'a'],
        ['4', 'c,d'],
      ])
      const [negative, double] = await lettersOf('small.csv')
      assert.deepEqual([negative![0], negative![2], double![0], double![2]], ['3', '-2,b', '4', '3,a'])
      assert.match(negative![1]!, /^the database refuses it: new row .* violates check constraint/)
      assert.match(double![1]!, /^the database refuses it: duplicate key value .* Key \(v\)=\(a\) already exists\.$/)
      assert.deepEqual(
        (await lettersOf('large.csv')).map(([line]) => line),
        ['15002', '15003'],
      )
      assert.deepEqual(await rowsAt(to, 'select count(*) from refused.large'), [['29998']])
    }
  },
)

test(
  'rows that are refused count for the limit of dead letters, and nothing of such a file is written',
  onServer,
  async () => {
    const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'too_many')
    await importHere({ directory, to })
    await run('alter table too_many.a add check (id < 3)')
    put(directory, { 'a.csv': 'id\n1\n2\n3\n4\n5\n' })
    const summary = await importHere({ directory, to })
    assert.match(
      resultOf(summary, 'a.csv').message!,
      /^60 % of its rows are dead letters, of 5; the first, line 4: the data/,
    )
    assert.deepEqual(await rowsAt(to, 'select id from too_many.a'), [['1']])
    assert.equal(
      (await lettersOf('a.csv')).filter(([, reason]) => /check constraint "a_id_check"/.test(reason!)).length,
      3,
    )
  },
)

test('what a deferred constraint refuses is refused before the end of the transaction', onServer, async () => {
  const directory = folderOf({ 'child.csv': 'parent\n1\n' }, 'deferred')
  await importHere({ directory, to })
  await run(`create table deferred.parents (id bigint primary key); insert into deferred.parents values (1), (2);
    alter table deferred.child add foreign key (parent) references deferred.parents deferrable initially deferred`)
  put(directory, { 'child.csv': 'parent\n1\n2\n9\n' })
  const summary = await importHere({ directory, to })
  assert.deepEqual([summary.rows, summary.deadLetters, summary.failed], [2, 1, 0], JSON.stringify(summary.results))
})

test('with upsert and append too, a refused row is one dead letter and no more', onServer, async () => {
  const declared = {
    kinds: [
      { pattern: 'state.csv', mode: 'upsert', key: ['id'] },
      { pattern: 'delta.csv', mode: 'append' },
    ],
  } as const
  const directory = folderOf({ 'state.csv': 'id,one\n1,1\n2,2\n', 'delta.csv': 'part\n1\n' }, 'modes_refused')
  await importHere({ directory, to, declared })
  await run('alter table modes_refused.state add check (one < 9); alter table modes_refused.delta add check (part < 9)')
  put(directory, { 'state.csv': 'id,one\n2,9\n1,3\n,4\n4,4\n', 'delta.csv': 'part\n9\n2\n' })
  const summary = await importHere({ directory, to, declared })
  assert.deepEqual(
    ['state.csv', 'delta.csv'].map((path) => [resultOf(summary, path).rows, resultOf(summary, path).deadLetters]),
    [
      [2, 2],
      [1, 1],
    ],
    JSON.stringify(summary.results),
  )
  assert.deepEqual(await rowsAt(to, 'select id, one from modes_refused.state order by id'), [
    ['1', '3'],
    ['2', '2'],
    ['4', '4'],
  ])
  assert.deepEqual(await rowsAt(to, 'select part from modes_refused.delta order by part'), [['1'], ['2']])
})

test(
  'a file that the database cannot keep at all fails by name, and the import comes to its end',
  onServer,
  async () => {
    const latin = `latin_${to.slice(-8)}`
    await run(`create database ${latin} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0`)
    const url = new URL(to)
    url.pathname = `/${latin}`
    try {
      const directory = folderOf({ 'latin.csv': 'id,v\n1,é\n', 'other.csv': 'id,v\n1,日\n' })
      const summary = await importHere({ directory, to: url.href })
      assert.deepEqual([summary.imported, summary.failed], [1, 1], summary.failure)
      assert.match(
        resultOf(summary, 'other.csv').message!,
        /^the database refuses it: .* has no equivalent in encoding "LATIN1"/,
      )
    } finally {
      await run(`drop database ${latin} with (force)`)
    }
  },
)

test('rows that somebody swallows on their way are told, and the import does not end well', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n2\n', 'b.csv': 'id\n1\n' }, 'swallowed')
  const declared = { kinds: [{ pattern: 'b.csv', mode: 'append' }] } as const
  await importHere({ directory, to, declared })
  await run(`create function swallowed.drop() returns trigger language plpgsql as 'begin if new.id > 2 then return null; end if; return new; end';
    create trigger swallow before insert on swallowed.a for each row execute function swallowed.drop();
    create trigger swallow before insert on swallowed.b for each row execute function swallowed.drop()`)
  put(directory, { 'a.csv': 'id\n1\n2\n3\n4\n', 'b.csv': 'id\n2\n3\n' })
  const summary = await importHere({ directory, to, declared })
  assert.deepEqual([summary.isBalanced, exitCodeOf(summary)], [false, 1])
  assert.deepEqual([resultOf(summary, 'a.csv').missing, resultOf(summary, 'b.csv').missing], [2, 1])
  assert.match(summaryText(summary), /THE BOOKS DO NOT BALANCE: .*: a\.csv \(2\), b\.csv \(1\)\./)
})
