/** Files with an object on each line. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { objectOf } from '#src/import/json-objects.js'
import { databaseOnServer, folderOf, importHere, put, resultOf, rowsAt } from './harness.js'

const { onServer, to } = await databaseOnServer()

const spaced = (text: string): string => ` ${text.replace(/([{}[\],:])(?=(?:[^"\\]|"(?:[^"\\]|\\.)*")*$)/g, ' $1\t')}\r`
const valueOf = (i: number): string => `coalesce(to_jsonb(w) ->> 'n${i}', _rest ->> 'n${i}')`

test('the parts of an object are those of JSON.parse, however it is written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), fc.boolean(), (object, isSpaced) => {
      const line = JSON.stringify(object)
      const parsed = JSON.parse(line) as Record<string, unknown>
      const members = objectOf(isSpaced && !line.includes('\\') ? spaced(line) : line)!
      assert.deepEqual([...members.keys()].toSorted(), Object.keys(parsed).toSorted())
      for (const [name, value] of members) {
        const own = parsed[name]
        if (typeof own === 'string') assert.equal(value, own)
        else assert.deepEqual(value === null ? null : JSON.parse(value), own)
      }
    }),
  )
})

test('what is no object on a line is none', () => {
  for (const line of ['', '[]', '1', 'null', '"{}"', '{', '{"a":1', '{"a":1}{"b":2}', "{'a':1}", '{"a":01}'])
    assert.equal(objectOf(line), undefined, line)
  assert.deepEqual(
    [...objectOf('{"id":12345678901234567890,"v":1.10,"v":"2"}')!],
    [
      ['id', '12345678901234567890'],
      ['v', '2'],
    ],
  )
})

test(
  'objects are rows: numbers keep their digits, lists are their JSON, names that come late are columns too',
  onServer,
  async () => {
    const far = Array.from({ length: 20_000 }, (_, i) => `{"id":${i},"text":"${'.'.repeat(60)}"}\n`).join('')
    const files = {
      'a.ndjson': [
        '\u{feff}{"id": 12345678901234567890, "price": 1.10, "name": "a\\tb\\\\c\\n\\"d\\"", "tags": ["x", {"y": 1}]}',
        '',
        '{"name": "", "id": 2, "price": null, "é": true}',
        '[1]',
        '{"id": 3, "name": "\\u0000"}\r',
      ].join('\n'),
      'packed.jsonl.gz': gzipSync('{"day":"2024-01-31"}\n{"day":"2024-02-01"}\n'),
      'far.jsonl': `${far}{"id":-1,"late":"yes"}\n`,
      'csv.ndjson': 'id,name\n1,a\n',
    }
    const directory = folderOf(files, 'objects')
    for (const round of [1, 2]) {
      const summary = await importHere({ directory, to, connections: 2 })
      assert.deepEqual(
        [summary.imported, summary.deadLetters, summary.inserted, summary.isBalanced],
        [3, 2, round === 1 ? 20_005 : 0, true],
        JSON.stringify(summary.results),
      )
      assert.equal(
        resultOf(summary, 'csv.ndjson').message,
        'none of its first lines is a JSON object with a name in it',
      )
    }
    assert.deepEqual(
      await rowsAt(to, 'select _line, id::text, price::text, name, tags, e from objects.a order by _line'),
      [
        ['1', '12345678901234567890', '1.10', 'a\tb\\c\n"d"', '["x", {"y": 1}]', null],
        ['3', '2', null, '', null, 'true'],
      ],
    )
    assert.deepEqual(
      await rowsAt(to, `select line, reason from millrace_imports.dead_letters where reason <> 'x' order by line`),
      [
        ['4', 'no JSON object'],
        ['5', 'name: holds a NUL or half a character, which PostgreSQL does not keep'],
      ],
    )
    assert.deepEqual(await rowsAt(to, 'select day from objects.packed order by 1'), [['2024-01-31'], ['2024-02-01']])
    assert.deepEqual(await rowsAt(to, 'select id, late from objects.far where late is not null'), [['-1', 'yes']])
    put(directory, { 'a.ndjson': '{"id":1,"new":1}\n' })
    const { schemaChanges } = await importHere({ directory, to })
    assert.ok(schemaChanges.some(({ column, change }) => column === 'new' && change === 'new: bigint'))
  },
)

test(
  'many names are columns as far as a row of PostgreSQL goes, and what is declared of a name holds',
  onServer,
  async () => {
    const object = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`n${i}`, `${i}{"\\,é`]))
    const directory = folderOf(
      {
        'wide.ndjson': `${JSON.stringify(object)}\n${JSON.stringify({ n0: null, n599: 'NULL' })}\n`,
        'declared.ndjson': '{"n":1}\n{"n":"-"}\n{"n":"many"}\n',
      },
      'wide_objects',
    )
    const declared = {
      kinds: [{ pattern: 'declared.ndjson', columns: { n: { type: 'bigint', nulls: ['-'] } } }],
    } as const
    const summary = await importHere({ directory, to, declared })
    assert.deepEqual([summary.failed, summary.deadLetters], [0, 1], JSON.stringify(summary.results))
    assert.deepEqual(
      await rowsAt(to, `select ${valueOf(0)} as a, ${valueOf(599)} as b from wide_objects.wide w order by _line`),
      [
        [object['n0'], object['n599']],
        [null, 'NULL'],
      ],
    )
    assert.deepEqual(await rowsAt(to, 'select n from wide_objects.declared order by _line'), [['1'], [null]])
  },
)
