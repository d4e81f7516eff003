import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Pipeline } from 'millrace'
import { type Database, messageOf, openDatabase } from '../../examples/import/database.js'
import { type ImportOptions, type ImportResult, importDirectory } from '../../examples/import/import-directory.js'
import type { Summary } from '../../examples/import/summary.js'

const MAIN = fileURLToPath(new URL('../../examples/import/main.js', import.meta.url))
/** The 23 files of the package vega-datasets. */
export const VEGA = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data')

/** A folder that is removed when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-import-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder with these files. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(temporaryFolder(), 'csv')
  mkdirSync(folder)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
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
  { cwd, url, onStart }: { cwd: string; url?: string; onStart?: (child: ChildProcess) => void },
): Promise<Ended> {
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: url === undefined ? env : { ...env, DATABASE_URL: url },
  })
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

/** Runs the import in this process, into the server at `url` or an embedded database. */
export async function importHere(options: ImportOptions, url?: string): Promise<ImportResult> {
  if (url === undefined) delete process.env['DATABASE_URL']
  else process.env['DATABASE_URL'] = url
  try {
    return await importDirectory(options)
  } finally {
    delete process.env['DATABASE_URL']
  }
}

/** Every table of a database: how many rows, and a digest of all of them. */
export async function tablesOf(database: Database): Promise<Record<string, string>> {
  const tables = await database.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = current_schema() order by 1',
  )
  const digests: Record<string, string> = {}
  for (const { name } of tables) {
    const rows = await database.query<{ row: string }>(`select t::text as row from "${name}" t order by 1`)
    const digest = createHash('sha256')
    for (const { row } of rows) digest.update(row).update('\n')
    digests[name] = `${rows.length} rows, ${digest.digest('hex')}`
  }
  return digests
}

export async function embeddedTables(dataDirectory: string): Promise<Record<string, string>> {
  return withDatabase(undefined, dataDirectory, tablesOf)
}

export async function withDatabase<T>(
  url: string | undefined,
  dataDirectory: string,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(url, join(dataDirectory, 'database'))
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

// Made here, outside of any test, so that it outlives the first test that needs it.
const emptyFolder = temporaryFolder()
let emptyDatabase: Promise<string> | undefined

/** A working directory whose embedded database is made already: making one takes seconds, copying it does not. */
export async function workingDirectory(): Promise<string> {
  emptyDatabase ??= makeEmptyDatabase()
  const cwd = temporaryFolder()
  cpSync(await emptyDatabase, join(dataOf(cwd), 'database'), { recursive: true })
  return cwd
}

async function makeEmptyDatabase(): Promise<string> {
  await withDatabase(undefined, emptyFolder, () => Promise.resolve())
  return join(emptyFolder, 'database')
}

/** Where the command keeps its data. */
export function dataOf(cwd: string): string {
  return join(cwd, '.millrace', 'import')
}

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

/** A new database on the test server; dropped when the tests of the file are over. */
export async function newDatabase(server: string): Promise<string> {
  const name = `millrace_import_${randomUUID().replaceAll('-', '')}`
  await withDatabase(server, '', (database) => database.query(`create database ${name}`))
  after(() => withDatabase(server, '', (database) => database.query(`drop database ${name} with (force)`)))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Ends a worker of every stage, one after the other, while rows flow. */
export function killEachStageOnce(pipeline: Pipeline): void {
  const stages = ['postgres', 'parse', 'convert', 'files', 'postgres']
  const timer = setInterval(() => {
    const { postgres } = pipeline.snapshot().nodes
    const isDue = postgres!.done > 8_000 * (6 - stages.length)
    if (pipeline.state === 'ended' || stages.length === 0) return clearInterval(timer)
    if (isDue) void pipeline.restartWorker(stages.shift()!, 0)
  }, 5)
}
