import type Postgres from 'postgres'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import { loadClient } from '../core/client.ts'

/** Where a database is, and the table in it. */
export interface DatabaseTable {
  readonly url: string
  readonly table: string
  readonly connectMs: number
}

/** A connection that is lost in the middle of a query may leave it open for ever: then it is done again. */
const ANSWER_MS = 20_000
/** Seconds between two tries to connect; between queries that fail, the connector waits by itself. */
const RECONNECT_SECONDS = 0.2
/** States in which a server will give another answer in a while: it starts, stops, is full, or two transactions were in each other's way. */
const BUSY = new Set(['57P01', '57P02', '57P03', '53300', '53400', '40001', '40P01', '25006'])

/** One worker's connections to a database. The client reconnects by itself. */
export class PostgresLink {
  readonly sql: Postgres.Sql
  /** The table as it stands in a statement. */
  readonly table: Postgres.Helper<string>
  /** The same as it was given. */
  readonly name: string
  readonly #given: DatabaseTable
  readonly #node: string

  private constructor(sql: Postgres.Sql, given: DatabaseTable, node: string) {
    this.sql = sql
    this.table = sql(given.table)
    this.name = given.table
    this.#given = given
    this.#node = node
  }

  /**
   * Connects and prepares. In a worker's first life it fails where the server is away: a wrong address is better found at the start.
   * @param prepare what has to be there or is made
   * @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED
   */
  static async open(
    given: DatabaseTable,
    { node, worker, epoch }: SetupContext,
    prepare: (database: PostgresLink) => Promise<unknown>,
  ): Promise<PostgresLink> {
    const { default: postgres } = await loadClient('postgres', () => import('postgres'))
    const sql = postgres(given.url, {
      max: 2,
      connect_timeout: Math.max(1, Math.ceil(given.connectMs / 1000)),
      backoff: () => RECONNECT_SECONDS,
      connection: { application_name: `millrace ${node}.${worker}` },
      onnotice: () => undefined,
    })
    const database = new PostgresLink(sql, given, node)
    if (epoch > 0) return database
    try {
      await prepare(database)
      return database
    } catch (cause) {
      await sql.end({ timeout: 0 }).catch(() => undefined)
      throw database.refusal(cause)
    }
  }

  /**
   * Waits for a query that may be done twice.
   * @throws what the query throws; an error that passes if no answer comes
   */
  async answerOf<T>(query: PromiseLike<T> & { cancel(): void }): Promise<T> {
    let late!: NodeJS.Timeout
    const silence = new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        query.cancel()
        reject(new Error('the database does not answer'))
      }, ANSWER_MS)
    })
    try {
      return await Promise.race([query, silence])
    } finally {
      clearTimeout(late)
    }
  }

  /** The error of a server that says no, or that is not there. */
  refusal(cause: unknown): MillraceError {
    const { url, table } = this.#given
    const code = isAnswer(cause) ? 'CONNECTOR_REFUSED' : 'CONNECTOR_UNREACHABLE'
    const { hostname, port, pathname } = new URL(url)
    const where = { server: `${hostname}:${port === '' ? 5432 : port}${pathname}`, table }
    return new MillraceError(code, { node: this.#node, ...where, reason: errorText(cause).message }, { cause })
  }

  /** The error says only that the server cannot be reached now, or answers too late. */
  isPassing(error: unknown): boolean {
    return error instanceof Error && (isAnswer(error) ? BUSY.has(sqlState(error)) : !(error instanceof TypeError))
  }

  async close(): Promise<void> {
    await this.sql.end({ timeout: 1 }).catch(() => undefined)
  }
}

/** Somebody has dropped a table of ours: it is made again, and what goes on is as if it had been empty. */
export function isTableGone(error: unknown): boolean {
  return sqlState(error) === '42P01'
}

/** The server itself has said it. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'PostgresError'
}

/** The state that the server gives with an error. */
export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
