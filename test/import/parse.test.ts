/** How bytes become rows: the parser beside csv-parse, and what it does with files that are not as they should be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { COMMA_DIALECT, type Dialect } from '#src/import/dialect.js'
import { parsePiece } from '#src/import/parse.js'
import { type Head, MAX_STAGED_COLUMNS, type ParsedPiece } from '#src/import/records.js'
import { cellsOf, lastRowEnd } from '#src/import/rows.js'

const bytes = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? Buffer.from(text) : text)

function headOf(width: number, dialect: Partial<Dialect> = {}, declared: Head['declared'] = []): Head {
  const titles = Array.from({ length: width }, (_, i) => `t${i + 1}`)
  return {
    titles,
    dialect: { ...COMMA_DIALECT, ...dialect },
    mayBeWindows: true,
    declared,
    placeholders: {},
    remarks: [],
    seen: null,
  }
}

function parsed(text: string | Uint8Array, head: Head, line = 1): ParsedPiece {
  return parsePiece({ file: 0, version: '', piece: 0, line, bytes: bytes(text), head })
}

const unescape = (cell: string): string =>
  cell.replace(/\\(.)/gs, (_, letter: string) => ({ t: '\t', n: '\n', r: '\r' })[letter] ?? letter)

/** Rows as PostgreSQL reads them from COPY: the line, then texts, and null for what is missing. */
function rowsOf({ copy }: ParsedPiece): (string | null)[][] {
  const lines = Buffer.from(copy).toString().split('\n').slice(0, -1)
  return lines.map((line) => line.split('\t').map((cell) => (cell === '\\N' ? null : unescape(cell))))
}
const lettersOf = ({ letters }: ParsedPiece): unknown[] => letters.map(({ line, reason, raw }) => [line, reason, raw])

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

test('rows are those of csv-parse, wherever a file is cut between rows, and stand on their lines', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r', '\t', '\\', ' ', '1'), maxLength: 5 })
  const table = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 12 })
  fc.assert(
    fc.property(
      table,
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.integer({ min: 1, max: 40 }),
      (table, lineBreak, size) => {
        const text = table.map((row) => row.map(quoted).join(',') + lineBreak).join('')
        const file = bytes(text)
        const head = headOf(3)
        const rows = []
        let line = 1
        for (let from = 0; from < file.length;) {
          let to = from
          for (let most = size; to === from; most += size) {
            const isRest = from + most >= file.length
            to = isRest ? file.length : from + lastRowEnd(file.subarray(from, from + most), 0, COMMA_DIALECT)
          }
          const piece = parsed(file.subarray(from, to), head, line)
          assert.deepEqual(piece.letters, [])
          rows.push(...rowsOf(piece))
          line += linesOf(Buffer.from(file.subarray(from, to)).toString())
          from = to
        }
        const options = { skipEmptyLines: true, recordDelimiter: [lineBreak] }
        const cells = rows.map(([, ...cells]) => cells.map((each) => each ?? ''))
        assert.deepEqual(cells, parse(text, options))
        assert.deepEqual(
          rows.map(([line]) => Number(line)),
          table.map(
            (_, i) =>
              1 +
              linesOf(
                table
                  .slice(0, i)
                  .map((row) => row.map(quoted).join(',') + lineBreak)
                  .join(''),
              ),
          ),
        )
      },
    ),
  )
})

function linesOf(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0
}

test('looking at a head sees the same cells', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ';', '\n', ' ', '\\'), maxLength: 5 })
  fc.assert(
    fc.property(
      fc.array(cell, { minLength: 2, maxLength: 5 }),
      fc.constantFrom('double', 'backslash'),
      (cells, escape) => {
        const dialect: Dialect = { ...COMMA_DIALECT, delimiter: 0x3b, escape }
        const mark = escape === 'double' ? '"' : '\\'
        const text = `${cells.map((each) => `"${each.replaceAll(escape === 'double' ? /"/g : /["\\]/g, `${mark}$&`)}"`).join(';')}\n`
        assert.deepEqual(cellsOf(bytes(text), dialect), { cells, strayQuotes: 0 })
        assert.deepEqual(rowsOf(parsed(text, headOf(cells.length, dialect))), [['1', ...cells]])
      },
    ),
  )
})

test('an empty cell is missing, and a quoted one is an empty text', () => {
  assert.deepEqual(rowsOf(parsed('a,,""\n,,\n', headOf(3))), [
    ['1', 'a', null, ''],
    ['2', null, null, null],
  ])
})

