/** Pieces of large files, staged one by one until the file is whole. */
import { createHash } from 'node:crypto'
import { BOOKS } from './books-tables.ts'
import { type Database, isRowsFault } from './database.ts'
import { type CellReading, type StageType, fitsStage, readingOf, stageTypeOf } from './column-types.ts'
import { type Evidence, addEvidence } from './evidence.ts'
import type { JobFile } from './job.ts'
import { digestOf } from './parse.ts'
import { type Letter, MAX_STAGED_COLUMNS, type ParsedPiece } from './records.ts'
import { StageMisfit, type Staged, stageColumns, stageNames } from './staged.ts'

const STAGES_LOCK = 7_113_002

/** What was staged of a file is gone: it is to be read once more. */
export class StageLost extends Error {
  override readonly name = 'StageLost'
}

/** For SQL. */
function stageOf(file: number): string {
  return `${BOOKS}.stage_${file}`
}

/** Makes the staging table of a file, unless pieces of this version of it are there already: then they need not come again. */
export async function prepareStage(
  database: Database,
  { id: file, kindId, stagesText }: Pick<JobFile, 'id' | 'kindId' | 'stagesText'>,
  piece: ParsedPiece,
  schema: string,
): Promise<void> {
  const { version, head } = piece
  await database.query('select pg_advisory_xact_lock($1, $2)', [STAGES_LOCK, file])
  const [load] = await database.query<{ version: string }>(`select version from ${BOOKS}.loads where file = $1`, [file])
  if (load?.version === version) return
  await dropStage(database, file)
  const types = stagesText === true ? [] : await typesOf(database, kindId, piece)
  const columns = stageColumns(head.titles.length, types)
  await database.execute(
    head.titles.length <= MAX_STAGED_COLUMNS && (await mayBecomeTable(database, file, kindId, schema))
      ? `create table ${stageOf(file)} (_file integer not null default ${file}, ${columns}); alter table ${stageOf(file)} alter line set not null`
      : `create unlogged table ${stageOf(file)} (${columns})`,
  )
  await database.query(`insert into ${BOOKS}.loads (file, version, types) values ($1, $2, $3::text::jsonb)`, [
    file,
    version,
    JSON.stringify(types),
  ])
}

/** Whether a stage can become the table of its kind: there is none yet, and nothing but its rows tells it from a new one. */
async function mayBecomeTable(database: Database, file: number, kind: number, schema: string): Promise<boolean> {
  const [may] = await database.query<{ may: boolean }>(
    `select k.mode <> 'upsert' and to_regclass(format('%I.%I', $1::text, k.table_name)) is null
      and to_regclass(format('%I.stage_%s', $1::text, $3::integer)) is null
      and not exists (select from pg_default_acl where defaclnamespace = to_regnamespace(quote_ident($1)))
      and not exists (select from ${BOOKS}.loads l join ${BOOKS}.files f on f.id = l.file where f.kind = k.id and f.id <> $3::integer) as may
    from ${BOOKS}.kinds k where k.id = $2`,
    [schema, kind, file],
  )
  return may?.may === true
}

/** The columns of a stage are what those of the piece that comes first will be, if the others are alike. */
async function typesOf(database: Database, kind: number, { head, evidence }: ParsedPiece): Promise<StageType[]> {
  if (head.titles.length > MAX_STAGED_COLUMNS) return []
  const known = await database.query<CellReading & { readonly key: string; readonly isRest: boolean }>(
    `select occurrence || ' ' || title as key, type, format, is_rest as "isRest" from ${BOOKS}.columns where kind = $1`,
    [kind],
  )
  const byKey = new Map(known.map((column) => [column.key, column]))
  const occurrences = new Map<string, number>()
  const types = head.titles.map((title, i): StageType => {
    const occurrence = (occurrences.get(title) ?? 0) + 1
    occurrences.set(title, occurrence)
    const before = byKey.get(`${occurrence} ${title}`)
    if (before?.isRest === true) return 'text'
    const was = before && { type: before.type ?? undefined, format: before.format }
    const [bits, words] = [evidence.types[i]!, evidence.words[i]!]
    const type = stageTypeOf(readingOf(bits, words, head.declared[i] ?? undefined, was))
    return fitsStage(type, bits, words, evidence.empties[i]!) ? type : 'text'
  })
  return types.every((type) => type === 'text') ? [] : types
}

/** What is staged of a file does not serve: none of its pieces need be staged. */
export async function giveUpStage(database: Database, file: number, version: string): Promise<void> {
  await database.query(`update ${BOOKS}.loads set types = null where file = $1 and version = $2`, [file, version])
}

