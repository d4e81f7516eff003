import { createHash } from 'node:crypto'
import type { Context } from '../graph/types.ts'
import type { Database } from './database.ts'
import { codeOf, isAway, isConflict, isRowsFault, openDatabase } from './database.ts'
import { type Evidence, addEvidence } from './evidence.ts'
import type { Mode } from './declared.ts'
import type { JobData } from './job.ts'
import { enterImported, enterLetters, enterResult, lockKindSql, stateOf } from './books.ts'
import { BOOKS } from './books-tables.ts'
import { digestOf } from './parse.ts'
import { ImportProblem, messageOf } from './problem.ts'
import type { FileResult, Letter, Note, ParsedPiece } from './records.ts'
import { leaveRun } from './entry.ts'
import { type Staged, applyFile, stageColumns } from './tables.ts'

/** Calls for one piece, before the database is given up. With the delays of the graph, that takes about ten seconds. */
export const LOAD_ATTEMPTS = 7
const STAGES_LOCK = 7_113_002

/** The state of a `load` worker: its one connection. */
export interface Loader {
  readonly job: JobData
  readonly database: Database
  /** Versions of files that have a staging table. */
  readonly staging: Set<string>
  /** The database stayed away at every attempt: what else is in flight need not wait for it as long again. */
  hasGivenUp: boolean
}

