import { isAscii, isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { DeclaredCells } from './declared-cells.ts'
import { BACKSLASH, CR, type Dialect, LF, QUOTE, SPACE, decodedText } from './dialect.ts'
import { type Evidence, addCell, emptyEvidence } from './evidence.ts'
import { type Letter, MAX_STAGED_COLUMNS, type ParsedPiece, type Piece, RAW_CHARACTERS } from './records.ts'
import { parseJsonPiece } from './parse-json.ts'
import { bomBytes, lineEnd } from './rows.ts'

const TAB = 0x09

/** The handler of `parse`: the rows of a piece as COPY takes them, what its columns hold, and what could not be read. */
export function parsePiece(piece: Piece): ParsedPiece {
  const { file, version, head, end } = piece
  if (head.dialect.format === 'ndjson') return parseJsonPiece(piece)
  const bytes = head.dialect.encoding === 'windows-1252' ? fromWindows(piece.bytes) : piece.bytes
  const parser = new RowParser(bytes, piece)
  parser.run()
  return {
    file,
    version,
    piece: piece.piece,
    bytes: piece.bytes.length,
    rows: parser.rows,
    copy: parser.copied(),
    evidence: parser.evidence,
    letters: parser.letters,
    notUtf8: parser.notUtf8,
    hasUtf8: parser.hasUtf8,
    unknown: [],
    head,
    ...(end === undefined ? {} : { end }),
  }
}

/** What a piece holds, in few bytes: of the bytes, and of how they are read. */
export function digestOf({ copy, letters }: Pick<ParsedPiece, 'copy' | 'letters'>): string {
  return createHash('sha256').update(copy).update(JSON.stringify(letters)).digest('hex').slice(0, 32)
}

/** One pass over the bytes of a piece. No object for a row or a cell: cells are places in the output. */
class RowParser {
  readonly evidence: Evidence
  readonly letters: Letter[] = []
  rows = 0
  notUtf8 = 0
  hasUtf8 = false
  readonly #bytes: Uint8Array
  readonly #dialect: Dialect
  readonly #titles: readonly string[]
  readonly #declared: DeclaredCells | undefined
  readonly #isWide: boolean
  /** Whether each row must be looked at: the piece as a whole is no UTF-8. */
  readonly #isMixed: boolean
  readonly #hasNul: boolean
  #line: number
  #out: Buffer
  #length = 0
  /** Where the cells of the row in hand lie in the output: begin and end, in turn. */
  readonly #cells: Int32Array

  constructor(bytes: Uint8Array, { head, line }: Piece) {
    this.#bytes = bytes
    this.#dialect = head.dialect
    this.#titles = head.titles
    this.#declared = DeclaredCells.of(head.declared)
    this.#line = line
    const width = head.titles.length
    this.#isWide = width > MAX_STAGED_COLUMNS
    this.evidence = emptyEvidence(width)
    this.#cells = new Int32Array(width * 2)
    this.#isMixed = !isUtf8(bytes)
    this.#out = Buffer.allocUnsafe(this.#roomFor(bytes.length) + bytes.length)
    this.hasUtf8 = !this.#isMixed && !isAscii(bytes)
    this.#hasNul = bytes.includes(0)
  }

  copied(): Uint8Array {
    return this.#out.subarray(0, this.#length)
  }

  run(): void {
    const bytes = this.#bytes
    for (let at = 0; at < bytes.length;) {
      if (bytes[at] === LF || bytes[at] === CR) {
        at = this.#breakEnd(at)
        continue
      }
      this.#makeRoom(bytes.length - at)
      at = this.#row(at)
    }
  }

  /** Bytes of output that so many bytes of input may take. Quotes of an array are four for one. */
  #roomFor(input: number): number {
    return (this.#isWide ? 6 : 3) * input + 128
  }

  #makeRoom(input: number): void {
    const needed = this.#length + this.#roomFor(input)
    if (needed <= this.#out.length) return
    const out = Buffer.allocUnsafe(needed + (needed >> 1))
    this.#out.copy(out, 0, 0, this.#length)
    this.#out = out
  }

  /** @returns the position behind the row; behind its first line where its quotes are broken */
  #row(start: number): number {
    const bytes = this.#bytes
    const length = bytes.length
    const { delimiter, skipsSpace } = this.#dialect
    const width = this.#titles.length
    const outStart = this.#length
    const line = this.#line
    const out = this.#out
    const cells = this.#cells
    const isWide = this.#isWide
    let o = outStart + out.write(String(line), outStart, 'latin1')
    let at = start + bomBytes(bytes, start)
    let column = 0
    let surplus = 0
    if (isWide) {
      out[o++] = TAB
      out[o++] = 0x7b
    }
    for (;;) {
      const isSurplus = column >= width
      const cellStart = o
      if (!isSurplus) out[o++] = isWide ? (column === 0 ? SPACE : 0x2c) : TAB
      if (isWide) out[o++] = QUOTE
      const contentStart = o
      if (skipsSpace) while (bytes[at] === SPACE) at++
      const isQuoted = bytes[at] === QUOTE
      if (isQuoted) {
        at = this.#quoted(at + 1, o)
        if (at === -1) return this.#broken(start, line, outStart, 'an opening quote without a closing one')
        o = this.#length
        if (at < length && bytes[at] !== delimiter && bytes[at] !== LF && bytes[at] !== CR)
          return this.#broken(start, line, outStart, 'text behind a closing quote')
      } else {
        while (at < length) {
          const byte = bytes[at]!
          if (byte === delimiter || byte === LF || byte === CR) break
          if (byte === BACKSLASH || byte === TAB || (isWide && byte === QUOTE)) o = this.#escaped(byte, o)
          else out[o++] = byte
          at++
        }
      }
      if (isSurplus) {
        if (o > contentStart) surplus++
        o = cellStart
      } else if (o === contentStart && !isQuoted) {
        cells[2 * column] = -1
        if (isWide) o = contentStart - 1 + out.write('NULL', contentStart - 1, 'latin1')
        else {
          out[o++] = BACKSLASH
          out[o++] = 0x4e
        }
      } else {
        cells[2 * column] = contentStart
        cells[2 * column + 1] = o
        if (isWide) out[o++] = QUOTE
      }
      column++
      if (at >= length || bytes[at] !== delimiter) break
      at++
    }
    if (isWide) out[o++] = 0x7d
    out[o++] = LF
    const end = this.#breakEnd(at)
    const refusal = this.#refusal(start, at, column, surplus)
    if (refusal !== undefined) {
      this.letters.push({ line, ...refusal, raw: this.#raw(start, at) })
      this.#length = outStart
      return end
    }
    for (let i = 0; i < width; i++) {
      const from = cells[2 * i]!
      if (from === -1) continue
      if (from < cells[2 * i + 1]!) this.#see(i, from, cells[2 * i + 1]!, line)
      else this.evidence.empties[i]!++
    }
    this.rows++
    this.#length = o
    return end
  }

  #see(column: number, from: number, to: number, line: number): void {
    if (this.#declared?.isMissing(column, this.#out, from, to) === true) return
    addCell(this.evidence, column, this.#out, from, to, line)
  }

  /** Copies a quoted cell, and leaves the end of it in `#length`. @returns the position behind its closing quote, or -1 */
  #quoted(from: number, outFrom: number): number {
    const bytes = this.#bytes
    const out = this.#out
    const hasBackslash = this.#dialect.escape === 'backslash'
    let o = outFrom
    for (let at = from; at < bytes.length; at++) {
      let byte = bytes[at]!
      if (byte === QUOTE) {
        if (bytes[at + 1] !== QUOTE) {
          this.#length = o
          return at + 1
        }
        at++
      } else if (hasBackslash && byte === BACKSLASH && at + 1 < bytes.length) byte = bytes[++at]!
      if (byte === BACKSLASH || byte === TAB || byte === LF || byte === CR || (byte === QUOTE && this.#isWide))
        o = this.#escaped(byte, o)
      else out[o++] = byte
      if (byte === LF || (byte === CR && bytes[at + 1] !== LF)) this.#line++
    }
    return -1
  }

  /** A byte that means something to COPY, or within an array. @returns the position behind it */
  #escaped(byte: number, o: number): number {
    const out = this.#out
    if (this.#isWide && (byte === BACKSLASH || byte === QUOTE)) {
      out[o++] = BACKSLASH
      out[o++] = BACKSLASH
      if (byte === QUOTE) {
        out[o++] = QUOTE
        return o
      }
    }
    out[o++] = BACKSLASH
    out[o++] = byte === TAB ? 0x74 : byte === LF ? 0x6e : byte === CR ? 0x72 : byte
    return o
  }

  /** Gives up the first line of a row, so that an open quote does not eat the file. */
  #broken(start: number, line: number, outStart: number, reason: string): number {
    const end = lineEnd(this.#bytes, start)
    this.#length = outStart
    this.letters.push({ line, reason, raw: this.#raw(start, end).replace(/[\r\n]+$/, '') })
    // Lines within the quotes were counted on the way.
    this.#line = line + 1
    return end
  }

  /** @returns the position behind a line break, or `at` itself at the end of the bytes */
  #breakEnd(at: number): number {
    if (at >= this.#bytes.length) return at
    this.#line++
    return this.#bytes[at] === CR && this.#bytes[at + 1] === LF ? at + 2 : at + 1
  }

  #refusal(
    start: number,
    end: number,
    columns: number,
    surplus: number,
  ): Pick<Letter, 'reason' | 'column' | 'value'> | undefined {
    const width = this.#titles.length
    if (columns < width || surplus > 0) {
      return { reason: `${columns} ${columns === 1 ? 'cell' : 'cells'}, and the header has ${width}` }
    }
    if (this.#hasNul && this.#bytes.subarray(start, end).includes(0))
      return { reason: 'holds a NUL character, which PostgreSQL does not keep' }
    if (this.#isMixed) {
      const row = this.#bytes.subarray(start, end)
      if (!isUtf8(row)) {
        this.notUtf8++
        return { reason: 'not UTF-8' }
      }
      this.hasUtf8 ||= !isAscii(row)
    }
    return this.#declared?.refusal(this.#titles, this.#out, this.#cells)
  }

  /** Bytes that are no UTF-8 stand for themselves as Latin-1. */
  #raw(start: number, end: number): string {
    const row = Buffer.from(this.#bytes.subarray(start, end))
    return row
      .toString(isUtf8(row) ? 'utf8' : 'latin1')
      .slice(0, RAW_CHARACTERS)
      .replaceAll('\0', '␀')
  }
}

function fromWindows(bytes: Uint8Array): Uint8Array {
  return Buffer.from(decodedText(bytes, 'windows-1252'))
}
