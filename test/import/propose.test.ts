/** The declaration that `--propose` prints: it says what an import would find, and can be used as it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Declared, proposeDeclaration } from 'millrace/import'
import { checkDeclared } from '#src/import/declared.js'
import { databaseOnServer, folderOf, importByCommand, importHere, put, rowsAt, temporaryFolder } from './harness.js'

const { onServer, to } = await databaseOnServer()

const FILES = {
  'a/invoices.csv': 'id,amount,when\n1,1.50,1/31/2024\n2,2.00,2/1/2024\n',
  'b/invoices.csv': 'id,amount,when\n1,1.50,1/31/2024\n4,2.00,NA\n',
  'orders_2024-01.csv': 'code;n\n007;1,5\n1e5;2,5\n',
  'orders_2024-02.csv': 'code;n\n008;1,5\n2e5;x,5\n',
  'orders_old.csv': 'x\n1\n2\n',
  'invoices.csv': 'id\n1\n',
  'latin.csv': Buffer.from('name\n\xe9\nb\n', 'latin1'),
  'events.ndjson': '{"at":"2024-01-31 10:00"}\n{"at":"2024-01-31 11:00"}\n',
  'empty.csv': '',
}

test('files that belong together are one kind; types, and what speaks for them, are told', async () => {
  const directory = folderOf(FILES, 'proposed')
  const { declared, evidence } = await proposeDeclaration(directory)
  assert.deepEqual(checkDeclared(declared), [])
  assert.deepEqual(
    declared.kinds!.map(({ pattern, name, delimiter, encoding }) => [pattern, name, delimiter, encoding]),
    [
      ['events.ndjson', undefined, undefined, undefined],
      ['invoices.csv', undefined, undefined, undefined],
      ['latin.csv', undefined, undefined, 'windows-1252'],
      ['orders_old.csv', undefined, undefined, undefined],
      ['{folder}/invoices.csv', 'invoices_2', undefined, undefined],
      ['orders_*.csv', undefined, ';', undefined],
    ],
  )
  assert.deepEqual(declared.kinds![4]!.columns, {
    id: { type: 'bigint' },
    amount: { type: 'numeric' },
    when: { type: 'date', dayOrder: 'mdy', nulls: ['NA'] },
  })
  for (const line of [
    '{folder}/invoices.csv: 2 files, 4 rows',
    '  when: date; month first; missing: "NA"',
    '  code: text; for "007" on line 2; no two rows have the same: it could be the key',
    '  n: text; for "x,5" on line 3',
    '  x: bigint; no two rows have the same: it could be the key',
    'empty.csv: the file is empty',
  ])
    assert.ok(evidence.includes(line), `${line}\nis not in\n${evidence.join('\n')}`)
})

test(
  'what is proposed can be put into the directory as it is, and the import does what it says',
  onServer,
  async () => {
    const directory = folderOf(FILES, 'taken')
    const { code, stdout } = await importByCommand([directory, '--propose'], { cwd: temporaryFolder() })
    assert.equal(code, 0)
    assert.ok((JSON.parse(stdout) as Declared).kinds!.length > 0)
    put(directory, { 'millrace-import.json': stdout })
    const { failed, deadLetters } = await importHere({ directory, to })
    assert.deepEqual([failed, deadLetters], [0, 0])
    assert.deepEqual(await rowsAt(to, 'select folder, id, "when" from taken.invoices_2 order by 1, 2'), [
      ['a', '1', '2024-01-31'],
      ['a', '2', '2024-02-01'],
      ['b', '1', '2024-01-31'],
      ['b', '4', null],
    ])
    assert.deepEqual(await rowsAt(to, 'select code from taken.orders order by 1'), [['007'], ['008'], ['1e5'], ['2e5']])
    assert.deepEqual(await rowsAt(to, 'select x from taken.orders_old order by 1'), [['1'], ['2']])
  },
)
