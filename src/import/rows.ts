/** Where rows begin and end, in bytes: line breaks within quotes are part of a row. A row ends at LF, CR, or both. */
import { BACKSLASH, CR, type Dialect, LF, QUOTE, SPACE, decodedText } from './dialect.ts'

/** The position behind the row that begins at `from`, its line break included; -1 where the bytes end before the row does. */
export function rowEnd(bytes: Uint8Array, from: number, dialect: Dialect): number {
  const { delimiter, skipsSpace } = dialect
  const hasBackslash = dialect.escape === 'backslash'
  const length = bytes.length
  let at = from + bomBytes(bytes, from)
  let isCellStart = true
  while (at < length) {
    const byte = bytes[at]!
    if (byte === QUOTE && isCellStart) {
      at = quotedEnd(bytes, at + 1, hasBackslash)
      if (at === -1) return -1
      isCellStart = false
      continue
    }
    if (byte === LF) return at + 1
    if (byte === CR) {
      // Whether LF follows is not known at the end of the bytes.
      if (at + 1 === length) return -1
      return bytes[at + 1] === LF ? at + 2 : at + 1
    }
    isCellStart = byte === delimiter || (isCellStart && skipsSpace && byte === SPACE)
    at++
  }
  return -1
}

/** The position behind the closing quote; -1 where there is none. */
function quotedEnd(bytes: Uint8Array, from: number, hasBackslash: boolean): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (hasBackslash && byte === BACKSLASH) at++
    else if (byte === QUOTE) {
      if (bytes[at + 1] === QUOTE) at++
      else return at + 1
    }
  }
  return -1
}

/** The position behind the last whole row; `from` where there is none. */
export function lastRowEnd(bytes: Uint8Array, from: number, dialect: Dialect): number {
  // Without a quote every line is a row: the last break is found from behind, a hundred times as quickly.
  if (bytes.indexOf(QUOTE, from) === -1) return lastLineEnd(bytes, from)
  let end = from
  for (let next = rowEnd(bytes, from, dialect); next !== -1; next = rowEnd(bytes, end, dialect)) end = next
  return end
}

/** The position behind the last line break of which all is there; `from` where there is none. */
function lastLineEnd(bytes: Uint8Array, from: number): number {
  const lf = bytes.lastIndexOf(LF)
  // Whether LF follows is not known at the end of the bytes.
  const cr = bytes.length < 2 ? -1 : bytes.lastIndexOf(CR, bytes.length - 2)
  return Math.max(from, lf + 1, bytes[cr + 1] === LF ? 0 : cr + 1)
}

/** The position behind the first line break, quoted or not; the length where there is none. */
export function lineEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === LF) return at + 1
    if (bytes[at] === CR) return bytes[at + 1] === LF ? at + 2 : at + 1
  }
  return bytes.length
}

/** Line breaks; CR and LF together are one. */
export function countLines(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let lines = 0
  for (let at = bytes.indexOf(LF, from); at !== -1 && at < to; at = bytes.indexOf(LF, at + 1)) lines++
  for (let at = bytes.indexOf(CR, from); at !== -1 && at < to; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] !== LF || at + 1 >= to) lines++
  }
  return lines
}

/** Bytes of a byte order mark. */
export function bomBytes(bytes: Uint8Array, from: number): number {
  return bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf ? 3 : 0
}

/** An empty line is no row. */
export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from + bomBytes(bytes, from); at < to; at++) if (bytes[at] !== LF && bytes[at] !== CR) return false
  return true
}

/** One row as texts. */
export interface Cells {
  readonly cells: readonly string[]
  /** Cells with a quote in them that is no quoting: perhaps they are parts of quoted ones. */
  readonly strayQuotes: number
}

/** One row, for looking at the head of a file; `undefined` where its quotes are broken. */
export function cellsOf(row: Uint8Array, dialect: Dialect): Cells | undefined {
  const text = decodedText(row, dialect.encoding).replace(/(?:\r\n|\n|\r)$/, '')
  const delimiter = String.fromCharCode(dialect.delimiter)
  const hasBackslash = dialect.escape === 'backslash'
  const cells: string[] = []
  let strayQuotes = 0
  for (let at = 0; ;) {
    if (dialect.skipsSpace) while (text[at] === ' ') at++
    if (text[at] === '"') {
      let cell = ''
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (at >= text.length) return undefined
        if (text[at] === '"' || (hasBackslash && text[at] === '\\')) at++
        cell += text[at] ?? ''
      }
      at++
      if (at < text.length && text[at] !== delimiter) return undefined
      cells.push(cell)
    } else {
      const end = text.indexOf(delimiter, at)
      const cell = text.slice(at, end === -1 ? undefined : end)
      if (cell.includes('"')) strayQuotes++
      cells.push(cell)
      at = end === -1 ? text.length : end
    }
    if (at >= text.length) return { cells, strayQuotes }
    at++
    if (at === text.length) return { cells: [...cells, ''], strayQuotes }
  }
}
