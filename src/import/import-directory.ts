import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { changeGraph } from '../analysis/flow/what-if.ts'
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { run } from '../supervisor/run.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'
import { monotonicMs } from '../time.ts'
import { type Declared, readDeclared } from './declared.ts'
import { lockEmbedded } from './embedded-lock.ts'
import graph from './graph.ts'
import { type JobData, type JobFile, survey } from './job.ts'
import { ImportProblem, messageOf } from './problem.ts'
import type { FileResult, Note } from './records.ts'

/** Making an embedded database for the first time takes seconds, on a machine that is busy many. */
const START_DEADLINE_MS = 120_000
/** A file that is read once more is so for one reason, and then perhaps for another. */
const MAX_ROUNDS = 4
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
  /** Connections to a server. Default: 4. */
  readonly connections?: number
  /** Share of dead letters from which a file fails. Default: as declared, or 0.5. */
  readonly maxDead?: number | undefined
  /** Longest wait for a table that somebody else has locked; then its file fails. Default: 10,000. */
  readonly lockTimeoutMs?: number
  /** Told when the pipeline runs; again for each round, where files have to be read once more. */
  readonly onRunning?: (pipeline: Pipeline) => void
  /** Drains the import when aborted. */
  readonly signal?: AbortSignal
}

/** How a file ended: as its result says, or it was not read. */
export interface FileAccount {
  readonly path: string
  readonly bytes: number
  readonly result: Omit<FileResult, 'file'> | undefined
}

/** How an import ended. */
export interface ImportResult {
  readonly files: readonly FileAccount[]
  /** Of the last round; absent where no pipeline started. */
  readonly snapshot?: Snapshot
  readonly seconds: number
  /** It was asked to end before it had read everything. */
  readonly isInterrupted: boolean
  /** What stopped the import. Files that failed do not: they are in the account. */
  readonly failure?: string
}

/** Imports the files of a directory. @throws ImportProblem where it cannot begin */
export async function importDirectory(options: ImportOptions): Promise<ImportResult> {
  const startedAt = monotonicMs()
  const directory = await realDirectory(options.directory)
  const declared = options.declared ?? readDeclared(directory)
  const { files, kinds } = await survey(directory, declared)
  if (files.length === 0) throw new ImportProblem(`The directory ${directory} holds no CSV file.`)
  const embedded = resolve(options.dataDirectory ?? join('.millrace', 'import'))
  const unlock = options.to === undefined ? lockEmbedded(embedded) : () => undefined
  const name = options.source ?? declared.source
  const job: Omit<JobData, 'files'> = {
    run: randomUUID(),
    directory,
    source: { name: name ?? basename(directory), isGiven: name !== undefined },
    ...(declared.schema === undefined ? {} : { schema: declared.schema }),
    maxDead: options.maxDead ?? declared.maxDead ?? MAX_DEAD,
    lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    kinds,
    ...(options.to === undefined ? { embedded: join(embedded, 'database') } : { url: options.to }),
  }
  try {
    const ended = await importFiles(job, files, options)
    return {
      ...ended,
      files: files
        .map(({ path, bytes }) => ({ path, bytes, result: ended.results.get(path) }))
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

interface Round {
  readonly results: ReadonlyMap<string, FileResult>
  readonly snapshot?: Snapshot
  readonly failure?: string
}

/** Rounds until each file has ended: some are read once more, when all of one has been seen. */
async function importFiles(
  job: Omit<JobData, 'files'>,
  files: readonly JobFile[],
  options: ImportOptions,
): Promise<Round> {
  const results = new Map<string, FileResult>()
  let left = files
  let last: Round = { results }
  for (let round = 1; left.length > 0 && round <= MAX_ROUNDS; round++) {
    last = await importOnce({ ...job, files: left }, options)
    for (const [path, result] of last.results) if (result.again === undefined) results.set(path, result)
    if (last.failure !== undefined || options.signal?.aborted === true) break
    const again = new Map([...last.results].map(([path, { again }]) => [path, again]))
    left = left
      .filter(({ path }) => !results.has(path))
      .map((file) => {
        const encoding = again.get(file.path)
        return encoding === undefined ? file : { ...file, encoding }
      })
  }
  return { ...last, results }
}

async function importOnce(job: JobData, options: ImportOptions): Promise<Round> {
  const { onRunning, signal, to } = options
  const results = new Map<string, FileResult>()
  const concurrency = to === undefined ? 1 : (options.connections ?? CONNECTIONS)
  const parsers = Math.min(4, availableParallelism())
  const sized = changeGraph(graph, { nodes: { load: { concurrency }, parse: { concurrency: parsers } } })
  let pipeline: Pipeline
  try {
    pipeline = await run(sized, { params: job, startDeadlineMs: START_DEADLINE_MS })
  } catch (error) {
    return { results, failure: explain(error) }
  }
  onRunning?.(pipeline)
  const drain = (): void => void pipeline.drain().catch(() => undefined)
  signal?.addEventListener('abort', drain, { once: true })
  if (signal?.aborted === true) drain()
  const [failure, , lost] = await Promise.all([
    failureOf(pipeline.finished),
    keepResults(pipeline, job, results),
    lostPieces(pipeline),
  ])
  signal?.removeEventListener('abort', drain)
  const reason = lost ?? failure
  return { results, snapshot: pipeline.snapshot(), ...(reason === undefined ? {} : { failure: reason }) }
}

async function keepResults(pipeline: Pipeline, { files }: JobData, results: Map<string, FileResult>): Promise<void> {
  for await (const note of pipeline.output('notes')) {
    const { result } = note as Note
    results.set(files[result.file]!.path, result)
  }
}

/** Why pieces were given up. The database is gone then, and no more is read from files. */
async function lostPieces(pipeline: Pipeline): Promise<string | undefined> {
  let reason: string | undefined
  for await (const lost of pipeline.output('lost')) {
    const { error, node } = lost as { error: { message: string; name: string }; node: string }
    reason ??= node === 'parse' ? `rows could not be parsed: ${error.message}` : messageOf(error)
    void pipeline.drain().catch(() => undefined)
  }
  return reason
}

async function failureOf(finished: Promise<Report>): Promise<string | undefined> {
  try {
    const { abandoned, deadlinePassed } = await finished
    return abandoned > 0 || deadlinePassed
      ? `${abandoned} pieces were on their way when the time to end was over`
      : undefined
  } catch (error) {
    return explain(error)
  }
}

/** The reason behind a failure of the pipeline, in words of this job. */
function explain(error: unknown): string {
  if (!(error instanceof MillraceError)) return messageOf(error)
  const { reason } = error.detail
  return typeof reason === 'string' ? reason : error.message
}
