import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { parse } from 'csv-parse'
import { importDirectory, summarize } from 'millrace/import'
import type { Sql } from 'postgres'
import { type Absent, type Burst, type Contender, type Figure, type Suite, moved } from '../suite.ts'

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const ROWS = 300_000
const MANY_FILES = 200
const INSERTED_AT_ONCE = 500
const COPIED_AT_ONCE = 65_536
const run = promisify(execFile)

const COLUMNS =
  'id bigint, name text, amount numeric, day date, flag boolean, c6 bigint, c7 bigint, c8 text, c9 double precision, c10 text, c11 bigint, c12 text'
const NAMES = COLUMNS.split(', ').map((column) => column.split(' ')[0]!)

/** Rows of twelve columns into PostgreSQL, beside what one would use instead. */
export const importSuite: Suite = {
  name: 'import',
  title:
    'CSV of twelve columns into a PostgreSQL server on the same machine; the first import, and later ones of the same file',
  async open(scale) {
    const unit = 'records/s' as const
    const server = await connect()
    if (typeof server === 'string') {
      return { contenders: [{ name: 'millrace import', unit, absent: server }], ratios: {}, close: async () => {} }
    }
    const { sql, url } = server
    const rows = scale.records(ROWS)
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    const file = join(folder, 'one', 'one.csv')
    writeRows(folder, rows)
    const check = async (table: string): Promise<void> => {
      const [found] = await sql.unsafe(`select count(*)::int as count, sum(id)::float8 as sum from ${table}`)
      if (found!['count'] !== rows || found!['sum'] !== (rows * (rows - 1)) / 2)
        throw new Error(`${table} is not what the file holds`)
    }
    /** A table like a user would make it, empty. */
    const timed = async (before: string, act: () => Promise<unknown>, table: string): Promise<Burst> => {
      await sql.unsafe(before)
      const startedAt = performance.now()
      await act()
      const ms = performance.now() - startedAt
      await check(table)
      return moved(rows, ms)
    }
    const rivals: (Contender | Absent)[] = [
      isThere('psql', '--version')
        ? {
            name: 'psql \\copy',
            unit,
            burst: () =>
              timed(
                fresh('copied'),
                () => run('psql', [url, '-qc', `\\copy copied from '${file}' csv header`]),
                'copied',
              ),
          }
        : { name: 'psql \\copy', unit, absent: 'psql is not installed' },
      {
        name: `csv-parse, inserts of ${INSERTED_AT_ONCE}`,
        unit,
        burst: () => timed(fresh('inserted'), () => insertParsed(sql, file), 'inserted'),
      },
      {
        name: 'csv-parse, COPY, one thread',
        unit,
        burst: () => timed(fresh('streamed'), () => copyParsed(sql, file), 'streamed'),
      },
      isThere('python3', '-c', 'import psycopg')
        ? {
            name: "Python's csv, psycopg COPY",
            unit,
            burst: () => timed(fresh('pythoned'), () => run('python3', ['-c', PYTHON, url, file]), 'pythoned'),
          }
        : { name: "Python's csv, psycopg COPY", unit, absent: 'psycopg is not installed' },
    ]
    const imported = async (
      files: 'one' | 'many',
      { isFirst = false, reads = 'all', written }: { isFirst?: boolean; reads?: 'all' | 'changed'; written: number },
    ): Promise<Burst> => {
      if (isFirst)
        await sql.unsafe('drop schema if exists bench cascade; drop schema if exists millrace_imports cascade')
      const startedAt = performance.now()
      const kinds = [{ pattern: '*.csv', name: 'rows', table: 'rows' }]
      const result = await importDirectory({
        directory: join(folder, files),
        to: url,
        files: reads,
        declared: { source: 'bench', kinds },
      })
      const ms = performance.now() - startedAt
      const { failure, failed, inserted } = summarize(result)
      if (failure !== undefined || failed > 0) throw new Error(failure ?? 'files failed')
      if (inserted !== written) throw new Error(`${inserted} rows were written, and not ${written}`)
      await check('bench.rows')
      return moved(rows, ms)
    }
    return {
      // Turns are taken from both ends: each second import has its first before it, or the same rows of the round before.
      contenders: [
        ...rivals,
        {
          name: 'millrace import',
          unit,
          burst: async () => {
            const first = await imported('one', { isFirst: true, written: rows })
            const again = await imported('one', { written: 0 })
            const unchanged = await imported('one', { reads: 'changed', written: 0 })
            renameOne(file)
            const changed = await imported('one', { written: 1 })
            renameOne(file)
            return {
              ...first,
              also: { 'read again': rateOf(again), unchanged: rateOf(unchanged), 'one row changed': rateOf(changed) },
            }
          },
        },
        {
          name: `millrace import, ${MANY_FILES} files`,
          unit,
          burst: () => imported('many', { isFirst: true, written: rows }),
        },
      ],
      ratios: {
        'psql by import': ['psql \\copy', 'millrace import'],
        'psql by import, read again': ['psql \\copy', 'millrace import, read again'],
        'psql by import, unchanged': ['psql \\copy', 'millrace import, unchanged'],
        'import by inserts': ['millrace import', `csv-parse, inserts of ${INSERTED_AT_ONCE}`],
        'import by one thread': ['millrace import', 'csv-parse, COPY, one thread'],
        'import by python': ['millrace import', "Python's csv, psycopg COPY"],
        [`one file by ${MANY_FILES}`]: ['millrace import', `millrace import, ${MANY_FILES} files`],
      },
      close: async () => {
        await sql.end()
        await dropDatabase(url)
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}

const rateOf = ({ msPerRecord }: Burst): Figure => ({ value: 1000 / msPerRecord, unit: 'records/s' })

const fresh = (table: string): string => `drop table if exists ${table}; create table ${table} (${COLUMNS})`

const line = (i: number): string =>
  `${i},name ${i},${(i / 7).toFixed(2)},2024-01-${String((i % 28) + 1).padStart(2, '0')},${i % 2 === 0},${i * 3},${i % 100},abc,${i % 7}.5,xx${i},${i},zz\n`

function writeRows(folder: string, rows: number): void {
  const header = `${NAMES.join()}\n`
  const lines = Array.from({ length: rows }, (_, i) => line(i))
  mkdirSync(join(folder, 'one'))
  mkdirSync(join(folder, 'many'))
  writeFileSync(join(folder, 'one', 'one.csv'), header + lines.join(''))
  const each = Math.ceil(rows / MANY_FILES)
  for (let from = 0; from < rows; from += each)
    writeFileSync(join(folder, 'many', `part${from}.csv`), header + lines.slice(from, from + each).join(''))
}

/** The first row has another name, and then its own again. */
function renameOne(file: string): void {
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.includes('name 0,') ? text.replace('name 0,', 'NAME 0,') : text.replace('NAME 0,', 'name 0,'),
  )
}

async function insertParsed(sql: Sql, file: string): Promise<void> {
  let batch: Record<string, string>[] = []
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await sql`insert into inserted ${sql(batch as never, ...(NAMES as never[]))}`
    batch = []
  }
  for await (const row of createReadStream(file).pipe(parse({ columns: true })) as AsyncIterable<
    Record<string, string>
  >) {
    batch.push(row)
    if (batch.length === INSERTED_AT_ONCE) await flush()
  }
  await flush()
}

/** The straight way: a row at a time, from the parser into COPY. */
async function copyParsed(sql: Sql, file: string): Promise<void> {
  const copy = await sql`copy streamed from stdin`.writable()
  const rows = createReadStream(file).pipe(parse({ from_line: 2 })) as AsyncIterable<string[]>
  const special: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
  let lines = ''
  for await (const row of rows) {
    lines += `${row.map((cell) => (cell === '' ? '\\N' : cell.replace(/[\\\t\n\r]/g, (one) => special[one]!))).join('\t')}\n`
    if (lines.length < COPIED_AT_ONCE) continue
    if (!copy.write(lines)) await once(copy, 'drain')
    lines = ''
  }
  copy.end(lines)
  await finished(copy)
}

const PYTHON = `
import csv, sys, psycopg
with psycopg.connect(sys.argv[1]) as connection, connection.cursor() as cursor, open(sys.argv[2], newline='') as file:
    rows = csv.reader(file)
    next(rows)
    with cursor.copy('copy pythoned from stdin') as copy:
        for row in rows:
            copy.write_row(row)
`

function isThere(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A database of its own on the server, or why there is none. */
async function connect(): Promise<{ sql: Sql; url: string } | string> {
  try {
    const { default: postgres } = await import('postgres')
    const admin = postgres(SERVER, { max: 1, connect_timeout: 3 })
    const name = `millrace_bench_${process.pid}`
    await admin.unsafe(`create database ${name}`)
    await admin.end()
    const url = new URL(SERVER)
    url.pathname = `/${name}`
    return { sql: postgres(url.href, { max: 1, onnotice: () => undefined }), url: url.href }
  } catch (error) {
    return `no PostgreSQL server (TEST_DATABASE_URL names one): ${(error as Error).message}`
  }
}

async function dropDatabase(url: string): Promise<void> {
  const { default: postgres } = await import('postgres')
  const admin = postgres(SERVER, { max: 1 })
  await admin.unsafe(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
  await admin.end()
}
