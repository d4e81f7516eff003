/** An import between the beginning and the end of its run in the books. */
import { type Database, openDatabase } from './database.ts'
import { type KnownFile, type Source, enterRun, enterSource, leaveRun } from './entry.ts'
import { FileProgress } from './file-progress.ts'
import type { FoundFile, JobData, JobFile } from './job.ts'
import type { ImportOptions, Progress } from './options.ts'
import { ImportBusy, messageOf } from './problem.ts'
import type { FileResult } from './records.ts'
import { type Round, importFiles } from './rounds.ts'
import { RunLock } from './run-lock.ts'

/** A job before its source and its run are in the books. */
export type UnenteredJob = Omit<JobData, 'files' | 'schema' | 'run' | 'unchanged'> & { readonly schema?: string }

/** What came of the files that this import was about. */
interface Ended extends Round {
  readonly left: readonly FoundFile[]
  readonly pausedKinds?: readonly string[]
  readonly run?: number
  readonly source?: string
}

/** Enters the run into the books, imports what has changed, and enters the end of the run. */
export async function importEntered(
  job: UnenteredJob,
  found: readonly FoundFile[],
  options: ImportOptions,
  tell: (progress: Progress) => void,
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
  const { results, left, changed, pausedKinds } = sorted(found, entered.files, options)
  const unchanged = results.size
  try {
    // The embedded database is open once: here, or in the worker that loads.
    if (job.embedded !== undefined && changed.length > 0) await database.close()
    const round =
      changed.length === 0
        ? { results: new Map<string, FileResult>() }
        : await importFiles({ ...job, schema: source.schema, run: entered.run, unchanged }, changed, {
            onRunning: options.onRunning,
            signal: AbortSignal.any([lost.signal, ...(options.signal === undefined ? [] : [options.signal])]),
            progress: new FileProgress(changed, tell),
          })
    await lock?.confirm()
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
      pausedKinds,
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
  { files: which = 'changed', kinds }: Pick<ImportOptions, 'files' | 'kinds'>,
): {
  readonly results: Map<string, FileResult>
  readonly left: readonly FoundFile[]
  readonly changed: readonly JobFile[]
  readonly pausedKinds: readonly string[]
} {
  const results = new Map<string, FileResult>()
  const left: FoundFile[] = []
  const changed: JobFile[] = []
  const paused = new Set<string>()
  for (const [i, file] of found.entries()) {
    const { id, kind, table, seen, rows, deadLetters, hasFailed, isPaused } = known[i]!
    if (kinds === undefined ? isPaused : !kinds.includes(file.kind)) {
      if (kinds === undefined) paused.add(file.kind)
      continue
    }
    if (which === 'failed' && !hasFailed && deadLetters === 0) continue
    left.push(file)
    const isAsItWas = file.seen !== null && seen === file.seen && table !== null && !hasFailed
    if (which !== 'changed' || !isAsItWas) changed.push({ ...file, id, kindId: kind })
    else {
      const nothing = { inserted: 0, deleted: 0, missing: 0, remarks: [], changes: [] }
      results.set(file.path, { file: i, kind: file.kind, outcome: 'unchanged', table, rows, deadLetters, ...nothing })
    }
  }
  return { results, left, changed, pausedKinds: [...paused] }
}
