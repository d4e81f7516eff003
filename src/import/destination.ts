/** Where the rows of a file go. */
import type { FileState } from './books.ts'
import type { FileColumn } from './columns.ts'
import type { Mode } from './declared.ts'

export interface Destination {
  readonly schema: string
  readonly kind: number
  readonly file: number
  readonly state: FileState
  readonly mode: Mode
  /** Titles of the columns that tell rows apart. */
  readonly key: readonly string[]
  /** No other file of the kind is at work on the table. */
  readonly isAlone: boolean
}

/** The columns that a file has, and each column of its table with what it is in a row of the stage `s`. For SQL. */
export interface FileValues {
  readonly table: string
  readonly columns: readonly FileColumn[]
  readonly values: readonly [string, string][]
}
