/** One way to ask two databases: a PostgreSQL server, or PGlite in this very thread. One connection each. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { type Socket, connect } from 'node:net'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PGlite as EmbeddedPostgres } from '@electric-sql/pglite'
import type Postgres from 'postgres'
import type { Sql } from 'postgres'
import { ImportProblem, messageOf } from './problem.ts'

export interface Database {
  query<T = unknown>(text: string, parameters?: readonly unknown[]): Promise<T[]>
  /** Statements without parameters, one after the other. */
  execute(text: string): Promise<void>
  /** One statement without parameters. @returns the rows that it wrote */
  change(text: string): Promise<number>
  /** Runs a `copy … from stdin`, in its text format. */
  copy(table: string, bytes: Uint8Array): Promise<void>
  /**
   * All that `act` asks is done, or none of it: never a part on another connection.
   * @param first statements that begin it, without parameters
   */
  transaction<T>(act: () => Promise<T>, first?: string): Promise<T>
  close(): Promise<void>
}

const CONNECT_ATTEMPTS = 6
const FIRST_PAUSE_MS = 200
const CONNECT_TIMEOUT_MS = 10_000

/** A server that is told nothing of a broken connection finds out within about two minutes, and lets go of its locks. */
const KEEPALIVE = { tcp_keepalives_idle: 60, tcp_keepalives_interval: 10, tcp_keepalives_count: 6 }

interface DatabaseOptions {
  /** Longest time that the server may take for one statement; 0 for any. Default: as the server has it. */
  readonly statementTimeoutMs?: number | undefined
  /** Called when a connection ends, broken or closed. The next question opens another one. */
  readonly onClose?: () => void
}

/** Opens the server at `url`, or without one the embedded database in `directory`. Tries again while the server is away. */
export async function openDatabase(
  url: string | undefined,
  directory: string,
  options: DatabaseOptions = {},
): Promise<Database> {
  return url === undefined ? openEmbedded(directory) : openServer(url, options)
}

