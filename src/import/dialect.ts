/** How a file is written. Plain data: found at the head of the file, or declared. */

export const ENCODINGS = ['utf-8', 'windows-1252', 'utf-16le', 'utf-16be'] as const
export type Encoding = (typeof ENCODINGS)[number]

export interface Dialect {
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

export const COMMA_DIALECT: Dialect = { delimiter: 0x2c, escape: 'double', skipsSpace: false, encoding: 'utf-8' }
