/** What the database itself records of imports, in the schema `millrace_imports`: names that were given stay. */
import type { CellFormat, ColumnType } from './column-types.ts'
import type { Database } from './database.ts'
import type { Mode } from './declared.ts'
import type { JobData } from './job.ts'
import { plainName, quoteName, takeName } from './names.ts'
import type { FileResult } from './records.ts'

export const BOOKS = 'millrace_imports'
/** Held while names are given and tables of the books are made. */
const NAMES_LOCK = 7_113_001

const TABLES = `
create schema if not exists ${BOOKS};
create table if not exists ${BOOKS}.sources (
  id integer generated always as identity primary key,
  name text not null unique,
  directory text not null,
  is_given boolean not null,
  schema_name text not null
);
create table if not exists ${BOOKS}.kinds (
  id integer generated always as identity primary key,
  source integer not null references ${BOOKS}.sources,
  name text not null,
  table_name text not null,
  is_made boolean not null default false,
  mode text not null default 'replace',
  unique (source, name)
);
create table if not exists ${BOOKS}.columns (
  kind integer not null references ${BOOKS}.kinds,
  name text not null,
  title text not null,
  occurrence integer not null,
  place integer not null,
  type text,
  format jsonb not null,
  longest integer not null,
  is_rest boolean not null,
  primary key (kind, name)
);
create table if not exists ${BOOKS}.runs (
  id integer generated always as identity primary key,
  key text not null unique,
  source integer not null references ${BOOKS}.sources,
  started timestamptz not null default clock_timestamp(),
  finished timestamptz
);
create table if not exists ${BOOKS}.files (
  id integer generated always as identity primary key,
  source integer not null references ${BOOKS}.sources,
  path text not null,
  kind integer not null references ${BOOKS}.kinds,
  rows bigint not null default 0,
  digest text,
  columns jsonb not null default '[]',
  unique (source, path)
);
create table if not exists ${BOOKS}.results (
  run integer not null references ${BOOKS}.runs,
  file integer not null references ${BOOKS}.files,
  outcome text not null,
  rows bigint not null,
  inserted bigint not null,
  deleted bigint not null,
  dead_letters bigint not null,
  message text,
  remarks jsonb not null,
  finished timestamptz not null default clock_timestamp(),
  primary key (run, file)
);
create table if not exists ${BOOKS}.schema_changes (
  run integer not null references ${BOOKS}.runs,
  file integer not null references ${BOOKS}.files,
  table_name text not null,
  column_name text not null,
  change text not null,
  happened timestamptz not null default clock_timestamp()
);
create table if not exists ${BOOKS}.dead_letters (
  file integer not null references ${BOOKS}.files,
  line bigint not null,
  run integer not null references ${BOOKS}.runs,
  column_title text,
  value text,
  reason text not null,
  raw text not null
);
create index if not exists dead_letters_file on ${BOOKS}.dead_letters (file);
create unlogged table if not exists ${BOOKS}.loads (
  file integer primary key,
  version text not null,
  pieces integer,
  staged integer not null default 0
);
create unlogged table if not exists ${BOOKS}.pieces (
  file integer not null,
  piece integer not null,
  facts jsonb not null,
  letters jsonb not null,
  primary key (file, piece)
);`

export interface Source {
  readonly id: number
  readonly schema: string
  readonly run: number
}

export interface KindRow {
  readonly id: number
  readonly table: string
  readonly isMade: boolean
}

