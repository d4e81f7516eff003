/** What the database itself records of imports, in the schema `millrace_imports`: names that were given stay. */
import type { CellFormat, ColumnType } from './column-types.ts'
import type { Database } from './database.ts'
import { BOOKS } from './books-tables.ts'
import type { JobData, JobFile } from './job.ts'
import type { FileResult, Letter } from './records.ts'

/** A file and its table as they are, while the kind is locked. */
export interface FileState {
  readonly table: string
  /** The import has made the table. */
  readonly isMade: boolean
  /** There is something of the table's name. */
  readonly isThere: boolean
  /** Names of the columns that it has, whoever added them. */
  readonly inTable: readonly string[]
  readonly columns: readonly ColumnRow[]
  /** Of the last import of the file. */
  readonly rows: number
  readonly digest: string | null
  /** The table that it was imported into until now, where that was another kind's. */
  readonly formerTable: string | null
  /** Rows of several files are in the table, and nothing finds those of one quickly. */
  readonly lacksIndex: boolean
  /** COPY does all that INSERT does to it. */
  readonly isPlain: boolean
}

export interface ColumnRow {
  readonly name: string
  readonly title: string
  readonly occurrence: number
  readonly place: number
  readonly type: ColumnType | null
  readonly format: CellFormat
  readonly longest: number
  readonly isRest: boolean
}

/** Statements that begin the end of a file. Files of one kind end beside each other, while none changes the table itself. */
export function lockFileSql(
  { id, kindId }: Pick<JobFile, 'id' | 'kindId'>,
  { lockTimeoutMs }: Pick<JobData, 'lockTimeoutMs'>,
): string {
  return `set local lock_timeout = 0; select from ${BOOKS}.files where id = ${id} for no key update; savepoint beside;
    select from ${BOOKS}.kinds where id = ${kindId} for share; set local lock_timeout = ${lockTimeoutMs}`
}

/** Statements that take back what a file has done beside others, and wait until it is the only one of its kind, however long that takes. */
export function lockKindSql(kind: number, { lockTimeoutMs }: Pick<JobData, 'lockTimeoutMs'>): string {
  return `rollback to savepoint beside; set local lock_timeout = 0;
    select from ${BOOKS}.kinds where id = ${kind} for update; set local lock_timeout = ${lockTimeoutMs}`
}

/** Whoever asks has locked the file, and its kind. */
export async function bookedStateOf(
  database: Database,
  schema: string,
  kind: number,
  file: number,
): Promise<FileState> {
  const [state] = await database.query<FileState>(
    `select k.table_name as "table", k.is_made as "isMade",
      case when f.kind = k.id then f.rows else 0 end::float8 as rows, case when f.kind = k.id then f.digest end as digest,
      (select format('%I.%I', $1::text, o.table_name) from ${BOOKS}.kinds o
        where o.id = f.kind and o.id <> k.id and o.is_made and f.rows > 0) as "formerTable",
      to_regclass(format('%I.file_%s', $1::text, k.id)) is null
        and exists (select from ${BOOKS}.files o where o.kind = k.id and o.rows > 0 and o.id <> f.id) as "lacksIndex",
      exists (select from pg_class where oid = to_regclass(n.name) and relkind in ('r', 'p')
        and not relhasrules and not relrowsecurity) as "isPlain",
      to_regclass(n.name) is not null or to_regtype(n.name) is not null as "isThere",
      (select coalesce(jsonb_agg(attname), '[]') from pg_attribute
        where attrelid = to_regclass(n.name) and attnum > 0 and not attisdropped) as "inTable",
      (select coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'title', c.title, 'occurrence', c.occurrence,
          'place', c.place, 'type', c.type, 'format', c.format, 'longest', c.longest, 'isRest', c.is_rest) order by c.place), '[]')
        from ${BOOKS}.columns c where c.kind = k.id) as columns
    from ${BOOKS}.kinds k, ${BOOKS}.files f, lateral (select format('%I.%I', $1::text, k.table_name) as name) n
    where k.id = $2 and f.id = $3`,
    [schema, kind, file],
  )
  return state!
}

