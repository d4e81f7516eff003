/** Runs that the books record, and how each ended. */
import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BOOKS, openBooks } from './books-tables.ts'
import { openDatabase } from './database.ts'
import { readDeclared } from './declared.ts'
import { lockEmbedded } from './embedded-lock.ts'
import { ImportProblem, messageOf } from './problem.ts'

export interface RunsOptions {
  /** The address of a PostgreSQL server. Default: the embedded database. */
  readonly to?: string | undefined
  /** Where the embedded database is. Default: `.millrace/import`. */
  readonly dataDirectory?: string
  /** Runs of this source alone. */
  readonly source?: string | undefined
  /** Runs of the source that has its name from this directory alone. */
  readonly directory?: string | undefined
  /** So many at most, the last ones. Default: 20. */
  readonly limit?: number | undefined
}

/** A run of an import. */
export interface ImportRun {
  readonly id: number
  readonly source: string
  /** ISO 8601. */
  readonly started: string
  /** Absent while it runs, or where it was killed and no other has begun since. */
  readonly finished: string | null
  /** `open`: it has not come to an end yet, or was killed. */
  readonly outcome: 'imported' | 'failed' | 'interrupted' | 'open'
  /** What stopped it. */
  readonly message: string | null
  readonly imported: number
  readonly unchanged: number
  readonly failed: number
  /** Of the files that were read: rows, those written and removed for them, and those given up on. */
  readonly rows: number
  readonly inserted: number
  readonly deleted: number
  readonly deadLetters: number
  /** Rows that were read, and are neither in their table nor dead letters. */
  readonly missing: number
  readonly schemaChanges: number
}

/** The last runs, newest first. @throws ImportProblem where the database cannot be used */
export async function listRuns({
  to,
  dataDirectory,
  source,
  directory,
  limit = 20,
}: RunsOptions): Promise<ImportRun[]> {
  const embedded = resolve(dataDirectory ?? join('.millrace', 'import'))
  if (to === undefined && !existsSync(join(embedded, 'database'))) return []
  const unlock = to === undefined ? lockEmbedded(embedded) : () => undefined
  try {
    const database = await openDatabase(to, join(embedded, 'database'))
    try {
      const [found] = await database.query<{ there: boolean }>(
        `select to_regclass('${BOOKS}.runs') is not null as there`,
      )
      if (!found!.there) return []
      await database.transaction(() => openBooks(database))
      return await database.query<ImportRun>(
        `select r.id, s.name as source, ${timeSql('r.started')} as started, ${timeSql('r.finished')} as finished,
          case when r.finished is null then 'open' when r.is_interrupted then 'interrupted'
            when r.message is not null or coalesce(f.failed, 0) > 0 or coalesce(f.missing, 0) <> 0 then 'failed'
            else 'imported' end as outcome,
          r.message, r.unchanged, coalesce(f.imported, 0)::float8 as imported, coalesce(f.failed, 0)::float8 as failed,
          coalesce(f.rows, 0)::float8 as rows, coalesce(f.inserted, 0)::float8 as inserted,
          coalesce(f.deleted, 0)::float8 as deleted, coalesce(f.dead_letters, 0)::float8 as "deadLetters",
          coalesce(f.missing, 0)::float8 as missing,
          (select count(*) from ${BOOKS}.schema_changes c where c.run = r.id)::float8 as "schemaChanges"
        from ${BOOKS}.runs r join ${BOOKS}.sources s on s.id = r.source
        left join lateral (
          select count(*) filter (where outcome = 'imported') as imported, count(*) filter (where outcome = 'failed') as failed,
            sum(rows) as rows, sum(inserted) as inserted, sum(deleted) as deleted, sum(dead_letters) as dead_letters,
            sum(abs(missing)) as missing
          from ${BOOKS}.results where run = r.id) f on true
        where ($1::text is null or s.name = $1) and ($3::text is null or s.directory = $3 and not s.is_given)
        order by r.id desc limit $2`,
        [source ?? null, limit, directory ?? null],
      )
    } finally {
      await database.close()
    }
  } finally {
    unlock()
  }
}

/**
 * When the last run of a directory began, in milliseconds since 1970; undefined where there was none, or nobody can say: the database
 * may be away just now.
 * @throws ImportProblem where the directory cannot be read
 */
export async function lastRunMs({ directory, to, source }: ImportRunOf): Promise<number | undefined> {
  const name = source ?? readDeclared(directory).source
  const path = await realpath(directory).catch((error: unknown) => {
    throw new ImportProblem(`The directory ${directory} cannot be read: ${messageOf(error)}`, { cause: error })
  })
  try {
    const [last] = await listRuns({ to, limit: 1, ...(name === undefined ? { directory: path } : { source: name }) })
    return last === undefined ? undefined : Date.parse(last.started)
  } catch (error) {
    if (error instanceof ImportProblem) return undefined
    throw error
  }
}

type ImportRunOf = Pick<RunsOptions, 'to' | 'source'> & { readonly directory: string }

function timeSql(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** A line for each run. */
export function runsText(runs: readonly ImportRun[]): string {
  if (runs.length === 0) return 'No run is in the books.'
  const titles = [
    'run',
    'source',
    'started (UTC)',
    'seconds',
    'outcome',
    'files',
    'unchanged',
    'rows',
    'dead letters',
    '',
  ]
  const rows = runs.map((run) => [
    String(run.id),
    run.source,
    run.started.slice(0, 19).replace('T', ' '),
    run.finished === null ? '' : ((Date.parse(run.finished) - Date.parse(run.started)) / 1000).toFixed(1),
    run.outcome,
    run.imported.toLocaleString('en'),
    run.unchanged.toLocaleString('en'),
    run.rows.toLocaleString('en'),
    run.deadLetters.toLocaleString('en'),
    [
      ...(run.failed === 0 ? [] : [`${run.failed} not imported`]),
      ...(run.schemaChanges === 0 ? [] : [`${run.schemaChanges} columns changed`]),
      ...(run.missing === 0 ? [] : [`the books do not balance by ${run.missing}`]),
      ...(run.message === null ? [] : [run.message.replace(/\p{Cc}/gu, ' ')]),
    ].join('; '),
  ])
  const all = [titles, ...rows]
  const widths = titles.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all
    .map((row) =>
      row
        .map((cell, i) => ([0, 3, 5, 6, 7, 8].includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
