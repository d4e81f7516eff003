import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBlock } from '../../examples/import/parse.js'
import type { Note } from '../../examples/import/records.js'
import { lastRowEnd } from '../../examples/import/scan.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

/** Rows as `parse` makes them, and what it notes. */
function parsed(text: string | Uint8Array, line = 1): { rows: ReturnType<typeof parseBlock>; notes: Note[] } {
  const notes: Note[] = []
  const block = { file: 'f.csv', line, bytes: typeof text === 'string' ? bytes(text) : text }
  const rows = parseBlock(block, { emit: (_, note) => notes.push(note as Note) })
  return { rows, notes }
}
const cellsOf = (text: string): unknown[] =>
  parsed(text).rows.map((row) => (row.kind === 'text' ? [row.line, ...row.cells] : [row.line, row.reason, row.raw]))

test('blocks cut anywhere between rows give the rows of the whole file, on their lines', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', ' ', '1'), maxLength: 5 })
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 12 })
  fc.assert(
    fc.property(table, fc.constantFrom('\n', '\r\n'), fc.integer({ min: 1, max: 40 }), (table, lineBreak, size) => {
      const file = bytes(table.map((row) => row.map(quoted).join(',') + lineBreak).join(''))
      const rows = []
      let line = 1
      for (let from = 0; from < file.length;) {
        let to = from
        for (let most = size; to === from; most += size) to = from + lastRowEnd(file.subarray(from, from + most))
        const block = file.subarray(from, to)
        rows.push(...parsed(block, line).rows)
        line += block.filter((byte) => byte === 0x0a).length
        from = to
      }
      let at = 1
      const expected = table.map((cells) => {
        const row = { kind: 'text', file: 'f.csv', line: at, cells }
        at += 1 + cells.join('').split('\n').length - 1
        return row
      })
      assert.deepEqual(rows, expected)
    }),
  )
})

test('a row with an open quote is given up alone: what follows it is read', () => {
  assert.deepEqual(cellsOf('a,1\nb,"2\nc,3\nd,4\n'), [
    [1, 'a', '1'],
    [2, 'Quote Not Closed: the parsing is finished with an opening quote', 'b,"2'],
    [3, 'c', '3'],
    [4, 'd', '4'],
  ])
})

test('a quote within a cell gives up its row, and no other', () => {
  const rows = cellsOf('a,1\nb,"2" x\nc,5" pipe\nd,"line\nbreak"\ne,5\n')
  assert.deepEqual(
    rows.map((row) => (row as unknown[])[0]),
    [1, 2, 3, 4, 6],
  )
  assert.deepEqual(
    parsed('a,1\nb,"2" x\nc,5" pipe\n').rows.map(({ kind }) => kind),
    ['text', 'letter', 'letter'],
  )
})

test('bytes that are no UTF-8 give up their row, which is kept byte for byte as Latin-1', () => {
  const latin = Buffer.from('a,1\nMünchen,2\nZürich,3\n', 'latin1')
  const mixed = Buffer.concat([latin, bytes('Köln,4\n')])
  assert.deepEqual(
    parsed(mixed).rows.map((row) => (row.kind === 'text' ? row.cells[0] : `${row.reason}: ${row.raw}`)),
    ['a', 'not UTF-8: München,2', 'not UTF-8: Zürich,3', 'Köln'],
  )
})

test('empty lines are no rows, and count as lines; every row is noted', () => {
  const { rows, notes } = parsed('a,1\n\n\r\nb,2')
  assert.deepEqual(
    rows.map(({ line }) => line),
    [1, 4],
  )
  assert.deepEqual(notes, [{ file: 'f.csv', read: 2 }])
})
