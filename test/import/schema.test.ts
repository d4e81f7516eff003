import assert from 'node:assert/strict'
import { test } from 'node:test'
import { convertCell, inferType, widest } from '../../examples/import/schema.js'
import { tableName, uniqueNames } from '../../examples/import/names.js'

test('the type of a column is the narrowest that takes every sampled cell', () => {
  const cases: [string, string[]][] = [
    ['bigint', ['1', '-20', '']],
    ['double precision', ['1', '2.5', '1e-3', '-.5']],
    ['text', ['00501', '10001']],
    ['text', ['1', 'n/a']],
    ['boolean', ['true', 'FALSE']],
    ['date', ['2024-02-29', '1999/12/31']],
    ['text', ['2023-02-29']],
    ['timestamp', ['2010-01-01T01:00:00', '2015/01/01 04:00']],
    ['timestamptz', ['2010-01-01T01:00:00Z', '2010-01-01 01:00:00+02:00']],
    ['text', ['2010-01-01', '2010-01-01T01:00:00']],
    ['text', ['', '']],
    ['text', ['Jan 1 2000']],
  ]
  for (const [type, cells] of cases) assert.equal(inferType(cells), type, cells.join(' '))
})

test('a cell becomes a value of its column, or nothing where it does not fit', () => {
  assert.equal(convertCell('', 'bigint'), null)
  assert.equal(convertCell('42', 'bigint'), 42)
  assert.equal(convertCell('9007199254740993', 'bigint'), '9007199254740993')
  assert.equal(convertCell('9223372036854775808', 'bigint'), undefined)
  assert.equal(convertCell('4.0', 'bigint'), undefined)
  assert.equal(convertCell('1469.250000', 'double precision'), 1469.25)
  assert.equal(convertCell('1e999', 'double precision'), undefined)
  assert.equal(convertCell('2010/01/31', 'date'), '2010-01-31')
  assert.equal(convertCell('2010-13-01', 'date'), undefined)
  assert.equal(convertCell('2010-01-01 25:00:00', 'timestamp'), undefined)
  assert.equal(convertCell('2010-01-01T00:00:00+15:59', 'timestamptz'), '2010-01-01T00:00:00+15:59')
  assert.equal(convertCell('2010-01-01T00:00:00+16:00', 'timestamptz'), undefined, 'further than PostgreSQL goes')
  assert.equal(convertCell('a\0b', 'text'), undefined)
})

test('two types that meet give one that holds both', () => {
  assert.equal(widest('bigint', 'double precision'), 'double precision')
  assert.equal(widest('date', 'date'), 'date')
  assert.equal(widest('date', 'bigint'), 'text')
})

test('names of tables and columns need no quotes, and none comes twice', () => {
  assert.equal(tableName('Cost Total $'), 'cost_total')
  assert.equal(tableName('us-employment.csv'), 'us_employment')
  assert.equal(tableName('2024 été'), '_2024_ete')
  assert.equal(tableName('pg_class.csv'), '_pg_class')
  assert.deepEqual(uniqueNames(['', '', 'table'], []), ['table', 'table_2', 'table_3'])
  assert.deepEqual(uniqueNames(['a', 'a', 'key', 'a', 'a_2'], ['key']), ['a', 'a_2', 'key_2', 'a_3', 'a_2_2'])
  const long = uniqueNames(
    Array.from({ length: 1_200 }, () => tableName('x'.repeat(100))),
    [],
  )
  assert.equal(new Set(long.map((name) => name.slice(0, 63))).size, 1_200)
})
