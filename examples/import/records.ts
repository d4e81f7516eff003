/** What travels on the edges of the graph. Plain data. */
import type { Value } from './schema.js'

/** Whole rows of a file, as bytes: no row is cut. */
export interface Block {
  readonly file: string
  /** Line of the first row, counted from 1. */
  readonly line: number
  readonly bytes: Uint8Array
}

/** A file was read to its end, or as far as it could be. */
export interface FileEnd {
  readonly file: string
  /** Why the rest could not be read. */
  readonly problem?: string
}

/** A row as the file has it: text in columns. */
export interface TextRow {
  readonly kind: 'text'
  readonly file: string
  readonly line: number
  readonly cells: readonly string[]
}

/** A row that fits the schema of its file. */
export interface Row {
  readonly kind: 'row'
  readonly file: string
  readonly line: number
  readonly values: readonly Value[]
}

/** A row that does not fit, and why. `raw` is the row as CSV. */
export interface DeadLetter {
  readonly kind: 'letter'
  readonly file: string
  readonly line: number
  readonly reason: string
  readonly raw: string
}

/** What a stage tells the account of a file: rows that were read, written, or given up. */
export interface Note {
  readonly file: string
  readonly read?: number
  readonly written?: number
  readonly deadLettered?: number
  /** Rows that the database would not take; `reason` says why, `isAway` whether the database was away. */
  readonly unwritten?: { readonly rows: number; readonly reason: string; readonly isAway: boolean }
  readonly end?: FileEnd
}
