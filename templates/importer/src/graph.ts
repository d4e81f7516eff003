import { createReadStream, readdirSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { dataflow, type Failure } from 'millrace'
import postgres from 'postgres'

/** What differs from run to run. */
export interface Params {
  /** Where the CSV files lie, compressed (`.csv.gz`) or not (`.csv`), with a header. */
  readonly folder: string
  /** Rows that are refused go there, with their errors. */
  readonly refused: string
  readonly database: string
}

type Cells = Readonly<Record<string, string>>

/** A row of the table: replace it, `rowOf` and the two statements by yours. */
export interface Row {
  readonly id: number
  readonly name: string
  readonly day: string
  readonly amount: number
}

export function rowOf({ id = '', name = '', day = '', amount = '' }: Cells): Row {
  if (!/^\d+$/.test(id)) throw new Error(`The id is no number: "${id}"`)
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw new Error(`The day of ${id} is none: "${day}"`)
  if (amount === '' || !Number.isFinite(Number(amount)))
    throw new Error(`The amount of ${id} is no number: "${amount}"`)
  return { id: Number(id), name, day, amount: Number(amount) }
}

/** A file of which a part is in the database already may be read again: a row takes the place of the one with its id. */
async function save(rows: readonly Row[], sql: postgres.Sql): Promise<void> {
  const last = [...new Map(rows.map((row) => [row.id, row])).values()]
  await sql`INSERT INTO imported ${sql(last, 'id', 'name', 'day', 'amount')}
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, day = excluded.day, amount = excluded.amount`
}

function cellsOf(file: string, { params }: { readonly params: Params }): AsyncIterable<Cells> {
  const bytes = createReadStream(join(params.folder, file))
  const texts = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  return texts.pipe(parse({ columns: true, bom: true, relax_column_count: true })) as AsyncIterable<Cells>
}

async function open({ params }: { readonly params: Params }): Promise<postgres.Sql> {
  const sql = postgres(params.database, { max: 1, onnotice: () => undefined })
  await sql`CREATE TABLE IF NOT EXISTS imported (id bigint PRIMARY KEY, name text, day date, amount numeric)`
  return sql
}

/** Reads CSV files on two cores, checks each row, and writes batches into PostgreSQL. */
export default dataflow<Params>('NAME', import.meta.url)
  .source('files', {
    chunk: 1,
    produce: ({ params }) =>
      readdirSync(params.folder)
        .filter((file) => /\.csv(\.gz)?$/.test(file))
        .sort(),
  })
  .transform('read', { concurrency: 2, flatMap: cellsOf })
  .transform('check', { map: rowOf })
  .sink('save', {
    setup: open,
    batch: { size: 1_000, timeoutMs: 200 },
    retry: { maxAttempts: 5 },
    write: (rows: Row[], { state }) => save(rows, state),
    teardown: (sql) => sql.end(),
  })
  .sink('refused', {
    batch: { size: 100, timeoutMs: 200 },
    write: (failures: Failure[], { params }) =>
      appendFile(
        params.refused,
        failures.map(({ input, error }) => `${JSON.stringify({ input, error: error.message })}\n`).join(''),
      ),
  })
  .connect('files', 'read', { dataType: 'file' })
  .connect('read', 'check', { dataType: 'cells' })
  .connect('check', 'save', { dataType: 'row' })
  .connect('check', 'refused', { pathType: 'dead_letter' })
