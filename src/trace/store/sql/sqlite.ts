import { MillraceError } from '../../../errors.ts'

/** What `node:sqlite` and better-sqlite3 have in common. */
export interface Sqlite {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
  function(name: string, options: { deterministic: boolean }, call: (...values: never[]) => unknown): void
}

export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): { readonly lastInsertRowid: number | bigint }
  all(...values: readonly SqliteValue[]): unknown[]
}

export type SqliteValue = string | number | bigint | null | Uint8Array

type Open = new (path: string) => Sqlite

/** Opens a file with `node:sqlite` (from Node 22.5 on), else with better-sqlite3. @throws TRACE_STORE_NOT_INSTALLED */
export async function openSqlite(path: string, find: () => Promise<Open> = findSqlite): Promise<Sqlite> {
  let Database: Open
  try {
    Database = await find()
  } catch (cause) {
    throw new MillraceError('TRACE_STORE_NOT_INSTALLED', { store: 'sqlite', package: 'better-sqlite3@12' }, { cause })
  }
  return new Database(path)
}

async function findSqlite(): Promise<Open> {
  const builtIn = process.getBuiltinModule('node:sqlite') as { readonly DatabaseSync: Open } | undefined
  if (builtIn !== undefined) return builtIn.DatabaseSync
  // The package is optional, and has no types of its own.
  const name = 'better-sqlite3'
  return ((await import(name)) as { default: Open }).default
}
