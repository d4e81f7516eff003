/** The rows of a file between COPY and their table. */
import type { StageType } from './column-types.ts'
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
}

/** The columns of a staging table. @param types of them; none: all are texts */
export function stageColumns(width: number, types: readonly StageType[] = []): string {
  if (width > MAX_STAGED_COLUMNS) return 'line bigint, cells text[]'
  return ['line bigint', ...Array.from({ length: width }, (_, i) => `c${i + 1} ${types[i] ?? 'text'}`)].join(', ')
}

/** The rows of a file are not to be had as they were staged: they are to be staged as texts. */
export class StageMisfit extends Error {
  override readonly name = 'StageMisfit'
}
