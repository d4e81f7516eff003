/** What a run enters into the books before it begins, and learns from them: names that were given stay. */
import { BOOKS, openBooks } from './books-tables.ts'
import type { Database } from './database.ts'
import type { FoundFile, JobData } from './job.ts'
import { plainName, quoteName, takeName } from './names.ts'

export interface Source {
  readonly id: number
  readonly name: string
  readonly schema: string
}

/** A file in the books, as its last import left it. */
export interface KnownFile {
  readonly id: number
  readonly kind: number
  /** With its schema; absent where it is not there. */
  readonly table: string | null
  /** What told of the file when it was imported: with the same, it would be imported to the same. */
  readonly seen: string | null
  readonly rows: number
  readonly deadLetters: number
  /** Its last import failed. */
  readonly hasFailed: boolean
  /** Its kind is. */
  readonly isPaused: boolean
}

type Named = Pick<JobData, 'source' | 'directory'> & Partial<Pick<JobData, 'schema'>>

/** The source by its name where it was given, else by its directory: two directories of one name are two sources. */
export function enterSource(database: Database, named: Named): Promise<Source> {
  return database.transaction(async () => {
    await openBooks(database)
    const known = await findSource(database, named)
    if (known !== undefined) return known
    const { source, directory, schema } = named
    const names = await database.query<{ name: string }>(`select name from ${BOOKS}.sources`)
    const name = source.isGiven ? source.name : takeName(source.name, new Set(names.map((each) => each.name)))
    const schemas = await database.query<{ name: string }>('select nspname as name from pg_namespace')
    const own = schema ?? takeName(plainName(name) || 'imports', new Set(schemas.map((each) => each.name)))
    await database.execute(`create schema if not exists ${quoteName(own)}`)
    const [entered] = await database.query<{ id: number }>(
      `insert into ${BOOKS}.sources (name, directory, is_given, schema_name) values ($1, $2, $3, $4) returning id`,
      [name, directory, source.isGiven, own],
    )
    return { id: entered!.id, name, schema: own }
  })
}

/** The source, if the books have it. */
export async function findSource(database: Database, { source, directory }: Named): Promise<Source | undefined> {
  const [known] = await database.query<Source>(
    source.isGiven
      ? `select id, name, schema_name as schema from ${BOOKS}.sources where name = $1`
      : `select id, name, schema_name as schema from ${BOOKS}.sources where directory = $1 and not is_given`,
    [source.isGiven ? source.name : directory],
  )
  return known
}

/** Enters a run and its files. Runs of the source that have no end had none: whoever enters one holds the lock of the source. */
export function enterRun(
  database: Database,
  source: Source,
  { kinds }: Pick<JobData, 'kinds'>,
  files: readonly FoundFile[],
): Promise<{ readonly run: number; readonly files: readonly KnownFile[] }> {
  return database.transaction(async () => {
    await openBooks(database)
    await database.query(
      `update ${BOOKS}.runs set finished = clock_timestamp(), message = 'it was cut off' where source = $1 and finished is null`,
      [source.id],
    )
    const [run] = await database.query<{ id: number }>(`insert into ${BOOKS}.runs (source) values ($1) returning id`, [
      source.id,
    ])
    return { run: run!.id, files: await enterFiles(database, source, kinds, files) }
  })
}

/** Gives kinds their tables, and enters files. Names that were given stay. */
async function enterFiles(
  database: Database,
  { id: source, schema }: Source,
  kinds: JobData['kinds'],
  files: readonly FoundFile[],
): Promise<readonly KnownFile[]> {
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
  const entered = await database.query<KnownFile & { readonly path: string }>(
    `select g.path, f.id, k.id as kind, k.is_paused as "isPaused", f.rows::float8 as rows, f.dead_letters::float8 as "deadLetters",
      case when f.kind = k.id then f.seen end as seen,
      case when to_regclass(format('%I.%I', $3::text, k.table_name)) is not null
        then format('%s.%s', $3::text, k.table_name) end as "table",
      coalesce((select r.outcome = 'failed' from ${BOOKS}.results r where r.file = f.id order by r.run desc limit 1), false) as "hasFailed"
    from ${given} join ${BOOKS}.files f on f.source = $1 and f.path = g.path`,
    [source, entries, schema],
  )
  const byPath = new Map(entered.map(({ path, ...each }) => [path, each]))
  return files.map(({ path }) => byPath.get(path)!)
}

/** All that was told of a run is on disk from here on. */
export async function leaveRun(
  database: Database,
  run: number,
  end: { readonly unchanged: number; readonly isInterrupted: boolean; readonly failure?: string },
): Promise<void> {
  await database.execute('set synchronous_commit = on')
  await database.query(
    `update ${BOOKS}.runs set finished = clock_timestamp(), unchanged = $2, is_interrupted = $3, message = $4 where id = $1`,
    [run, end.unchanged, end.isInterrupted, end.failure ?? null],
  )
}