test('line breaks may be LF, CR, both, mixed, or doubled by an accident', () => {
  const expected = [
    ['1', '2'],
    ['3', '4'],
    ['5', '6'],
  ]
  for (const text of [
    '1,2\n3,4\n5,6',
    '1,2\r3,4\r5,6\n',
    '1,2\r3,4\r\n5,6\n',
    '1,2\r\r\n3,4\r\r\n5,6\r\r\n',
    '\n1,2\n\n\r\n3,4\r5,6\r',
  ]) {
    const rows = rowsOf(parsed(text, headOf(2))).map(([, ...cells]) => cells)
    assert.deepEqual(rows, expected, JSON.stringify(text))
  }
})

test('a byte order mark at the beginning of any row is none of its first cell', () => {
  const piece = parsed('\u{feff}1,a\n\u{feff}"2",b\u{feff}\n', headOf(2))
  assert.deepEqual(rowsOf(piece), [
    ['1', '1', 'a'],
    ['2', '2', 'b\u{feff}'],
  ])
})

test('a row with broken quotes is given up alone: what follows it is read', () => {
  const piece = parsed('a,1\nb,"2\nc,3\nd,"4"x\ne,5" pipe\nf,"line\nbreak"\ng,7\n', headOf(2))
  assert.deepEqual(rowsOf(piece), [
    ['1', 'a', '1'],
    ['3', 'c', '3'],
    ['5', 'e', '5" pipe'],
    ['6', 'f', 'line\nbreak'],
    ['8', 'g', '7'],
  ])
  assert.deepEqual(lettersOf(piece), [
    [2, 'text behind a closing quote', 'b,"2'],
    [4, 'text behind a closing quote', 'd,"4"x'],
  ])
  assert.deepEqual(lettersOf(parsed('a,"1\nb,2\n', headOf(2))), [[1, 'an opening quote without a closing one', 'a,"1']])
})

test('a row with too few or too many cells is a dead letter; surplus empty ones are nothing', () => {
  const piece = parsed('1,a\n2\n3,c,d\n4,d,,\n', headOf(2))
  assert.deepEqual(rowsOf(piece), [
    ['1', '1', 'a'],
    ['4', '4', 'd'],
  ])
  assert.deepEqual(lettersOf(piece), [
    [2, '1 cell, and the header has 2', '2'],
    [3, '3 cells, and the header has 2', '3,c,d'],
  ])
})

test('a row that is no UTF-8, or holds a NUL, is a dead letter; in windows-1252 it is read', () => {
  const row = Buffer.from('1,caf\xe9 \x80\n', 'latin1')
  const piece = parsed(Buffer.concat([Buffer.from('0,é\n'), row, Buffer.from('2,b\0\n')]), headOf(2))
  assert.deepEqual(rowsOf(piece), [['1', '0', 'é']])
  assert.deepEqual(lettersOf(piece), [
    [2, 'not UTF-8', '1,café \x80'],
    [3, 'holds a NUL character, which PostgreSQL does not keep', '2,b␀'],
  ])
  assert.deepEqual([piece.notUtf8, piece.hasUtf8], [1, true])
  assert.deepEqual(rowsOf(parsed(row, headOf(2, { encoding: 'windows-1252' }))), [['1', '1', 'café €']])
})

test('what does not fit a declared type is a dead letter that names the cell', () => {
  const declared = [{ type: 'bigint', nulls: ['missing'] }, null] as const
  const piece = parsed('1,a\nx,b\nmissing,c\n,d\n', headOf(2, {}, declared))
  assert.deepEqual(piece.letters, [{ line: 2, column: 't1', value: 'x', reason: 't1: "x" is no bigint', raw: 'x,b' }])
  assert.equal(piece.rows, 3)
})

test('the cells of a wide row are one array', () => {
  const width = MAX_STAGED_COLUMNS + 1
  const cells = Array.from({ length: width }, (_, i) => ['a"b', 'c\\d', '', 'NULL', 'x\ny', '{,}'][i % 6]!)
  const { copy, rows } = parsed(
    `${cells.map((each) => (each === '' ? '' : `"${each.replaceAll('"', '""')}"`)).join()}\n`,
    headOf(width),
  )
  assert.equal(rows, 1)
  const [, array] = Buffer.from(copy).toString().split('\t')
  const literal = array!.replace(/\n$/, '').replace(/\\(.)/gs, (_, letter: string) => (letter === 'n' ? '\n' : letter))
  const shown = cells.map((each) => (each === '' ? 'NULL' : `"${each.replace(/["\\]/g, String.raw`\$&`)}"`)).join()
  assert.equal(literal, `{ ${shown}}`)
})
