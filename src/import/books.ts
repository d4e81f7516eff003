/** What the database itself records of imports, in the schema `millrace_imports`: names that were given stay. */
import type { CellFormat, ColumnType } from './column-types.ts'
import type { Database } from './database.ts'
import type { JobData } from './job.ts'
import { plainName, quoteName, takeName } from './names.ts'
import type { FileResult, Letter } from './records.ts'

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
  /** Of each file of the job, in its order. */
  readonly files: readonly { readonly id: number; readonly kind: number }[]
}

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
    return { ...source, run: run!.id, files: await enterFiles(database, source, job) }
  })
}

/** The source by its name where it was given, else by its directory: two directories of one name are two sources. */
async function enterSource(
  database: Database,
  { source, directory, schema }: JobData,
): Promise<Pick<Source, 'id' | 'schema'>> {
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

/** Gives the kinds of a job their tables, and enters its files. Names that were given stay. */
async function enterFiles(
  database: Database,
  { id: source, schema }: Pick<Source, 'id' | 'schema'>,
  { files, kinds }: JobData,
): Promise<Source['files']> {
  const known = await database.query<{ name: string }>(`select name from ${BOOKS}.kinds where source = $1`, [source])
  const named = new Set(known.map(({ name }) => name))
  const fresh = Object.keys(kinds)
    .filter((name) => !named.has(name))
    .toSorted()
  if (fresh.length > 0) {
    const rows = await database.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = to_regnamespace($1)
      union select typname from pg_type where typnamespace = to_regnamespace($1)
      union select k.table_name from ${BOOKS}.kinds k join ${BOOKS}.sources s on s.id = k.source where s.schema_name = $2`,
      [quoteName(schema), schema],
    )
    const taken = new Set(rows.map(({ name }) => name))
    const named = fresh.map((name) => {
      const { table, mode = 'replace' } = kinds[name]!
      return { name, mode, table: table ?? takeName(plainName(name) || 'table', taken) }
    })
    await database.query(
      `insert into ${BOOKS}.kinds (source, name, table_name, mode)
      select $1, g.name, g."table", g.mode from jsonb_to_recordset($2::text::jsonb) as g (name text, "table" text, mode text)`,
      [source, JSON.stringify(named)],
    )
  }
  const entries = JSON.stringify(files.map(({ path, kind }) => ({ path, kind })))
  const given = `jsonb_to_recordset($2::text::jsonb) as g (path text, kind text)
      join ${BOOKS}.kinds k on k.source = $1 and k.name = g.kind`
  await database.query(
    `insert into ${BOOKS}.files (source, path, kind) select $1, g.path, k.id from ${given} on conflict do nothing`,
    [source, entries],
  )
  const ids = await database.query<{ path: string; id: number; kind: number }>(
    `select g.path, f.id, k.id as kind from ${given} join ${BOOKS}.files f on f.source = $1 and f.path = g.path`,
    [source, entries],
  )
  const byPath = new Map(ids.map((each) => [each.path, each]))
  return files.map(({ path }) => byPath.get(path)!)
}

/** Statements that begin the end of a file: files of one kind end one after the other, however long that takes. */
export function lockKindSql(kind: number, lockTimeoutMs: number): string {
  return `set local lock_timeout = 0; select from ${BOOKS}.kinds where id = ${kind} for update; set local lock_timeout = ${lockTimeoutMs}`
}

/** Whoever asks has locked the kind. */
export async function stateOf(database: Database, schema: string, kind: number, file: number): Promise<FileState> {
  const [state] = await database.query<FileState>(
    `select k.table_name as "table", k.is_made as "isMade", f.rows::float8 as rows, f.digest,
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
  { run }: Source,
  file: number,
  result: FileResult,
  letters: readonly Letter[] | 'staged',
): Promise<void> {
  await database.query(
    `with gone as (delete from ${BOOKS}.dead_letters where file = $2)
    insert into ${BOOKS}.results as r (run, file, outcome, rows, inserted, deleted, dead_letters, message, remarks)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)
    on conflict (run, file) do update set outcome = excluded.outcome, rows = excluded.rows, inserted = excluded.inserted,
      deleted = excluded.deleted, dead_letters = excluded.dead_letters, message = excluded.message,
      remarks = excluded.remarks, finished = clock_timestamp()`,
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
  await enterLetters(database, { run }, file, letters)
}

/** Adds dead letters of a file: these, or those that were staged with its pieces. */
export async function enterLetters(
  database: Database,
  { run }: Pick<Source, 'run'>,
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

/** What a file holds now. */
export async function enterImported(
  database: Database,
  { id, kind }: { readonly id: number; readonly kind: number },
  held: { readonly rows: number; readonly digest: string; readonly columns: readonly string[] },
): Promise<void> {
  await database.query(
    `update ${BOOKS}.files set rows = $2, digest = $3, columns = $4::text::jsonb, kind = $5 where id = $1`,
    [id, held.rows, held.digest, JSON.stringify(held.columns), kind],
  )
}

/** All that was told of a run is on disk from here on. */
export async function leaveRun(database: Database, run: number): Promise<void> {
  await database.execute('set synchronous_commit = on')
  await database.query(`update ${BOOKS}.runs set finished = clock_timestamp() where id = $1`, [run])
}
