import { realpath } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'
import { monotonicMs } from '../time.ts'
import { type Database, openDatabase } from './database.ts'
import { type Declared, readDeclared } from './declared.ts'
import { lockEmbedded } from './embedded-lock.ts'
import { type KnownFile, type Source, enterRun, enterSource, leaveRun } from './entry.ts'
import { type FoundFile, type JobData, type JobFile, survey } from './job.ts'
import { ImportBusy, ImportProblem, messageOf } from './problem.ts'
import type { FileResult } from './records.ts'
import { type Round, importFiles } from './rounds.ts'
import { RunLock } from './run-lock.ts'

const CONNECTIONS = 4
const MAX_DEAD = 0.5
const LOCK_TIMEOUT_MS = 10_000

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
  /**
   * Which files are read: those that changed since they were imported, or failed (`changed`, the default); `all`; or `failed`,
   * those that failed or have dead letters.
   */
  readonly files?: 'changed' | 'all' | 'failed'
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
  /** Of the files, those that have ended, and their bytes and rows. */
  readonly endedFiles: number
  readonly endedBytes: number
  readonly rows: number
}

/** How a file ended: as its result says, or it was not read. */
export interface FileAccount {
  readonly path: string
  readonly bytes: number
  readonly result: Omit<FileResult, 'file'> | undefined
}

/** How an import ended. */
export interface ImportResult {
  /** Its number in the books; absent where the database could not be opened. */
  readonly run?: number
  /** The name under which the database keeps what came from here. */
  readonly source: string
  readonly files: readonly FileAccount[]
  /** Of the last round; absent where no pipeline started. */
  readonly snapshot?: Snapshot
  readonly seconds: number
  /** It was asked to end before it had read everything. */
  readonly isInterrupted: boolean
  /** What stopped the import. Files that failed do not: they are in the account. */
  readonly failure?: string
  /** As declared. */
  readonly webhook?: string
}

