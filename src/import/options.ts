/** What an import is told, and tells while it runs. */
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Declared } from './declared.ts'
import type { HeldBack } from './records.ts'

export interface ImportOptions {
  /** Where the files are. */
  readonly directory: string
  /** The address of a PostgreSQL server, `postgres://…`. Default: an embedded database. */
  readonly to?: string | undefined
  /** Where the embedded database is. Default: `.millrace/import`. */
  readonly dataDirectory?: string
  /** Default: what `millrace-import.json` in the directory says. */
  readonly declared?: Declared
  /** The name under which the database keeps what comes from here. Default: as declared, or the directory's. */
  readonly source?: string | undefined
  /** Connections to a server. Default: 4, or fewer for fewer files. */
  readonly connections?: number | undefined
  /** Share of dead letters from which a file fails. Default: as declared, or 0.5. */
  readonly maxDead?: number | undefined
  /** Longest wait for a table that somebody else has locked; then its file fails. Default: 10,000. */
  readonly lockTimeoutMs?: number
  /** Longest time for one statement; then its file fails. Default: as declared, or as the server has it. */
  readonly statementTimeoutMs?: number | undefined
  /** Rows that are read in a second, at most. Default: as declared, or any number. */
  readonly rowsPerSecond?: number | undefined
  /** A server that takes longer for a question that asks nothing is slow: the import holds back. Default: as declared, or 200 ms. */
  readonly latencyMs?: number | undefined
  /**
   * Which files are read: those that changed since they were imported, or failed (`changed`, the default); `all`; or `failed`,
   * those that failed or have dead letters.
   */
  readonly files?: 'changed' | 'all' | 'failed' | undefined
  /** Files of these kinds alone, paused or not. Default: of all kinds that are not paused. */
  readonly kinds?: readonly string[]
  /** Told of each step: at once when it begins, and as it goes on. */
  readonly onProgress?: (progress: Progress) => void
  /** Told when the pipeline runs; again for each round, where files have to be read once more. */
  readonly onRunning?: (pipeline: Pipeline) => void
  /** Drains the import when aborted. */
  readonly signal?: AbortSignal
}

/** How far an import is. */
export interface Progress {
  /** It looks for files; it opens the database, and enters them; it reads and loads them. */
  readonly phase: 'looking' | 'opening' | 'importing'
  /** Files so far: found; to be imported or not; to be imported. */
  readonly files: number
  readonly bytes: number
  /** Files that have ended, and their rows. */
  readonly endedFiles: number
  readonly rows: number
  /** Of the bytes, those that are loaded, in files that have not ended too. */
  readonly loadedBytes: number
  /** The server was slow to answer, and is left alone for a part of the time. */
  readonly heldBack?: HeldBack
}