export interface FileRow {
  readonly id: number
  readonly kind: number
  readonly rows: number
  readonly digest: string | null
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

/** Makes the books where there is none, and enters the source and the run of a job; each worker does, and one is enough. */
export function enterRun(database: Database, job: JobData): Promise<Source> {
  return database.transaction(async () => {
    await database.query('select pg_advisory_xact_lock($1)', [NAMES_LOCK])
    const [made] = await database.query<{ made: boolean }>(`select to_regclass('${BOOKS}.pieces') is not null as made`)
    if (!made!.made) await database.execute(TABLES)
    const source = await enterSource(database, job)
    await database.query(`insert into ${BOOKS}.runs (key, source) values ($1, $2) on conflict (key) do nothing`, [
      job.run,
      source.id,
    ])
    const [run] = await database.query<{ id: number }>(`select id from ${BOOKS}.runs where key = $1`, [job.run])
    return { ...source, run: run!.id }
  })
}

/** The source by its name where it was given, else by its directory: two directories of one name are two sources. */
async function enterSource(database: Database, { source, directory, schema }: JobData): Promise<Omit<Source, 'run'>> {
  const [known] = await database.query<{ id: number; schema: string }>(
    source.isGiven
      ? `select id, schema_name as schema from ${BOOKS}.sources where name = $1`
      : `select id, schema_name as schema from ${BOOKS}.sources where directory = $1 and not is_given`,
    [source.isGiven ? source.name : directory],
  )
  if (known !== undefined) return known
  const names = await database.query<{ name: string }>(`select name from ${BOOKS}.sources`)
  const name = source.isGiven ? source.name : takeName(source.name, new Set(names.map((each) => each.name)))
  const schemas = await database.query<{ name: string }>('select nspname as name from pg_namespace')
  const own = schema ?? takeName(plainName(name) || 'imports', new Set(schemas.map((each) => each.name)))
  await database.execute(`create schema if not exists ${quoteName(own)}`)
  const [entered] = await database.query<{ id: number }>(
    `insert into ${BOOKS}.sources (name, directory, is_given, schema_name) values ($1, $2, $3, $4) returning id`,
    [name, directory, source.isGiven, own],
  )
  return { id: entered!.id, schema: own }
}

/** Gives a kind its table, in a transaction of its own: names are given one after the other. */
export async function nameKind(
  database: Database,
  { id: source, schema }: Source,
  name: string,
  declared: { readonly table?: string; readonly mode?: Mode },
): Promise<void> {
  const isKnown = async (): Promise<boolean> => {
    const rows = await database.query(`select 1 from ${BOOKS}.kinds where source = $1 and name = $2`, [source, name])
    return rows.length > 0
  }
  if (await isKnown()) return
  await database.transaction(async () => {
    await database.query('select pg_advisory_xact_lock($1)', [NAMES_LOCK])
    if (await isKnown()) return
    const taken = await database.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = to_regnamespace($1)
      union select typname from pg_type where typnamespace = to_regnamespace($1)
      union select k.table_name from ${BOOKS}.kinds k join ${BOOKS}.sources s on s.id = k.source where s.schema_name = $2`,
      [quoteName(schema), schema],
    )
    const table = declared.table ?? takeName(plainName(name) || 'table', new Set(taken.map((each) => each.name)))
    await database.query(`insert into ${BOOKS}.kinds (source, name, table_name, mode) values ($1, $2, $3, $4)`, [
      source,
      name,
      table,
      declared.mode ?? 'replace',
    ])
  })
}

/** The kind, locked for this transaction: files of one kind end one after the other. */
export async function lockKind(database: Database, { id: source }: Source, name: string): Promise<KindRow> {
  const [row] = await database.query<KindRow>(
    `select id, table_name as "table", is_made as "isMade" from ${BOOKS}.kinds where source = $1 and name = $2 for update`,
    [source, name],
  )
  return row!
}

export async function enterFile(database: Database, source: number, path: string, kind: number): Promise<FileRow> {
  const [row] = await database.query<FileRow>(
    `insert into ${BOOKS}.files as f (source, path, kind) values ($1, $2, $3)
    on conflict (source, path) do update set path = excluded.path
    returning f.id, f.kind, f.rows::float8 as rows, f.digest`,
    [source, path, kind],
  )
  return row!
}

export function columnsOf(database: Database, kind: number): Promise<ColumnRow[]> {
  return database.query<ColumnRow>(
    `select name, title, occurrence, place, type, format, longest, is_rest as "isRest"
    from ${BOOKS}.columns where kind = $1 order by place`,
    [kind],
  )
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

/** Enters how a file ended in this run; a second round of it overwrites the first. */
export async function enterResult(database: Database, source: Source, file: number, result: FileResult): Promise<void> {
  await database.query(
    `insert into ${BOOKS}.results as r (run, file, outcome, rows, inserted, deleted, dead_letters, message, remarks)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)
    on conflict (run, file) do update set outcome = excluded.outcome, rows = excluded.rows, inserted = excluded.inserted,
      deleted = excluded.deleted, dead_letters = excluded.dead_letters, message = excluded.message,
      remarks = excluded.remarks, finished = clock_timestamp()`,
    [
      source.run,
      file,
      result.outcome,
      result.rows,
      result.inserted,
      result.deleted,
      result.deadLetters,
      result.message ?? null,
      JSON.stringify(result.remarks),
    ],
  )
  if (result.changes.length === 0) return
  await database.query(
    `insert into ${BOOKS}.schema_changes (run, file, table_name, column_name, change)
    select $1, $2, g."table", g."column", g.change
    from jsonb_to_recordset($3::text::jsonb) as g ("table" text, "column" text, change text)`,
    [source.run, file, JSON.stringify(result.changes)],
  )
}

/** All that was told of a run is on disk from here on. */
export async function leaveRun(database: Database, run: number): Promise<void> {
  await database.execute('set synchronous_commit = on')
  await database.query(`update ${BOOKS}.runs set finished = clock_timestamp() where id = $1`, [run])
}
