/** The rows of a file between COPY and their table. */
import type { StageType } from './column-types.ts'
import type { Database } from './database.ts'
import type { Evidence } from './evidence.ts'
import { type Head, MAX_STAGED_COLUMNS } from './records.ts'

/** Rows of a file, all of them, in a table of their own. */
export interface Staged {
  readonly table: string
  /** Of its columns; none: all are texts. */
  readonly types: readonly StageType[]
  readonly head: Head
  readonly evidence: Evidence
  readonly rows: number
  /** The same for the same rows. */
  readonly digest: string
  /** Some of its rows were refused when they were written all at once. */
  readonly hasRefused: boolean
  /** It was made so that it can become the table of its kind. */
  readonly mayBecomeTable: boolean
  /** As COPY takes them, where they are not in the stage yet: they may go into the table itself. */
  readonly unsent?: Uint8Array
}

/** The columns of a staging table. @param types of them; none: all are texts */
export function stageColumns(width: number, types: readonly StageType[] = []): string {
  if (width > MAX_STAGED_COLUMNS) return 'line bigint, cells text[]'
  return ['line bigint', ...Array.from({ length: width }, (_, i) => `c${i + 1} ${types[i] ?? 'text'}`)].join(', ')
}

/** The names of the columns that COPY fills. */
export function stageNames(width: number): string {
  if (width > MAX_STAGED_COLUMNS) return 'line, cells'
  return ['line', ...Array.from({ length: width }, (_, i) => `c${i + 1}`)].join(', ')
}

/** Sends the rows of a file of one piece to a staging table of the session, where they are needed there. */
export async function stageUnsent(database: Database, { table, head, rows, unsent }: Staged): Promise<void> {
  if (unsent === undefined) return
  const { length } = head.titles
  await database.execute(
    `create temporary table if not exists ${table.slice(table.indexOf('.') + 1)} (${stageColumns(length)}) on commit delete rows`,
  )
  if (rows > 0) await database.copy(`${table} (${stageNames(length)})`, unsent)
}

/** The rows of a file are not to be had as they were staged: they are to be staged as texts. */
export class StageMisfit extends Error {
  override readonly name = 'StageMisfit'
}