export async function openLoader({ params: job }: { readonly params: JobData }): Promise<Loader> {
  const database = await openDatabase(job.url, job.embedded ?? '', { statementTimeoutMs: job.statementTimeoutMs })
  return { job, database, staging: new Set(), hasGivenUp: false }
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
export function isWorthRetry(error: unknown): boolean {
  return isAway(error) || isConflict(error) || error instanceof StageLost
}

/** What was staged of a file is gone: it is to be read once more. */
class StageLost extends Error {
  override readonly name = 'StageLost'
}

class DatabaseGone extends Error {
  override readonly name = 'DatabaseGone'
}

/** The handler of `load`. A file of one piece goes into its table at once; of others each piece is staged, and the last one ends the file. */
export async function loadPiece(piece: ParsedPiece, { state, attempt, emit }: Context<Loader>): Promise<void> {
  if (state.hasGivenUp) throw new DatabaseGone('the database stayed away')
  const tell = (note: Note): void => emit('note', note)
  try {
    const result = await load(state, piece)
    if (result !== undefined) tell({ result })
  } catch (error) {
    if (isAway(error)) {
      state.hasGivenUp = attempt >= LOAD_ATTEMPTS
      throw error
    }
    if (isWorthRetry(error) && attempt < LOAD_ATTEMPTS) throw error
    tell({ result: await fail(state, piece, explain(error)) })
  }
}

/** Has a file with refused rows once more, row by row where needed: that way is slow, and few files need it. */
async function load(loader: Loader, piece: ParsedPiece): Promise<FileResult | undefined> {
  try {
    return await loadAt(loader, piece, false)
  } catch (error) {
    if (!isRowsFault(error)) return enterTooManyDead(loader, piece, error)
  }
  return loadAt(loader, piece, true).catch((error: unknown) => enterTooManyDead(loader, piece, error))
}

/** @param hasRefused rows of it were refused when they were written all at once */
async function loadAt(loader: Loader, piece: ParsedPiece, hasRefused: boolean): Promise<FileResult | undefined> {
  const { database, job, staging } = loader
  const { end } = piece
  if (end?.nothing !== undefined) {
    return end.nothing.isFault ? fail(loader, piece, end.nothing.reason) : leaveAlone(loader, piece, end.nothing.reason)
  }
  const { id, kindId } = job.files[piece.file]!
  const lock = lockKindSql(kindId, job.lockTimeoutMs)
  if (end?.pieces === 1) {
    const table = `stage_${piece.head.titles.length}`
    const stage = `create temporary table if not exists ${table} (${stageColumns(piece.head.titles.length)}); truncate pg_temp.${table}`
    return database.transaction(() => loadWhole(loader, piece, `pg_temp.${table}`, hasRefused), `${lock}; ${stage}`)
  }
  if (!staging.has(piece.version)) {
    await database.transaction(() => prepareStage(database, id, piece))
    staging.add(piece.version)
  }
  const isStaged = await database.transaction(() => stagePiece(loader, id, piece))
  return isStaged ? database.transaction(() => loadStaged(loader, piece, id, hasRefused), lock) : undefined
}

function stageOf(file: number): string {
  return `${BOOKS}.stage_${file}`
}

/** Makes the staging table of a file, unless pieces of this version of it are there already: then they need not come again. */
async function prepareStage(database: Database, file: number, { version, head }: ParsedPiece): Promise<void> {
  await database.query('select pg_advisory_xact_lock($1, $2)', [STAGES_LOCK, file])
  const [load] = await database.query<{ version: string }>(`select version from ${BOOKS}.loads where file = $1`, [file])
  if (load?.version === version) return
  await dropStage(database, file)
  await database.execute(`create unlogged table ${stageOf(file)} (${stageColumns(head.titles.length)})`)
  await database.query(`insert into ${BOOKS}.loads (file, version) values ($1, $2)`, [file, version])
}

/** @returns whether the file is staged whole. A piece that is there already is not staged twice. */
async function stagePiece({ database, staging }: Loader, file: number, piece: ParsedPiece): Promise<boolean> {
  const { version, end, letters, copy, evidence, rows, notUtf8, hasUtf8, unknown } = piece
  const facts: PieceFacts = { evidence, rows, notUtf8, hasUtf8, unknown, digest: digestOf(piece) }
  // A server that crashed has emptied it; an import that was killed may end the file just now.
  const there = await database.query(`select 1 from ${BOOKS}.loads where file = $1 and version = $2 for key share`, [
    file,
    version,
  ])
  if (there.length === 0) {
    staging.delete(version)
    throw new StageLost('what was staged of the file is gone')
  }
  const added = await database.query(
    `insert into ${BOOKS}.pieces (file, piece, facts, letters) values ($1, $2, $3::text::jsonb, $4::text::jsonb)
    on conflict do nothing returning 1`,
    [file, piece.piece, JSON.stringify(facts), JSON.stringify(letters)],
  )
  if (added.length > 0 && rows > 0) await database.copy(stageOf(file), copy)
  // Last: until the end of the transaction, other workers that stage the same file wait for this row.
  const [state] = await database.query<{ whole: boolean }>(
    `update ${BOOKS}.loads set staged = staged + $2, pieces = coalesce($3, pieces) where file = $1 and version = $4
    returning coalesce(staged = pieces, false) as whole`,
    [file, added.length, end?.pieces ?? null, version],
  )
  return state!.whole
}

/** The entry goes first: whoever would stage more waits for it, and learns that it is gone. */
async function dropStage(database: Database, file: number): Promise<void> {
  await database.execute(
    `delete from ${BOOKS}.loads where file = ${file};
    delete from ${BOOKS}.pieces where file = ${file};
    drop table if exists ${stageOf(file)}`,
  )
}

/** What is known of a piece without its rows. */
interface PieceFacts {
  readonly evidence: Evidence
  readonly rows: number
  readonly notUtf8: number
  readonly hasUtf8: boolean
  readonly unknown: readonly string[]
  readonly digest: string
}

/** What all pieces of a file are together. */
interface WholeFile extends PieceFacts {
  readonly deadLetters: number
  /** Of them, so many that tell what is wrong. */
  readonly letters: readonly Letter[]
  readonly stage: string
  readonly hasRefused: boolean
}

async function loadWhole(loader: Loader, piece: ParsedPiece, stage: string, hasRefused: boolean): Promise<FileResult> {
  const { letters, copy, rows } = piece
  if (rows > 0) await loader.database.copy(stage, copy)
  const whole = { ...piece, deadLetters: letters.length, digest: digestOf(piece), stage, hasRefused }
  return endFile(loader, piece, whole, letters)
}

async function loadStaged(
  loader: Loader,
  piece: ParsedPiece,
  id: number,
  hasRefused: boolean,
): Promise<FileResult | undefined> {
  const { database } = loader
  const pieces = await database.query<{ facts: PieceFacts; count: number; letters: Letter[] }>(
    `select facts, jsonb_array_length(letters) as count, jsonb_path_query_array(letters, '$[0 to 9]') as letters
    from ${BOOKS}.pieces where file = $1 order by piece`,
    [id],
  )
  // Another worker has ended the file meanwhile.
  if (pieces.length === 0) return undefined
  const evidence = pieces[0]!.facts.evidence
  for (const { facts } of pieces.slice(1)) addEvidence(evidence, facts.evidence)
  const digest = createHash('sha256')
  for (const { facts } of pieces) digest.update(facts.digest)
  const sum = (of: (facts: PieceFacts) => number): number => pieces.reduce((total, { facts }) => total + of(facts), 0)
  const whole: WholeFile = {
    evidence,
    rows: sum(({ rows }) => rows),
    notUtf8: sum(({ notUtf8 }) => notUtf8),
    hasUtf8: pieces.some(({ facts }) => facts.hasUtf8),
    unknown: [...new Set(pieces.flatMap(({ facts }) => facts.unknown))],
    digest: digest.digest('hex').slice(0, 32),
    deadLetters: pieces.reduce((total, { count }) => total + count, 0),
    letters: pieces.flatMap(({ letters }) => letters).slice(0, 10),
    stage: stageOf(id),
    hasRefused,
  }
  const result = await endFile(loader, piece, whole, 'staged')
  await dropStage(database, id)
  return result
}

/** Ends a file that was read whole, within a transaction that has locked its kind. */
async function endFile(
  { database, job }: Loader,
  { file: index, head }: ParsedPiece,
  whole: WholeFile,
  allLetters: readonly Letter[] | 'staged',
): Promise<FileResult> {
  const file = job.files[index]!
  const declared = job.kinds[file.kind]!
  const { rows, deadLetters, letters } = whole
  const common: FileResult = { ...noResult(index, file.kind), remarks: head.remarks }
  if (whole.notUtf8 > 0 && !whole.hasUtf8 && head.mayBeWindows)
    return { ...common, again: { encoding: 'windows-1252' } }
  if (whole.unknown.length > 0) return { ...common, again: { titles: [...head.titles, ...whole.unknown] } }
  const limit = (declared.maxDead ?? job.maxDead) * (rows + deadLetters)
  const failed = (dead: number, first: Letter): FileResult => ({
    ...common,
    outcome: 'failed',
    deadLetters: dead,
    message: `${share(dead, rows + deadLetters)} of its rows are dead letters, of ${count(rows + deadLetters)}; the first, line ${first.line}: ${first.reason}`,
  })
  if (deadLetters > limit) {
    const result = failed(deadLetters, letters[0]!)
    await enterResult(database, job.run, file.id, result, allLetters)
    return result
  }
  const state = await stateOf(database, job.schema, file.kindId, file.id)
  const { evidence, digest, stage, hasRefused } = whole
  const staged: Staged = { table: stage, head, evidence, rows, digest, hasRefused }
  const { mode = 'replace', key = [] } = declared
  const to = { schema: job.schema, kind: file.kindId, file: file.id, state, mode, key }
  const applied = await applyFile(database, to, staged)
  const dead = deadLetters + applied.letters.length
  if (dead > limit) throw new TooManyDead(failed(dead, letters[0] ?? applied.letters[0]!), allLetters, applied.letters)
  const written = rows - applied.letters.length
  const { quoted: table, columns } = applied
  const held = await enterImported(database, file, { table, digest, columns, seen: head.seen, deadLetters: dead })
  const result: FileResult = {
    ...common,
    outcome: 'imported',
    table: applied.table,
    rows: written,
    inserted: applied.inserted,
    deleted: applied.deleted,
    deadLetters: dead,
    missing: missingOf(mode, written, held, applied.inserted, state.digest === digest),
    changes: applied.changes,
    remarks: [...head.remarks, ...(rows + deadLetters === 0 ? ['a header alone'] : []), ...applied.remarks],
  }
  await enterResult(database, job.run, file.id, result, allLetters)
  if (applied.letters.length > 0) await enterLetters(database, job.run, file.id, applied.letters)
  return result
}

/** Rows that were read, are no dead letters, and are not in the table: the books are wrong, or somebody took them away. */
function missingOf(mode: Mode, rows: number, held: number, inserted: number, isKnown: boolean): number {
  if (mode === 'replace') return rows - held
  // Rows of a key may have been there, and be others' by now.
  return mode === 'upsert' || isKnown ? 0 : rows - inserted
}

/** What the database refused makes more dead letters than the file may have: what was written of it is taken back. */
class TooManyDead extends Error {
  override readonly name = 'TooManyDead'
  readonly result: FileResult
  readonly letters: readonly Letter[] | 'staged'
  readonly refused: readonly Letter[]

  constructor(result: FileResult, letters: readonly Letter[] | 'staged', refused: readonly Letter[]) {
    super(result.message)
    this.result = result
    this.letters = letters
    this.refused = refused
  }
}

async function enterTooManyDead({ database, job }: Loader, piece: ParsedPiece, error: unknown): Promise<FileResult> {
  if (!(error instanceof TooManyDead)) throw error
  const { result, letters, refused } = error
  const { id } = job.files[piece.file]!
  await database.transaction(async () => {
    await enterResult(database, job.run, id, result, letters)
    await enterLetters(database, job.run, id, refused)
  })
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
  if (rows > 0) return fail(loader, piece, `${reason}; the ${count(rows)} rows of its last import stay`)
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

function noResult(file: number, kind: string): FileResult {
  return {
    file,
    kind,
    outcome: 'nothing',
    rows: 0,
    inserted: 0,
    deleted: 0,
    deadLetters: 0,
    missing: 0,
    remarks: [],
    changes: [],
  }
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

function share(part: number, of: number): string {
  return `${Math.round((100 * part) / of)} %`
}

function count(rows: number): string {
  return rows.toLocaleString('en')
}
