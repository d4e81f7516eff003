import type { Context } from '../graph/types.ts'
import { monotonicMs, sleep } from '../time.ts'
import { enterResult, lockFileSql } from './books.ts'
import { BOOKS } from './books-tables.ts'
import { codeOf, isAway, isConflict, isRowsFault, openDatabase } from './database.ts'
import { type FileEnding, rowsText, endFile, enterTooManyDead, noResult } from './end-file.ts'
import { leaveRun } from './entry.ts'
import type { JobData } from './job.ts'
import { digestOf } from './parse.ts'
import { ImportProblem, messageOf } from './problem.ts'
import type { FileResult, HeldBack, Note, ParsedPiece } from './records.ts'
import { Restraint } from './restraint.ts'
import { StageLost, dropStage, giveUpStage, prepareStage, stagePiece, stagedFile } from './stage.ts'
import { StageMisfit } from './staged.ts'

/** Calls for one piece, before the database is given up. With the delays of the graph, that takes about ten seconds. */
export const LOAD_ATTEMPTS = 7

/** A server is asked so often how quickly it answers. */
const ASK_EVERY_MS = 250

/** The state of a `load` worker: its one connection. */
export interface Loader extends FileEnding {
  /** Versions of files that have a staging table. */
  readonly staging: Set<string>
  readonly restraint: Restraint
  /** When the server was asked last how quickly it answers. */
  askedMs: number
  /** The database stayed away at every attempt: what else is in flight need not wait for it as long again. */
  hasGivenUp: boolean
}

export async function openLoader({ params: job }: { readonly params: JobData }): Promise<Loader> {
  const database = await openDatabase(job.url, job.embedded ?? '', { statementTimeoutMs: job.statementTimeoutMs })
  return { job, database, staging: new Set(), restraint: new Restraint(job.latencyMs), askedMs: 0, hasGivenUp: false }
}

export async function closeLoader({ database, job }: Loader): Promise<void> {
  try {
    const ended = await database.query<{ file: number }>(
      `select l.file from ${BOOKS}.loads l join ${BOOKS}.results r on r.file = l.file where r.run = $1`,
      [job.run],
    )
    for (const { file } of ended) await dropStage(database, file)
    // Nobody else may open an embedded database meanwhile.
    if (job.embedded !== undefined)
      await leaveRun(database, job.run, { unchanged: job.unchanged, isInterrupted: false })
  } finally {
    await database.close()
  }
}

/** Whether a piece is worth another attempt: where the database was away, or others were in the way. */
export function isTransient(error: unknown): boolean {
  return isAway(error) || isConflict(error) || error instanceof StageLost
}

class DatabaseGone extends Error {
  override readonly name = 'DatabaseGone'
}

/** The handler of `load`. A file of one piece goes into its table at once; of others each piece is staged, and the last one ends the file. */
export async function loadPiece(piece: ParsedPiece, { state, attempt, emit }: Context<Loader>): Promise<void> {
  if (state.hasGivenUp) throw new DatabaseGone('the database stayed away')
  const { file, bytes } = piece
  const tell = (note: Pick<Note, 'result'>): void => emit('note', { file, bytes, ...note } satisfies Note)
  const startedMs = monotonicMs()
  try {
    const result = await load(state, piece)
    tell(result === undefined ? {} : { result })
  } catch (error) {
    if (isAway(error)) {
      state.hasGivenUp = attempt >= LOAD_ATTEMPTS
      throw error
    }
    if (isTransient(error) && attempt < LOAD_ATTEMPTS) throw error
    tell({ result: await fail(state, piece, explain(error)) })
  }
  const heldBack = await holdBack(state, monotonicMs() - startedMs)
  if (heldBack !== undefined) emit('note', { file, bytes: 0, heldBack } satisfies Note)
}

/** Leaves a server that is slow to others for a while. @returns what is new about that */
async function holdBack(loader: Loader, workedMs: number): Promise<HeldBack | undefined> {
  const { database, job, restraint } = loader
  if (job.url === undefined) return undefined
  let latencyMs: number | undefined
  const askedMs = monotonicMs()
  if (askedMs - loader.askedMs > ASK_EVERY_MS) {
    // Who is away is waited for with the next piece.
    await database.query('select 1').catch(() => undefined)
    loader.askedMs = monotonicMs()
    latencyMs = loader.askedMs - askedMs
    restraint.see(latencyMs)
  }
  if (restraint.share < 1) await sleep(restraint.restMs(workedMs))
  return latencyMs === undefined || restraint.share === 1 ? undefined : { latencyMs, share: restraint.share }
}

