/** What travels on the edges of the graph. Plain data. */
import type { DeclaredColumn } from './column-types.ts'
import type { Dialect } from './dialect.ts'
import type { Evidence } from './evidence.ts'

/** Wider rows do not fit a page of the staging table: their cells go as one array. */
export const MAX_STAGED_COLUMNS = 250
/** A dead letter keeps so much of its row. */
export const RAW_CHARACTERS = 16_384

/** What the head of a file said. */
export interface Head {
  readonly titles: readonly string[]
  readonly dialect: Dialect
  /** Nothing says that it is UTF-8: where it is not, it is read once more. */
  readonly mayBeWindows: boolean
  /** The columns that something is declared of, by their place. */
  readonly declared: readonly (DeclaredColumn | null)[]
  /** Values of the placeholders in the pattern of the kind: columns of every row. */
  readonly placeholders: Readonly<Record<string, string>>
  /** What is worth telling. */
  readonly remarks: readonly string[]
  /** What tells of the file that nothing of it has changed; null where that cannot be told. */
  readonly seen: string | null
}

/** How the reading of a file ended. */
export interface FileEnd {
  /** Pieces that it was cut into. */
  readonly pieces: number
  /** Why there is nothing to import of it. `isFault`: there is something, and it could not be read, or not to its end. */
  readonly nothing?: { readonly reason: string; readonly isFault: boolean }
}

/** Whole rows of a file, as bytes: no row is cut. */
export interface Piece {
  /** Index of the file in the job. */
  readonly file: number
  /** What the file was when it was opened: a piece of another state of it is none of this import. */
  readonly version: string
  /** Counted from 0. */
  readonly piece: number
  /** Line of the first row, counted from 1. */
  readonly line: number
  readonly bytes: Uint8Array
  readonly head: Head
  /** With the last piece. */
  readonly end?: FileEnd
}

/** A row that cannot be imported, and why. */
export interface Letter {
  readonly line: number
  readonly column?: string
  readonly value?: string
  readonly reason: string
  /** The row as the file has it. */
  readonly raw: string
}

/** The rows of a piece, as COPY takes them. */
export interface ParsedPiece {
  readonly file: number
  readonly version: string
  readonly piece: number
  /** Bytes of the file that it was. */
  readonly bytes: number
  readonly rows: number
  /** In COPY's text format: the line, then the cells. */
  readonly copy: Uint8Array
  readonly evidence: Evidence
  readonly letters: readonly Letter[]
  /** Rows that are no UTF-8, and whether there is UTF-8 beyond ASCII. */
  readonly notUtf8: number
  readonly hasUtf8: boolean
  /** Names in objects that the head does not have. */
  readonly unknown: readonly string[]
  readonly head: Head
  readonly end?: FileEnd
}

/** What became of a file. */
export interface FileResult {
  readonly file: number
  readonly outcome: 'imported' | 'unchanged' | 'failed' | 'nothing'
  readonly kind: string
  /** With its schema; absent where none was made. */
  readonly table?: string
  /** Rows of the file, and what had to be done for them. */
  readonly rows: number
  readonly inserted: number
  readonly deleted: number
  readonly deadLetters: number
  /** Rows that were read, and are neither in the table nor dead letters: more than 0, and the books are wrong. */
  readonly missing: number
  /** Why it failed, or what is worth telling. */
  readonly message?: string
  readonly remarks: readonly string[]
  readonly changes: readonly SchemaChange[]
  /** It is to be read once more, with what all of it has shown. */
  readonly again?: Again
}

/** What only a look at a whole file shows. */
interface Again {
  readonly encoding?: 'windows-1252'
  /** Titles of all columns. */
  readonly titles?: readonly string[]
  /** Not all cells are what those of its first piece are. */
  readonly stagesText?: true
}

/** A column that came, went, or became wider. */
export interface SchemaChange {
  readonly table: string
  readonly column: string
  readonly change: string
}

/** What `load` tells the embedder. */
export interface Note {
  readonly file: number
  /** Of the piece that was loaded. */
  readonly bytes: number
  /** With the last piece of a file. */
  readonly result?: FileResult
  readonly heldBack?: HeldBack
}

/** A server that was slow to answer, and what an import left it. */
export interface HeldBack {
  /** What the server took for a question that asks nothing. */
  readonly latencyMs: number
  /** Of the time of a connection: 0 to 1. */
  readonly share: number
}
