import { mark } from '../../graph/types.ts'
import { type Block, blocksOf, type OpenBytes } from '../core/file/blocks.ts'
import { loadClient } from '../core/client.ts'
import type { FilePart } from '../core/file/file-source.ts'
import { unreadable } from '../core/record.ts'

/** A row, as `decode` gets it: its cells by column. */
export type CsvRow = Readonly<Record<string, string>>

interface CsvFormat {
  readonly delimiter: string
  readonly columns?: readonly string[]
  readonly encoding: string
  readonly decode: (row: CsvRow) => unknown
}

const QUOTE = 0x22
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Rows of blocks of a file, from an offset on at which a row begins. */
export async function* csvParts(open: OpenBytes, from = 0, format: CsvFormat): AsyncGenerator<FilePart> {
  const { parse } = await loadClient('csv-parse', () => import('csv-parse/sync'))
  const { delimiter, encoding, decode } = format
  const endOf = endOfRows(delimiter)
  const cellsOf = (bytes: Buffer): string[][] =>
    parse(bytes.toString(encoding as 'utf8'), {
      delimiter,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
    })
  let columns = format.columns ?? (from === 0 ? undefined : await headerOf(open, endOf, cellsOf))
  for await (const block of blocksOf(open, from, endOf)) {
    const { bytes, end } = withoutMark(block)
    let rows: string[][]
    try {
      rows = cellsOf(bytes)
    } catch (cause) {
      // A quote that nothing closes.
      yield { records: [mark<unknown>(bytes, { error: unreadable(cause, { before: end }) })], cursor: end }
      continue
    }
    if (columns === undefined) columns = rows.shift()
    if (columns !== undefined) yield { records: recordsOf(rows, columns, decode, end), cursor: end }
  }
}

function* recordsOf(
  rows: readonly string[][],
  columns: readonly string[],
  decode: (row: CsvRow) => unknown,
  end: number,
): Generator {
  for (const cells of rows) {
    try {
      if (cells.length !== columns.length) throw new Error(`${cells.length} cells, but ${columns.length} columns`)
      yield decode(Object.fromEntries(columns.map((column, i) => [column, cells[i]!])))
    } catch (cause) {
      yield mark<unknown>(cells, { error: unreadable(cause, { before: end }) })
    }
  }
}

/** The first row, for who goes on in the middle. */
async function headerOf(
  open: OpenBytes,
  endOf: (bytes: Buffer) => number,
  cellsOf: (bytes: Buffer) => string[][],
): Promise<readonly string[] | undefined> {
  for await (const block of blocksOf(open, 0, endOf)) return cellsOf(withoutMark(block).bytes)[0]
  return undefined
}

function withoutMark(block: Block): Block {
  const isMarked = block.end === block.bytes.length && block.bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)
  return isMarked ? { bytes: block.bytes.subarray(3), end: block.end } : block
}

/**
 * Where the last whole row ends: behind a line feed that is in no quotes. Quotes count at the beginning of a cell, as the parser has it;
 * the parser itself does not say where its rows end.
 */
function endOfRows(delimiter: string): (bytes: Buffer) => number {
  const comma = delimiter.charCodeAt(0)
  return (bytes) => {
    let end = 0
    let isAtStart = true
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (isAtStart && byte === QUOTE) {
        at = closingQuote(bytes, at + 1, comma)
        if (at === -1) return end
        isAtStart = false
      } else if (byte === LINE_FEED) {
        end = at + 1
        isAtStart = true
      } else isAtStart = byte === comma
    }
    return end
  }
}

/** A quote that a comma or the end of the row follows. */
function closingQuote(bytes: Buffer, from: number, comma: number): number {
  for (let at = bytes.indexOf(QUOTE, from); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    const next = bytes[at + 1]
    if (next === comma || next === LINE_FEED || next === CARRIAGE_RETURN) return at
    // Two of them stand for one.
    if (next === QUOTE) at++
  }
  return -1
}
