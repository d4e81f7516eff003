/** Where rows of CSV begin and end, in bytes: line breaks within quotes are part of a row. */
const QUOTE = 0x22
const COMMA = 0x2c
const LF = 0x0a
const CR = 0x0d

/** The position behind the row that begins at `from`, its line break included; -1 where the bytes end before the row does. */
export function rowEnd(bytes: Uint8Array, from: number): number {
  let isQuoted = false
  let isFieldStart = true
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (isQuoted) {
      if (byte !== QUOTE) continue
      if (bytes[at + 1] === QUOTE) at++
      else isQuoted = false
    } else if (byte === LF) return at + 1
    else isQuoted = isFieldStart && byte === QUOTE
    isFieldStart = byte === COMMA
  }
  return -1
}

/** The position behind the last whole row; 0 where there is none. */
export function lastRowEnd(bytes: Uint8Array): number {
  let end = 0
  for (let next = rowEnd(bytes, 0); next !== -1; next = rowEnd(bytes, end)) end = next
  return end
}

/** The position behind the first line break, quoted or not; the length where there is none. */
export function lineEnd(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(LF, from)
  return at === -1 ? bytes.length : at + 1
}

export function countLines(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let lines = 0
  for (let at = bytes.indexOf(LF, from); at !== -1 && at < to; at = bytes.indexOf(LF, at + 1)) lines++
  return lines
}

/** An empty line is no row. */
export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from <= 2 && bytes.subarray(from, to).every((byte) => byte === LF || byte === CR)
}

/** Bytes of a byte order mark at the beginning. */
export function bomBytes(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}
