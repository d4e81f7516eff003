import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Database } from '#src/import/database.js'
import { openDatabase } from '#src/import/database.js'
import { messageOf } from '#src/import/problem.js'
import { type ImportOptions, type Summary, importDirectory, summarize } from 'millrace/import'

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
/** The 23 files of the package vega-datasets. */
export const VEGA = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data')

export type Files = Readonly<Record<string, string | Uint8Array>>

/** A folder that is removed when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder of this name with these files. */
export function folderOf(files: Files, name = 'csv'): string {
  const folder = join(temporaryFolder(), name)
  put(folder, files)
  return folder
}

/** Writes files over those that are there. */
export function put(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of stdout, where that is JSON. */
  readonly summary: Summary
}

/** Runs the command as a user does, in a working directory. */
export function importByCommand(
  args: readonly string[],
  { cwd, onStart }: { cwd: string; onStart?: (child: ChildProcess) => void },
): Promise<Ended> {
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, [CLI, 'import', ...args], { cwd, env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  onStart?.(child)
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? ''
      const summary = (last.startsWith('{') ? JSON.parse(last) : {}) as Summary
      resolve({ code, stdout, stderr, summary })
    })
  })
}

/** Imports in this process, unchanged files too. One connection and one file after the other, unless `options` say more. */
export async function importHere(options: ImportOptions): Promise<Summary> {
  return summarize(await importDirectory({ connections: 1, files: 'all', ...options }))
}

/** What a summary says of one file. */
export function resultOf(summary: Summary, path: string): Summary['results'][number] {
  return summary.results.find((each) => each.path === path)!
}

export async function withDatabase<T>(
  url: string | undefined,
  directory: string,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(url, directory)
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

/** Rows of a query, each as the texts of its values. */
export function rowsAt(url: string, query: string): Promise<(string | null)[][]> {
  return withDatabase(url, '', async (database) => {
    const rows = await database.query<{ row: Record<string, string | null> }>(
      `select (select json_object_agg(key, value) from json_each_text(to_json(q))) as row from (${query}) q`,
    )
    return rows.map(({ row }) => Object.values(row))
  })
}

/** Every table of a schema: its columns, how many rows, and a digest of all of them. */
export async function tablesOf(database: Database, schema: string): Promise<Record<string, string>> {
  const tables = await database.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = $1 order by 1',
    [schema],
  )
  const digests: Record<string, string> = {}
  for (const { name } of tables) {
    const rows = await database.query<{ row: string }>(
      `select (to_jsonb(t) - '_file')::text as row from "${schema}"."${name}" t order by 1`,
    )
    const digest = createHash('sha256')
    for (const { row } of rows) digest.update(row).update('\n')
    digests[name] = `${rows.length} rows, ${digest.digest('hex')}`
  }
  return digests
}

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

/** A PostgreSQL server for tests, or why there is none. */
export async function findServer(): Promise<{ url: string } | { skip: string }> {
  try {
    const { default: postgres } = await import('postgres')
    const sql = postgres(SERVER, { max: 1, connect_timeout: 3, fetch_types: false })
    try {
      await sql`select 1`
    } finally {
      await sql.end()
    }
    return { url: SERVER }
  } catch (error) {
    return { skip: `no PostgreSQL server for tests (TEST_DATABASE_URL names another one): ${messageOf(error)}` }
  }
}

/** A new database for the tests of a file; without a server, why they are skipped. */
export async function databaseOnServer(): Promise<{ readonly onServer: { skip?: string }; readonly to: string }> {
  const server = await findServer()
  return 'skip' in server ? { onServer: server, to: '' } : { onServer: {}, to: await newDatabase(server.url) }
}

/** A new database on the test server; dropped when the tests of the file are over. */
export async function newDatabase(server: string): Promise<string> {
  const name = `millrace_import_${randomUUID().replaceAll('-', '')}`
  await withDatabase(server, '', (database) => database.execute(`create database ${name}`))
  after(() => withDatabase(server, '', (database) => database.execute(`drop database ${name} with (force)`)))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
