import type { Context, SetupContext } from '../../graph/types.ts'
import { Reach, untilConfirmed } from '../core/backoff.ts'
import { sqlState, PostgresLink, type DatabaseTable } from './link.ts'

/** What a writer is made of: options of `postgresSink` with their defaults. */
interface PostgresWriterOptions extends DatabaseTable {
  readonly key?: readonly string[]
  readonly whenExists: string
}

type Row = Readonly<Record<string, unknown>>
type BatchContext = Pick<Context, 'fail' | 'signal'>

/** Values that do not fit their column, and rows that a constraint refuses: others of the batch may be all right. */
const OF_ROWS = /^(22|23)/

/** One worker's side of a table: a batch of records is one statement. */
export class PostgresWriter {
  readonly #options: PostgresWriterOptions
  readonly #database: PostgresLink
  readonly #reach: Reach

  private constructor(options: PostgresWriterOptions, database: PostgresLink, reach: Reach) {
    this.#reach = reach
    this.#options = options
    this.#database = database
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: PostgresWriterOptions, context: SetupContext): Promise<PostgresWriter> {
    return new PostgresWriter(options, await PostgresLink.open(options, context, look), new Reach(context))
  }

  /** A row that the table does not take fails alone: the batch is halved until it is found. */
  async write(records: readonly Row[], context: BatchContext): Promise<void> {
    try {
      await untilConfirmed(
        () => this.#insert(records),
        (error) => this.#database.isPassing(error),
        context.signal,
        this.#reach,
      )
    } catch (error) {
      // A value that is no JSON is a TypeError.
      if (!OF_ROWS.test(sqlState(error)) && !(error instanceof TypeError)) throw error
      if (records.length === 1) return context.fail(records[0], error)
      const half = records.length >> 1
      await this.write(records.slice(0, half), context)
      await this.write(records.slice(half), context)
    }
  }

  async #insert(records: readonly Row[]): Promise<void> {
    const { sql, table } = this.#database
    const { key, whenExists } = this.#options
    const columns = [...new Set(records.flatMap((record) => Object.keys(record)))]
    const rows = key === undefined ? records : lastOfEach(records, key)
    const others = columns.filter((column) => key?.includes(column) !== true)
    const set = others.map((column) => sql`${sql(column)} = excluded.${sql(column)}`)
    const replace = set.map((each, i) => (i === 0 ? each : sql`, ${each}`))
    const onConflict =
      key === undefined
        ? sql``
        : whenExists === 'keep' || others.length === 0
          ? sql`on conflict (${sql([...key])}) do nothing`
          : sql`on conflict (${sql([...key])}) do update set ${replace}`
    // Before the client has it: what throws while the client writes a statement may leave its connection waiting for ever.
    const json = JSON.stringify(rows)
    const insert = sql`
      insert into ${table} (${sql(columns)}) select ${sql(columns)}
      from jsonb_populate_recordset(null::${table}, ${json}::text::jsonb) ${onConflict}`
    // Without a key, rows that were written and not confirmed would come twice.
    await (key === undefined ? insert : this.#database.answerOf(insert))
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** The table is there, and may be read. */
function look({ sql, table }: PostgresLink): Promise<unknown> {
  return sql`select from ${table} limit 0`
}

/** One statement changes a row once: of records with the same key, the last one counts. */
function lastOfEach(records: readonly Row[], key: readonly string[]): readonly Row[] {
  const rows = new Map<string, Row>()
  for (const record of records) rows.set(JSON.stringify(key.map((column) => record[column])), record)
  return [...rows.values()]
}