async function openServer(url: string, options: DatabaseOptions): Promise<Database> {
  const database = new Server(url, options)
  for (let attempt = 1; ; attempt++) {
    try {
      await database.query('select 1')
      return database
    } catch (error) {
      if (attempt === CONNECT_ATTEMPTS || !isAway(error)) {
        await database.close()
        const reason = `The database at ${addressOf(url)} cannot be used: ${messageOf(error)}`
        throw new ImportProblem(reason, { cause: error })
      }
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

/** A server. Each connection is a client of its own: what waits for an answer when one breaks is refused. */
class Server implements Database {
  readonly #url: string
  readonly #options: DatabaseOptions
  #connection: Connection | undefined
  /** One at a time: a connection that nobody knew of would keep what its session has locked. */
  #opening: Promise<Connection> | undefined
  #isClosed = false
  /** The connection that a transaction is on. */
  #held: Connection | undefined

  constructor(url: string, options: DatabaseOptions) {
    this.#url = url
    this.#options = options
  }

  async #current(): Promise<Connection> {
    if (this.#held !== undefined) return this.#held
    if (this.#connection?.isClosed === false) return this.#connection
    if (this.#isClosed) throw new ConnectionClosed('The database was closed.')
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async #open(): Promise<Connection> {
    this.#connection = await Connection.open(this.#url, this.#options)
    return this.#connection
  }

  async query<T>(text: string, parameters: readonly unknown[] = []): Promise<T[]> {
    return (await this.#current()).query<T>(text, parameters)
  }

  async execute(text: string): Promise<void> {
    await (await this.#current()).query(text, [])
  }

  async change(text: string): Promise<number> {
    return (await this.#current()).change(text)
  }

  async copy(table: string, bytes: Uint8Array): Promise<void> {
    await (await this.#current()).copy(`copy ${table} from stdin`, bytes)
  }

  async transaction<T>(act: () => Promise<T>, first = ''): Promise<T> {
    const connection = await this.#current()
    this.#held = connection
    try {
      await connection.query(`begin; ${first}`, [])
      const result = await act()
      await connection.query('commit', [])
      return result
    } catch (error) {
      // A connection that cannot even do this is given up.
      await connection.query('rollback', []).catch(() => connection.close())
      throw error
    } finally {
      this.#held = undefined
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => undefined)
    await this.#connection?.close()
  }
}

class Connection {
  isClosed = false
  readonly #sql: Sql
  /** The client forgets what comes between the error of its connection and its end: nobody else would answer it. */
  readonly #open = new Set<(error: ConnectionClosed) => void>()

  private constructor(make: (onClose: () => void) => Sql) {
    this.#sql = make(() => {
      this.isClosed = true
      for (const refuse of this.#open) refuse(new ConnectionClosed('The connection was closed.'))
      void this.#sql.end({ timeout: 0 }).catch(() => undefined)
    })
  }

  static async open(url: string, { statementTimeoutMs, onClose }: DatabaseOptions): Promise<Connection> {
    const postgres = await postgresClient()
    const connection = new Connection((forget) =>
      postgres(url, {
        max: 1,
        connect_timeout: 10,
        backoff: () => 0,
        socket: connectOnce(),
        fetch_types: false,
        idle_timeout: 0,
        max_lifetime: null,
        connection: { application_name: 'millrace import', TimeZone: 'UTC', DateStyle: 'ISO, YMD', ...KEEPALIVE },
        onnotice: () => undefined,
        onclose: () => {
          forget()
          onClose?.()
        },
        // Its types leave `socket` out.
      } as Parameters<typeof postgres>[1]),
    )
    // What ends a run is flushed, and with it all before it.
    const limit = statementTimeoutMs === undefined ? '' : `; set statement_timeout = ${statementTimeoutMs}`
    try {
      await connection.query(`set synchronous_commit = off${limit}`, [])
      return connection
    } catch (error) {
      await connection.close().catch(() => undefined)
      throw error
    }
  }

  query<T>(text: string, parameters: readonly unknown[]): Promise<T[]> {
    return this.#asked(async () => {
      const rows = await this.#sql.unsafe(text, [...parameters] as never[], { prepare: parameters.length > 0 })
      return [...rows] as T[]
    })
  }

  change(text: string): Promise<number> {
    return this.#asked(async () => (await this.#sql.unsafe(text)).count)
  }

  copy(text: string, bytes: Uint8Array): Promise<void> {
    return this.#asked(() => {
      const query = this.#sql.unsafe(text)
      // What the server refuses behind the last byte, the client tells the query alone: its stream would wait for ever.
      const refusable = query as unknown as { reject: (error: unknown) => void }
      const { reject: refuse } = refusable
      const refused = new Promise<never>((_, reject) => {
        refusable.reject = (error) => {
          refuse(error)
          reject(error)
        }
      })
      return Promise.race([refused, sendTo(query.writable(), bytes)])
    })
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.#sql.end({ timeout: 5 })
  }

  #asked<T>(ask: () => Promise<T>): Promise<T> {
    if (this.isClosed) return Promise.reject(new ConnectionClosed('The connection was closed.'))
    return new Promise<T>((resolve, reject) => {
      this.#open.add(reject)
      ask()
        .then(resolve, reject)
        .finally(() => this.#open.delete(reject))
    })
  }
}

async function sendTo(opening: Promise<Writable>, bytes: Uint8Array): Promise<void> {
  const stream = await opening
  stream.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  await finished(stream)
}

async function postgresClient(): Promise<typeof Postgres> {
  try {
    return (await import('postgres')).default
  } catch (error) {
    throw new ImportProblem('A server needs the package postgres: npm install postgres', { cause: error })
  }
}

async function openEmbedded(directory: string): Promise<Database> {
  let PGlite: typeof EmbeddedPostgres
  try {
    PGlite = (await import('@electric-sql/pglite')).PGlite
  } catch (error) {
    const reason = 'The embedded database needs the package @electric-sql/pglite: npm install @electric-sql/pglite'
    throw new ImportProblem(reason, { cause: error })
  }
  if (!existsSync(directory)) {
    // A database that was interrupted while it was made could not be opened again: it is made beside its place.
    const unfinished = `${directory}.unfinished`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(dirname(directory), { recursive: true })
    await (await makeEmbedded(PGlite, unfinished)).close()
    renameSync(unfinished, directory)
  }
  const embedded = await PGlite.create(directory)
  await embedded.exec(`set timezone = 'UTC'; set datestyle = 'ISO, YMD'`)
  const database: Database = {
    query: async <T>(text: string, parameters: readonly unknown[] = []) =>
      (await embedded.query<T>(text, [...parameters])).rows,
    execute: async (text) => void (await embedded.exec(text)),
    change: async (text) => (await embedded.query(text)).affectedRows ?? 0,
    copy: async (table, bytes) =>
      void (await embedded.query(`copy ${table} from '/dev/blob'`, [], {
        blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
      })),
    transaction: async (act, first = '') => {
      await embedded.exec('begin')
      try {
        if (first !== '') await embedded.exec(first)
        const result = await act()
        await embedded.exec('commit')
        return result
      } catch (error) {
        await embedded.exec('rollback')
        throw error
      }
    },
    close: () => embedded.close(),
  }
  return database
}

/** A package of the makers of PGlite with what `initdb` makes. It need not be there. */
const PREPARED: string = '@electric-sql/pglite-prepopulatedfs'

/** What is prepared is unpacked: to make it takes several times as long, and twice the memory. */
async function makeEmbedded(PGlite: typeof EmbeddedPostgres, directory: string): Promise<EmbeddedPostgres> {
  let loadDataDir: Blob
  try {
    const prepared = (await import(PREPARED)) as { dataDir(): Promise<Blob> }
    loadDataDir = await prepared.dataDir()
  } catch {
    return PGlite.create(directory)
  }
  try {
    return await PGlite.create(directory, { loadDataDir })
  } catch {
    // Another version of PostgreSQL.
    rmSync(directory, { recursive: true, force: true })
    return PGlite.create(directory)
  }
}

/**
 * Makes the socket of a client, and no second one: the client would go on with what it was asked on another connection, and
 * whoever was in a transaction would not learn of it.
 */
function connectOnce(): (options: {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string | false
}) => Promise<Socket> {
  let isUsed = false
  return async ({ host, port, path }) => {
    if (isUsed) throw new ConnectionClosed('The connection was closed.')
    isUsed = true
    if (typeof path === 'string') return connected(connect(path))
    for (const [i, name] of host.entries()) {
      try {
        // Else the end of a COPY waits for the server's delayed answer to what came before it: 40 ms each.
        const socket = await connected(connect({ port: port[i]!, host: name, noDelay: true }))
        // The client looks here for the name that a certificate must have.
        return Object.assign(socket, { host: name, port: port[i] })
      } catch (error) {
        if (i === host.length - 1) throw error
      }
    }
    throw new ConnectionClosed('No host was named.')
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const late = Object.assign(new Error('The server does not answer.'), { code: 'ETIMEDOUT' })
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(late))
    socket.once('error', reject).once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed'
  readonly code = 'CONNECTION_CLOSED'
}

const AWAY_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EAI_AGAIN',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
])
/** Classes of SQLSTATE that say nothing about the data: connection, resources, operator intervention, system. */
const AWAY_CLASSES = new Set(['08', '53', '57', '58'])

/** Whether the database could not be reached, or could not work just now: another attempt is worth it. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error)
  // 57014: a statement that was cancelled, by its time limit say.
  return AWAY_CODES.has(code) || (code.length === 5 && AWAY_CLASSES.has(code.slice(0, 2)) && code !== '57014')
}

/** Whether others were in the way: a deadlock, a conflict of transactions. */
export function isConflict(error: unknown): boolean {
  return codeOf(error).startsWith('40')
}

/** Classes of SQLSTATE by which a row is refused: its data, a constraint, a check of a view, a limit, what a trigger raises. */
const ROW_CLASSES = ['22', '23', '44', '54', 'P0']
/** A condition of PL/pgSQL for the same. */
export const IS_ROWS_FAULT = `left(sqlstate, 2) in (${ROW_CLASSES.map((each) => `'${each}'`).join(', ')})`

/** Whether the database refuses what is in a row, and may take the others. */
export function isRowsFault(error: unknown): boolean {
  const code = codeOf(error)
  return code.length === 5 && ROW_CLASSES.includes(code.slice(0, 2))
}

/** SQLSTATE, or what Node and the client call it. */
export function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** Host and database without the password. */
export function addressOf(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `${host}${pathname}`
  } catch {
    return 'the address that was given'
  }
}
