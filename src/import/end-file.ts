import { type FileState, enterImported, enterLetters, enterResult, lockKindSql, bookedStateOf } from './books.ts'
import type { Database } from './database.ts'
import type { Mode } from './declared.ts'
import type { JobData, JobFile } from './job.ts'
import type { FileResult, Letter, ParsedPiece } from './records.ts'
import type { WholeFile } from './stage.ts'
import type { Staged } from './staged.ts'
import { type Applied, NotAlone, applyFile } from './tables.ts'

/** What ends files. */
export interface FileEnding {
  readonly job: JobData
  readonly database: Database
}

/** Ends a file that was read whole, within a transaction that has locked it. @throws StageMisfit */
export async function endFile(
  { database, job }: FileEnding,
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
    message: `${share(dead, rows + deadLetters)} of its rows are dead letters, of ${rowsText(rows + deadLetters)}; the first, line ${first.line}: ${first.reason}`,
  })
  if (deadLetters > limit) {
    const result = failed(deadLetters, letters[0]!)
    await enterResult(database, job.run, file.id, result, allLetters)
    return result
  }
  const { digest, stage } = whole
  const staged: Staged = { ...whole, table: stage, head }
  const { mode = 'replace' } = declared
  const { state, applied } = await apply({ database, job }, file, staged)
  const dead = deadLetters + applied.letters.length
  if (dead > limit) throw new TooManyDead(failed(dead, letters[0] ?? applied.letters[0]!), allLetters, applied.letters)
  const written = rows - applied.letters.length
  const { quoted: table, columns } = applied
  const held = await enterImported(database, file, { table, digest, columns, seen: head.seen, deadLetters: dead })
  // All that the table holds of a file that it had nothing of was inserted just now.
  const inserted = mode !== 'upsert' && !(state.isThere && state.rows > 0) ? held : applied.inserted
  const result: FileResult = {
    ...common,
    outcome: 'imported',
    table: applied.table,
    rows: written,
    inserted,
    deleted: applied.deleted,
    deadLetters: dead,
    missing: missingOf(mode, written, held, inserted, state.isThere && state.digest === digest),
    changes: applied.changes,
    remarks: [...head.remarks, ...(rows + deadLetters === 0 ? ['a header alone'] : []), ...applied.remarks],
  }
  await enterResult(database, job.run, file.id, result, allLetters)
  if (applied.letters.length > 0) await enterLetters(database, job.run, file.id, applied.letters)
  return result
}

/** Beside other files of the kind; where the table itself has to change, alone. */
async function apply(
  { database, job }: FileEnding,
  { id, kind, kindId }: JobFile,
  staged: Staged,
): Promise<{ readonly state: FileState; readonly applied: Applied }> {
  const { mode = 'replace', key = [] } = job.kinds[kind]!
  const attempt = async (isAlone: boolean): Promise<{ state: FileState; applied: Applied }> => {
    const state = await bookedStateOf(database, job.schema, kindId, id)
    const to = { schema: job.schema, kind: kindId, file: id, state, mode, key, isAlone }
    return { state, applied: await applyFile(database, to, staged) }
  }
  try {
    return await attempt(false)
  } catch (error) {
    if (!(error instanceof NotAlone)) throw error
    await database.execute(lockKindSql(kindId, job))
    return attempt(true)
  }
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

export async function enterTooManyDead(
  { database, job }: FileEnding,
  piece: ParsedPiece,
  error: unknown,
): Promise<FileResult> {
  if (!(error instanceof TooManyDead)) throw error
  const { result, letters, refused } = error
  const { id } = job.files[piece.file]!
  await database.transaction(async () => {
    await enterResult(database, job.run, id, result, letters)
    await enterLetters(database, job.run, id, refused)
  })
  return result
}

/** Of a file of which nothing was written. */
export function noResult(file: number, kind: string): FileResult {
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

function share(part: number, of: number): string {
  return `${Math.round((100 * part) / of)} %`
}

export function rowsText(rows: number): string {
  return rows.toLocaleString('en')
}
