/** One way to ask two databases: a PostgreSQL server, or PGlite in this very thread. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Database {
  query<T = unknown>(text: string, parameters?: readonly unknown[]): Promise<T[]>
  close(): Promise<void>
}

const CONNECT_ATTEMPTS = 6
const FIRST_PAUSE_MS = 200

/** Opens the server at `url`, or without one the embedded database in `directory`. Tries again while the server is away. */
export async function openDatabase(url: string | undefined, directory: string): Promise<Database> {
  return url === undefined ? openEmbedded(directory) : openServer(url)
}

async function openServer(url: string): Promise<Database> {
  const { default: postgres } = await import('postgres')
  // The graph's retry is the only one that waits: the client's own pauses grow to 20 s, for each call anew.
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 10,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
    onclose: () => open.forEach((refuse) => refuse(new ConnectionClosed('The connection was closed.'))),
  })
  // The client forgets a query that comes between the error of its connection and its end: nobody else would answer it.
  const open = new Set<(error: ConnectionClosed) => void>()
  const database: Database = {
    query: <T>(text: string, parameters: readonly unknown[] = []) =>
      new Promise<T[]>((resolve, reject) => {
        open.add(reject)
        sql
          .unsafe(text, [...parameters] as never[], { prepare: parameters.length > 0 })
          .then((rows) => resolve([...rows] as T[]), reject)
          .finally(() => open.delete(reject))
      }),
    close: () => sql.end({ timeout: 5 }),
  }
  for (let attempt = 1; ; attempt++) {
    try {
      await database.query('select 1')
      return database
    } catch (error) {
      if (attempt === CONNECT_ATTEMPTS || !isAway(error)) {
        await database.close()
        throw new Error(`The database at ${addressOf(url)} cannot be used: ${messageOf(error)}`, { cause: error })
      }
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

async function openEmbedded(directory: string): Promise<Database> {
  const { PGlite } = await import('@electric-sql/pglite')
  if (!existsSync(directory)) {
    // A database that was interrupted while it was made could not be opened again: it is made beside its place.
    const unfinished = `${directory}.unfinished`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(dirname(directory), { recursive: true })
    await (await PGlite.create(unfinished)).close()
    renameSync(unfinished, directory)
  }
  const embedded = await PGlite.create(directory)
  return {
    query: async <T>(text: string, parameters: readonly unknown[] = []) =>
      (await embedded.query<T>(text, [...parameters])).rows,
    close: () => embedded.close(),
  }
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
/** Classes of SQLSTATE that say nothing about the data: connection, resources, operator intervention, transaction conflicts. */
const AWAY_CLASSES = new Set(['08', '53', '57', '40'])

/** Whether the database could not be reached, or could not work just now: another attempt is worth it. */
export function isAway(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && (AWAY_CODES.has(code) || (code.length === 5 && AWAY_CLASSES.has(code.slice(0, 2))))
}

export function messageOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return message !== undefined && message !== '' ? message : (code ?? String(error))
}

/** Host and database without the password. */
export function addressOf(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `${host}${pathname}`
  } catch {
    return 'DATABASE_URL'
  }
}
