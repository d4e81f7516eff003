import { isUtf8 } from 'node:buffer'
import { parse } from 'csv-parse/sync'
import type { Context } from 'millrace'
import { messageOf } from './database.js'
import type { Block, DeadLetter, FileEnd, Note, TextRow } from './records.js'
import { countLines, isBlank, lineEnd, rowEnd } from './scan.js'

type Parsed = TextRow | DeadLetter

/** The handler of `parse`: the rows of a block; what cannot be parsed is a dead letter. */
export function parseBlock(block: Block | FileEnd, { emit }: Pick<Context, 'emit'>): Parsed[] {
  const { file } = block
  if (!('bytes' in block)) {
    emit('note', { file, end: block } satisfies Note)
    return []
  }
  const rows = rowsAtOnce(block) ?? rowsOneByOne(block)
  emit('note', { file, read: rows.length } satisfies Note)
  return rows
}

/** All rows of a block in one go; undefined where any of them is broken, or parser and scanner disagree. */
function rowsAtOnce({ file, line, bytes }: Block): TextRow[] | undefined {
  const rows = cellsOf(bytes)
  if (!Array.isArray(rows)) return undefined
  const lines = [...rowLines(bytes, line)]
  if (lines.length !== rows.length) return undefined
  return rows.map((cells, i) => ({ kind: 'text', file, line: lines[i]!, cells }))
}

/** Every row by itself: of one that is broken, only its first line is given up, so an open quote does not eat the file. */
function rowsOneByOne({ file, line, bytes }: Block): Parsed[] {
  const rows: Parsed[] = []
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    const end = rowEnd(bytes, from)
    to = end === -1 ? bytes.length : end
    if (isBlank(bytes, from, to)) {
      line++
      continue
    }
    const parsed = cellsOf(bytes.subarray(from, to))
    if (Array.isArray(parsed) && parsed.length === 1) rows.push({ kind: 'text', file, line, cells: parsed[0]! })
    else {
      to = lineEnd(bytes, from)
      const reason = Array.isArray(parsed) ? 'not one row' : parsed
      rows.push({ kind: 'letter', file, line, reason, raw: printable(bytes.subarray(from, to)) })
    }
    line += countLines(bytes, from, to)
  }
  return rows
}

/** The cells of each row, or why there are none. */
function cellsOf(bytes: Uint8Array): string[][] | string {
  if (!isUtf8(bytes)) return 'not UTF-8'
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return parse(text, { relaxColumnCount: true, skipEmptyLines: true, recordDelimiter: ['\r\n', '\n'] })
  } catch (error) {
    // The parser counts lines from the beginning of what it was given.
    return messageOf(error).replace(/ (?:at|on) line \d+/, '')
  }
}

/** The line that each row begins on. */
function* rowLines(bytes: Uint8Array, line: number): Generator<number> {
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    const end = rowEnd(bytes, from)
    to = end === -1 ? bytes.length : end
    if (!isBlank(bytes, from, to)) yield line
    line += countLines(bytes, from, to)
  }
}

/** A broken row as text without its line break. Bytes that are no UTF-8 stand for themselves as Latin-1. */
function printable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString(isUtf8(bytes) ? 'utf8' : 'latin1')
  return text.replace(/\r?\n$/, '')
}
