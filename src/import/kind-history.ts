/** The kinds of a source as the books have them: what each holds, and how its last import ended. */
import { BOOKS } from './books-tables.ts'
import type { Database } from './database.ts'

export interface ImportKind {
  readonly name: string
  /** With its schema; null where none was made yet. */
  readonly table: string | null
  readonly isPaused: boolean
  readonly files: number
  readonly rows: number
  readonly deadLetters: number
  /** The last run that read a file of it, ISO 8601; null where there was none. */
  readonly lastRead: string | null
  /** Of the files that run has read. */
  readonly failed: number
  /** Why the first of them failed. */
  readonly message: string | null
  /** Columns that were added, removed or changed in that run. */
  readonly schemaChanges: number
}

/** The kinds of a source, by name. */
export function listKinds(database: Database, source: number): Promise<ImportKind[]> {
  return database.query<ImportKind>(
    `select k.name, case when k.is_made then s.schema_name || '.' || k.table_name end as "table", k.is_paused as "isPaused",
      held.files::float8 as files, held.rows::float8 as rows, held.dead::float8 as "deadLetters",
      to_char(last.finished at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastRead",
      coalesce(last.failed, 0)::float8 as failed, last.message,
      (select count(*) from ${BOOKS}.schema_changes c join ${BOOKS}.files f on f.id = c.file
        where f.kind = k.id and c.run = last.run)::float8 as "schemaChanges"
    from ${BOOKS}.kinds k join ${BOOKS}.sources s on s.id = k.source,
    lateral (select count(*) as files, coalesce(sum(rows), 0) as rows, coalesce(sum(dead_letters), 0) as dead
      from ${BOOKS}.files where kind = k.id) held
    left join lateral (
      select r.run, max(r.finished) as finished, count(*) filter (where r.outcome = 'failed') as failed,
        (array_agg(r.message) filter (where r.outcome = 'failed'))[1] as message
      from ${BOOKS}.results r join ${BOOKS}.files f on f.id = r.file where f.kind = k.id
      group by r.run order by r.run desc limit 1) last on true
    where k.source = $1 order by k.name`,
    [source],
  )
}

/** Files of a kind that is paused are left alone by every run that does not name it. @returns whether there is such a kind */
export async function pauseKind(database: Database, source: number, kind: string, isPaused: boolean): Promise<boolean> {
  const found = await database.query(
    `update ${BOOKS}.kinds set is_paused = $3 where source = $1 and name = $2 returning 1`,
    [source, kind, isPaused],
  )
  return found.length > 0
}