/**
 * @returns whether the file is staged whole. A piece that is there already is not staged twice.
 * @throws StageLost; StageMisfit where cells of it are no values of the stage
 */
export async function stagePiece(database: Database, file: number, piece: ParsedPiece): Promise<boolean> {
  const { version, end, letters, copy, evidence, rows, notUtf8, hasUtf8, unknown } = piece
  const facts: PieceFacts = { evidence, rows, notUtf8, hasUtf8, unknown, digest: digestOf(piece) }
  // A server that crashed has emptied it; an import that was killed may end the file just now.
  const [load] = await database.query<{ types: readonly StageType[] | null }>(
    `select types from ${BOOKS}.loads where file = $1 and version = $2 for key share`,
    [file, version],
  )
  if (load === undefined) throw new StageLost('what was staged of the file is gone')
  const { types } = load
  if (
    types === null ||
    !types.every((type, i) => fitsStage(type, evidence.types[i]!, evidence.words[i]!, evidence.empties[i]!))
  )
    throw new StageMisfit('a piece of it holds other cells than the first one')
  const added = await database.query(
    `insert into ${BOOKS}.pieces (file, piece, facts, letters) values ($1, $2, $3::text::jsonb, $4::text::jsonb)
    on conflict do nothing returning 1`,
    [file, piece.piece, JSON.stringify(facts), JSON.stringify(letters)],
  )
  if (added.length > 0 && rows > 0) {
    await database.copy(`${stageOf(file)} (${stageNames(piece.head.titles.length)})`, copy).catch((error: unknown) => {
      throw types.length > 0 && isRowsFault(error) ? new StageMisfit('it holds other cells', { cause: error }) : error
    })
  }
  // Last: until the end of the transaction, other workers that stage the same file wait for this row.
  const [state] = await database.query<{ whole: boolean }>(
    `update ${BOOKS}.loads set staged = staged + $2, pieces = coalesce($3, pieces) where file = $1 and version = $4
    returning coalesce(staged = pieces, false) as whole`,
    [file, added.length, end?.pieces ?? null, version],
  )
  return state!.whole
}

/** The entry goes first: whoever would stage more waits for it, and learns that it is gone. */
export async function dropStage(database: Database, file: number): Promise<void> {
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
export interface WholeFile extends PieceFacts, Omit<Staged, 'table' | 'head'> {
  readonly deadLetters: number
  /** Of them, so many that tell what is wrong. */
  readonly letters: readonly Letter[]
  readonly stage: string
}

/** All pieces of a file together; undefined where another worker has ended the file meanwhile. */
export async function stagedFile(database: Database, id: number): Promise<Omit<WholeFile, 'hasRefused'> | undefined> {
  const pieces = await database.query<{ facts: PieceFacts; count: number; letters: Letter[] }>(
    `select facts, jsonb_array_length(letters) as count, jsonb_path_query_array(letters, '$[0 to 9]') as letters
    from ${BOOKS}.pieces where file = $1 order by piece`,
    [id],
  )
  if (pieces.length === 0) return undefined
  const [load] = await database.query<{ types: readonly StageType[]; mayBecomeTable: boolean }>(
    `select types, (select relpersistence = 'p' from pg_class where oid = to_regclass($2)) as "mayBecomeTable"
    from ${BOOKS}.loads where file = $1`,
    [id, stageOf(id)],
  )
  const evidence = pieces[0]!.facts.evidence
  for (const { facts } of pieces.slice(1)) addEvidence(evidence, facts.evidence)
  const digest = createHash('sha256')
  for (const { facts } of pieces) digest.update(facts.digest)
  const sum = (of: (facts: PieceFacts) => number): number => pieces.reduce((total, { facts }) => total + of(facts), 0)
  return {
    evidence,
    rows: sum(({ rows }) => rows),
    notUtf8: sum(({ notUtf8 }) => notUtf8),
    hasUtf8: pieces.some(({ facts }) => facts.hasUtf8),
    unknown: [...new Set(pieces.flatMap(({ facts }) => facts.unknown))],
    digest: digest.digest('hex').slice(0, 32),
    deadLetters: pieces.reduce((total, { count }) => total + count, 0),
    letters: pieces.flatMap(({ letters }) => letters).slice(0, 10),
    stage: stageOf(id),
    types: load?.types ?? [],
    mayBecomeTable: load?.mayBecomeTable === true,
  }
}
