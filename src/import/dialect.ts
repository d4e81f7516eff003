/** How a file is written. Plain data: found at the head of the file, or declared. */

export const ENCODINGS = ['utf-8', 'windows-1252', 'utf-16le', 'utf-16be'] as const
export type Encoding = (typeof ENCODINGS)[number]

export interface Dialect {
  /** Cells between delimiters, or an object on each line. */
  readonly format: 'csv' | 'ndjson'
  /** The byte between cells. */
  readonly delimiter: number
  /** How a quote within quotes is written: doubled, or behind a backslash. */
  readonly escape: 'double' | 'backslash'
  /** Blanks behind a delimiter say nothing. */
  readonly skipsSpace: boolean
  /** Of the bytes that the rows are cut from: UTF-16 was made UTF-8 before. */
  readonly encoding: 'utf-8' | 'windows-1252'
}

export const QUOTE = 0x22
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const BACKSLASH = 0x5c

export const COMMA_DIALECT: Dialect = {
  format: 'csv',
  delimiter: 0x2c,
  escape: 'double',
  skipsSpace: false,
  encoding: 'utf-8',
}

/** What windows-1252 has where Latin-1 has control characters. Node's decoder of that name reads Latin-1. */
const WINDOWS = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/** The text of bytes that are whole characters. */
export function decodedText(bytes: Uint8Array, encoding: Dialect['encoding']): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (encoding === 'utf-8') return buffer.toString('utf8')
  return buffer.toString('latin1').replace(/[\x80-\x9f]/g, (control) => WINDOWS[control.charCodeAt(0) - 0x80]!)
}
