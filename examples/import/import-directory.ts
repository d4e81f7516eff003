import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { MillraceError, type Pipeline, type Report, type Snapshot, run } from 'millrace'
import { Account } from './account.js'
import { publishCatalog, survey } from './catalog.js'
import { messageOf } from './database.js'
import graph from './graph.js'
import type { Note } from './records.js'
import { unwrittenPath } from './write.js'

/** Making a database for the first time takes seconds, on a machine that is busy many. */
const START_DEADLINE_MS = 120_000

export interface ImportOptions {
  /** Where the CSV files are. */
  readonly directory: string
  /** Where the embedded database is, and what the importer keeps beside it. */
  readonly dataDirectory: string
  /** Told when the pipeline runs. */
  readonly onRunning?: (pipeline: Pipeline) => void
  /** Drains the import when aborted. */
  readonly signal?: AbortSignal
}

/** How an import ended. */
export interface ImportResult {
  readonly account: Account
  /** Absent where the pipeline did not start. */
  readonly snapshot?: Snapshot
  readonly seconds: number
  /** It was asked to end before it had read everything. */
  readonly isInterrupted: boolean
  /** What stopped the import. Files that could not be read do not: they are in the account. */
  readonly failure?: string
  /** Where rows are kept that the database would not take, if there are any. */
  readonly unwrittenPath?: string
}

/** There is nothing to import: the message says what was looked at. */
export class NothingToImport extends Error {
  override readonly name = 'NothingToImport'
}

/** Imports the CSV files of a directory. @throws NothingToImport */
export async function importDirectory({
  directory,
  dataDirectory,
  onRunning,
  signal,
}: ImportOptions): Promise<ImportResult> {
  const startedAt = performance.now()
  const files = await surveyOrExplain(resolve(directory))
  const catalog = publishCatalog({ directory: resolve(directory), dataDirectory: resolve(dataDirectory), files })
  rmSync(unwrittenPath(catalog), { force: true })
  const account = new Account(catalog)
  const facts = (): Pick<ImportResult, 'account' | 'seconds' | 'isInterrupted'> => ({
    account,
    seconds: (performance.now() - startedAt) / 1000,
    isInterrupted: signal?.aborted === true,
  })
  let pipeline
  try {
    pipeline = await run(graph, { startDeadlineMs: START_DEADLINE_MS })
  } catch (error) {
    return { ...facts(), failure: explain(error) }
  }
  onRunning?.(pipeline)
  const drain = (): void => void pipeline.drain().catch(() => undefined)
  signal?.addEventListener('abort', drain, { once: true })
  if (signal?.aborted === true) drain()
  const [failure] = await Promise.all([failureOf(pipeline.finished), keepAccount(pipeline, account)])
  signal?.removeEventListener('abort', drain)
  const snapshot = pipeline.snapshot()
  const reason = failure ?? account.databaseProblem ?? lostBlocks(snapshot)
  return {
    ...facts(),
    snapshot,
    ...(reason === undefined ? {} : { failure: reason }),
    ...(account.sum('unwritten') === 0 ? {} : { unwrittenPath: unwrittenPath(catalog) }),
  }
}

async function surveyOrExplain(directory: string): ReturnType<typeof survey> {
  let files
  try {
    files = await survey(directory)
  } catch (error) {
    throw new NothingToImport(`The directory ${directory} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  if (files.length === 0) throw new NothingToImport(`The directory ${directory} holds no CSV file.`)
  return files
}

/** Reads the notes of the stages to their end. When the database is gone, no more is read from files. */
async function keepAccount(pipeline: Pipeline, account: Account): Promise<void> {
  for await (const note of pipeline.output('notes')) {
    account.add(note as Note)
    if (account.databaseProblem !== undefined) void pipeline.drain()
  }
}

async function failureOf(finished: Promise<Report>): Promise<string | undefined> {
  try {
    const { abandoned, deadlinePassed } = await finished
    return abandoned > 0 || deadlinePassed
      ? `${abandoned} blocks were on their way when the time to end was over`
      : undefined
  } catch (error) {
    return explain(error)
  }
}

/** Rows of a block that `parse` gave up (its workers died of it, say) were never counted as read: told apart. */
function lostBlocks({ nodes }: Snapshot): string | undefined {
  const { failed, deadLettered } = nodes['parse']!
  const lost = failed + deadLettered
  return lost === 0 ? undefined : `${lost} blocks of rows could not be parsed, and their rows are not written`
}

/** The reason behind a failure of the pipeline, in words of this job. */
function explain(error: unknown): string {
  if (!(error instanceof MillraceError)) return messageOf(error)
  const { reason } = error.detail
  return typeof reason === 'string' ? reason : error.message
}