export async function enterColumns(database: Database, kind: number, columns: readonly ColumnRow[]): Promise<void> {
  if (columns.length === 0) return
  await database.query(
    `insert into ${BOOKS}.columns as c (kind, name, title, occurrence, place, type, format, longest, is_rest)
    select $1, g.name, g.title, g.occurrence, g.place, g.type, g.format, g.longest, g."isRest"
    from jsonb_to_recordset($2::text::jsonb) as g (name text, title text, occurrence integer, place integer, type text,
      format jsonb, longest integer, "isRest" boolean)
    on conflict (kind, name) do update set type = excluded.type, format = excluded.format, longest = excluded.longest`,
    [kind, JSON.stringify(columns)],
  )
}

/** Enters how a file ended in this run; a second round of it overwrites the first. Its dead letters are those of this import. */
export async function enterResult(
  database: Database,
  run: number,
  file: number,
  result: FileResult,
  letters: readonly Letter[] | 'staged',
): Promise<void> {
  await database.query(
    `with gone as (delete from ${BOOKS}.dead_letters where file = $2)
    insert into ${BOOKS}.results as r (run, file, outcome, rows, inserted, deleted, dead_letters, message, remarks, missing)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10)
    on conflict (run, file) do update set outcome = excluded.outcome, rows = excluded.rows, inserted = excluded.inserted,
      deleted = excluded.deleted, dead_letters = excluded.dead_letters, message = excluded.message,
      remarks = excluded.remarks, missing = excluded.missing, finished = clock_timestamp()`,
    [
      run,
      file,
      result.outcome,
      result.rows,
      result.inserted,
      result.deleted,
      result.deadLetters,
      result.message ?? null,
      JSON.stringify(result.remarks),
      result.missing,
    ],
  )
  if (result.changes.length > 0) {
    await database.query(
      `insert into ${BOOKS}.schema_changes (run, file, table_name, column_name, change)
      select $1, $2, g."table", g."column", g.change
      from jsonb_to_recordset($3::text::jsonb) as g ("table" text, "column" text, change text)`,
      [run, file, JSON.stringify(result.changes)],
    )
  }
  await enterLetters(database, run, file, letters)
}

/** Adds dead letters of a file: these, or those that were staged with its pieces. */
export async function enterLetters(
  database: Database,
  run: number,
  file: number,
  letters: readonly Letter[] | 'staged',
): Promise<void> {
  const into = `insert into ${BOOKS}.dead_letters (file, run, line, column_title, value, reason, raw)
    select $1, $2, g.line, g."column", g.value, g.reason, g.raw from`
  const fields = '(line bigint, "column" text, value text, reason text, raw text)'
  if (letters === 'staged') {
    await database.query(`${into} ${BOOKS}.pieces p, jsonb_to_recordset(p.letters) as g ${fields} where p.file = $1`, [
      file,
      run,
    ])
  } else if (letters.length > 0) {
    await database.query(`${into} jsonb_to_recordset($3::text::jsonb) as g ${fields}`, [
      file,
      run,
      JSON.stringify(letters),
    ])
  }
}

/**
 * What a file holds now.
 * @returns rows of the file that are in its table: counted
 */
export async function enterImported(
  database: Database,
  { id, kindId }: Pick<JobFile, 'id' | 'kindId'>,
  held: {
    readonly table: string
    readonly digest: string
    readonly columns: readonly string[]
    readonly seen: string | null
    readonly deadLetters: number
  },
): Promise<number> {
  const [counted] = await database.query<{ rows: number }>(
    `update ${BOOKS}.files set rows = (select count(*) from ${held.table} where _file = $1), digest = $2,
      columns = $3::text::jsonb, kind = $4, seen = $5, dead_letters = $6
    where id = $1 returning rows::float8 as rows`,
    [id, held.digest, JSON.stringify(held.columns), kindId, held.seen, held.deadLetters],
  )
  return counted!.rows
}