/** Imports the files of a directory. @throws ImportProblem where it cannot begin; ImportBusy where another import of the source runs */
export async function importDirectory(options: ImportOptions): Promise<ImportResult> {
  const startedAt = monotonicMs()
  const directory = await realDirectory(options.directory)
  const declared = options.declared ?? readDeclared(directory)
  const maxDead = options.maxDead ?? declared.maxDead ?? MAX_DEAD
  const tell = (progress: Partial<Progress> & Pick<Progress, 'phase' | 'files'>): void =>
    options.onProgress?.({ bytes: 0, endedFiles: 0, endedBytes: 0, rows: 0, ...progress })
  tell({ phase: 'looking', files: 0 })
  const { files, kinds } = await survey(directory, declared, maxDead, (files) => tell({ phase: 'looking', files }))
  if (files.length === 0) throw new ImportProblem(`The directory ${directory} holds no file to import.`)
  tell({ phase: 'opening', files: files.length })
  const embedded = resolve(options.dataDirectory ?? join('.millrace', 'import'))
  const unlock = options.to === undefined ? lockEmbedded(embedded) : () => undefined
  const name = options.source ?? declared.source
  const statementTimeoutMs = options.statementTimeoutMs ?? declared.limits?.statementTimeoutMs
  const rowsPerSecond = options.rowsPerSecond ?? declared.limits?.rowsPerSecond
  const job: UnenteredJob = {
    directory,
    source: { name: name ?? basename(directory), isGiven: name !== undefined },
    ...(declared.schema === undefined ? {} : { schema: declared.schema }),
    maxDead,
    lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
    ...(rowsPerSecond === undefined ? {} : { rowsPerSecond }),
    kinds,
    ...(options.to === undefined ? { embedded: join(embedded, 'database') } : { url: options.to }),
  }
  try {
    const usual = Math.min(CONNECTIONS, files.length + 1)
    const connections = options.to === undefined ? 1 : (options.connections ?? declared.limits?.connections ?? usual)
    const { results, left, ...ended } = await importEntered(job, files, { ...options, connections }, tell)
    return {
      source: job.source.name,
      ...(declared.webhook === undefined ? {} : { webhook: declared.webhook }),
      ...ended,
      files: left
        .map(({ path, bytes }) => ({ path, bytes, result: results.get(path) }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
      seconds: (monotonicMs() - startedAt) / 1000,
      isInterrupted: options.signal?.aborted === true,
    }
  } finally {
    unlock()
  }
}

async function realDirectory(directory: string): Promise<string> {
  const path = resolve(directory)
  try {
    return await realpath(path)
  } catch (error) {
    throw new ImportProblem(`The directory ${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

type UnenteredJob = Omit<JobData, 'files' | 'schema' | 'run' | 'unchanged'> & { readonly schema?: string }
type Tell = (progress: Partial<Progress> & Pick<Progress, 'phase' | 'files'>) => void

/** What came of the files that this import was about. */
interface Ended extends Round {
  readonly left: readonly FoundFile[]
  readonly run?: number
  readonly source?: string
}

/** Enters the run into the books, imports what has changed, and enters the end of the run. */
async function importEntered(
  job: UnenteredJob,
  found: readonly FoundFile[],
  options: ImportOptions & { readonly connections: number },
  tell: Tell,
): Promise<Ended> {
  const lost = new AbortController()
  let lock: RunLock | undefined
  let database: Database
  let source: Source
  let entered: Awaited<ReturnType<typeof enterRun>>
  try {
    database = await openDatabase(job.url, job.embedded ?? '', { onClose: () => lock?.retake() })
  } catch (error) {
    return { results: new Map(), left: found, failure: messageOf(error) }
  }
  try {
    source = await enterSource(database, job)
    if (job.url !== undefined) lock = await RunLock.take(database, source, () => lost.abort())
    entered = await enterRun(database, source, job, found)
  } catch (error) {
    lock?.release()
    await database.close().catch(() => undefined)
    if (error instanceof ImportBusy) throw error
    return { results: new Map(), left: found, failure: messageOf(error) }
  }
  const { results, left, changed } = sorted(found, entered.files, options.files ?? 'changed')
  const unchanged = results.size
  try {
    // The embedded database is open once: here, or in the worker that loads.
    if (job.embedded !== undefined && changed.length > 0) await database.close()
    const round =
      changed.length === 0
        ? { results: new Map<string, FileResult>() }
        : await importFiles({ ...job, schema: source.schema, run: entered.run, unchanged }, changed, {
            connections: options.connections,
            onRunning: options.onRunning,
            signal: AbortSignal.any([lost.signal, ...(options.signal === undefined ? [] : [options.signal])]),
            onEnded: progressOf(changed, tell),
          })
    const failure = lost.signal.aborted
      ? 'the connection broke, and another import of the source has begun meanwhile'
      : round.failure
    if (job.embedded === undefined || changed.length === 0) {
      const isInterrupted = options.signal?.aborted === true
      await leaveRun(database, entered.run, { unchanged, isInterrupted, ...(failure === undefined ? {} : { failure }) })
    }
    return {
      ...round,
      ...(failure === undefined ? {} : { failure }),
      results: new Map([...results, ...round.results]),
      left,
      run: entered.run,
      source: source.name,
    }
  } catch (error) {
    return {
      results,
      left,
      run: entered.run,
      source: source.name,
      failure: `the run could not be ended: ${messageOf(error)}`,
    }
  } finally {
    lock?.release()
    await database.close().catch(() => undefined)
  }
}

/** Parts files that are as they were from those that are to be read. */
function sorted(
  found: readonly FoundFile[],
  known: readonly KnownFile[],
  which: NonNullable<ImportOptions['files']>,
): {
  readonly results: Map<string, FileResult>
  readonly left: readonly FoundFile[]
  readonly changed: readonly JobFile[]
} {
  const results = new Map<string, FileResult>()
  const left: FoundFile[] = []
  const changed: JobFile[] = []
  for (const [i, file] of found.entries()) {
    const { id, kind, table, seen, rows, deadLetters, hasFailed } = known[i]!
    if (which === 'failed' && !hasFailed && deadLetters === 0) continue
    left.push(file)
    const isAsItWas = file.seen !== null && seen === file.seen && table !== null && !hasFailed
    if (which !== 'changed' || !isAsItWas) changed.push({ ...file, id, kindId: kind })
    else {
      const nothing = { inserted: 0, deleted: 0, missing: 0, remarks: [], changes: [] }
      results.set(file.path, { file: i, kind: file.kind, outcome: 'unchanged', table, rows, deadLetters, ...nothing })
    }
  }
  return { results, left, changed }
}

function progressOf(files: readonly JobFile[], tell: Tell): (path: string, rows: number) => void {
  const all = {
    phase: 'importing',
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  } as const
  tell(all)
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]))
  let [endedFiles, endedBytes, ended] = [0, 0, 0]
  return (path, rows) => {
    endedFiles++
    endedBytes += sizes.get(path) ?? 0
    ended += rows
    tell({ ...all, endedFiles, endedBytes, rows: ended })
  }
}