/** Has a file with refused rows once more, row by row where needed: that way is slow, and few files need it. */
async function load(loader: Loader, piece: ParsedPiece): Promise<FileResult | undefined> {
  try {
    return await loadAt(loader, piece, false)
  } catch (error) {
    if (error instanceof StageLost) loader.staging.delete(piece.version)
    if (!isRowsFault(error)) return instead(loader, piece, error)
  }
  return loadAt(loader, piece, true).catch((error: unknown) => instead(loader, piece, error))
}

/** What became of a file of which nothing was written. */
async function instead(loader: Loader, piece: ParsedPiece, error: unknown): Promise<FileResult> {
  if (!(error instanceof StageMisfit)) return enterTooManyDead(loader, piece, error)
  const { job, database } = loader
  const { id, kind } = job.files[piece.file]!
  await giveUpStage(database, id, piece.version)
  return { ...noResult(piece.file, kind), again: { stagesText: true } }
}

/** @param hasRefused rows of it were refused when they were written all at once */
async function loadAt(loader: Loader, piece: ParsedPiece, hasRefused: boolean): Promise<FileResult | undefined> {
  const { database, job, staging } = loader
  const { end } = piece
  if (end?.nothing !== undefined) {
    return end.nothing.isFault ? fail(loader, piece, end.nothing.reason) : leaveAlone(loader, piece, end.nothing.reason)
  }
  const file = job.files[piece.file]!
  const { id } = file
  const { statementTimeoutMs } = job.kinds[file.kind]!.limits ?? {}
  const limit = statementTimeoutMs === undefined ? '' : `set local statement_timeout = ${statementTimeoutMs};`
  const lock = lockFileSql(file, job)
  if (end?.pieces === 1) return database.transaction(() => loadWhole(loader, piece, hasRefused), limit + lock)
  if (!staging.has(piece.version)) {
    await database.transaction(() => prepareStage(database, file, piece, job.schema), limit)
    staging.add(piece.version)
  }
  const isStaged = await database.transaction(() => stagePiece(database, id, piece), limit)
  return isStaged ? database.transaction(() => loadStaged(loader, piece, id, hasRefused), limit + lock) : undefined
}

function loadWhole(loader: Loader, piece: ParsedPiece, hasRefused: boolean): Promise<FileResult> {
  const { letters, copy, head } = piece
  const whole = {
    ...piece,
    deadLetters: letters.length,
    digest: digestOf(piece),
    stage: `pg_temp.stage_${head.titles.length}`,
    types: [],
    hasRefused,
    mayBecomeTable: false,
    unsent: copy,
  }
  return endFile(loader, piece, whole, letters)
}

async function loadStaged(
  loader: Loader,
  piece: ParsedPiece,
  id: number,
  hasRefused: boolean,
): Promise<FileResult | undefined> {
  const staged = await stagedFile(loader.database, id)
  if (staged === undefined) return undefined
  const result = await endFile(loader, piece, { ...staged, hasRefused }, 'staged')
  await dropStage(loader.database, id)
  return result
}

/** A file without a table in it. If it had one before, somebody should know. */
async function leaveAlone(loader: Loader, piece: ParsedPiece, reason: string): Promise<FileResult> {
  const { database, job } = loader
  const { id, kind } = job.files[piece.file]!
  const [before] = await database.query<{ rows: number }>(
    `select rows::float8 as rows from ${BOOKS}.files where id = $1`,
    [id],
  )
  const rows = before!.rows
  if (rows > 0) return fail(loader, piece, `${reason}; the ${rowsText(rows)} rows of its last import stay`)
  return { ...noResult(piece.file, kind), remarks: [...piece.head.remarks, reason] }
}

/** The file is as it was before; why is recorded. */
async function fail({ database, job }: Loader, piece: ParsedPiece, message: string): Promise<FileResult> {
  const { id, kind } = job.files[piece.file]!
  const result: FileResult = {
    ...noResult(piece.file, kind),
    outcome: 'failed',
    message,
    remarks: piece.head.remarks,
  }
  await database.transaction(() => enterResult(database, job.run, id, result, []))
  return result
}

/** Refusals of the database in words of this job. */
function explain(error: unknown): string {
  const message = messageOf(error)
  if (error instanceof ImportProblem) return message
  const { detail, hint } = error as { detail?: string; hint?: string }
  const more = [detail, hint].filter((each) => typeof each === 'string' && each !== '').join(' ')
  const code = codeOf(error)
  if (code === '57014') return `a statement took longer than it may; nothing of it was written (${message})`
  if (code === '55P03') return 'its table is locked by somebody else; nothing of it was written'
  if (code === '0A000' || code === '2BP01') {
    return `a column has to change, and something depends on it: ${message}${more === '' ? '' : ` (${more})`}. Drop that and make it again behind the import, or declare the type of the column`
  }
  return `the database refuses it: ${message}${more === '' ? '' : ` (${more})`}`
}
