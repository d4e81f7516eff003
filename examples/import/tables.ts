/** The tables of a catalog, and the statements that write to them. A row's key is where it came from, so writing twice is writing once. */
import type { FileEntry } from './catalog.js'
import { type Database, isAway, messageOf } from './database.js'
import { quoteName } from './names.js'
import type { DeadLetter, Row } from './records.js'
import { type ColumnType, widest } from './schema.js'

const KEY = ['source_file', 'source_line']
const TYPE_NAMES: Readonly<Record<string, ColumnType>> = {
  boolean: 'boolean',
  bigint: 'bigint',
  'double precision': 'double precision',
  date: 'date',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  text: 'text',
}

/**
 * Makes the tables, or adds to those of an earlier run what the files have now: new columns, and wider types.
 * @returns why the tables of some files could not be made: a view has the name, say. The others can be written.
 */
export async function prepareTables(
  database: Database,
  files: readonly FileEntry[],
): Promise<ReadonlyMap<string, Error>> {
  await database.query(
    'create table if not exists dead_letters (file text, line bigint, reason text not null, raw text not null, primary key (file, line))',
  )
  const refusals = new Map<string, Error>()
  for (const entry of files.filter(({ nothing }) => nothing === undefined)) {
    try {
      await prepareTable(database, entry)
    } catch (error) {
      if (isAway(error)) throw error
      refusals.set(entry.file, new Error(`table ${entry.table}: ${messageOf(error)}`, { cause: error }))
    }
  }
  return refusals
}

async function prepareTable(database: Database, { table, columns }: FileEntry): Promise<void> {
  const name = quoteName(table)
  const declared = columns.map((column) => `, ${quoteName(column.name)} ${column.type}`).join('')
  await database.query(
    `create table if not exists ${name} (source_file text, source_line bigint${declared}, primary key (source_file, source_line))`,
  )
  const rows = await database.query<{ column_name: string; data_type: string }>(
    'select column_name, data_type from information_schema.columns where table_schema = current_schema() and table_name = $1',
    [table],
  )
  const known = new Map(rows.map((row) => [row.column_name, TYPE_NAMES[row.data_type]]))
  const changes = columns.flatMap((column) => {
    const quoted = quoteName(column.name)
    if (!known.has(column.name)) return [`add column ${quoted} ${column.type}`]
    const type = known.get(column.name)
    const wide = type === undefined ? undefined : widest(type, column.type)
    return wide === type ? [] : [`alter column ${quoted} type ${wide} using ${quoted}::${wide}`]
  })
  if (changes.length > 0) await database.query(`alter table ${name} ${changes.join(', ')}`)
}

/** Writes rows of one file. They were dead letters perhaps, in an earlier run. */
export async function writeRows(database: Database, entry: FileEntry, rows: readonly Row[]): Promise<void> {
  const names = [...KEY, ...entry.columns.map(({ name }) => name)]
  const objects = rows.map(({ file, line, values }) =>
    Object.fromEntries([file, line, ...values].map((value, i) => [names[i]!, value])),
  )
  const table = quoteName(entry.table)
  const columns = names.map(quoteName)
  await database.query(
    `with given as (select * from json_populate_recordset(${recordOf(table)}, $1::text::json)),
      revived as (delete from dead_letters using given where file = source_file and line = source_line)
    insert into ${table} (${columns.join()}) select ${columns.join()} from given
    on conflict (source_file, source_line) do update set ${updates(columns)}`,
    [JSON.stringify(objects)],
  )
}

/** Writes dead letters of one file. They were rows perhaps, in an earlier run. */
export async function writeLetters(
  database: Database,
  entry: FileEntry,
  letters: readonly DeadLetter[],
): Promise<void> {
  const objects = letters.map(({ file, line, reason, raw }) => ({
    file,
    line,
    reason: storable(reason),
    raw: storable(raw),
  }))
  const columns = ['file', 'line', 'reason', 'raw']
  await database.query(
    `with given as (select * from json_populate_recordset(${recordOf('dead_letters')}, $1::text::json)),
      buried as (delete from ${quoteName(entry.table)} using given where source_file = file and source_line = line)
    insert into dead_letters (${columns.join()}) select ${columns.join()} from given
    on conflict (file, line) do update set ${updates(columns)}`,
    [JSON.stringify(objects)],
  )
}

/** A null of a table's type. The type is not named: `null::"date"` would be the server's own, and not that of `date.csv`. */
function recordOf(table: string): string {
  return `(select "Record" from ${table} as "Record" limit 0)`
}

function updates(columns: readonly string[]): string {
  return columns.map((column) => `${column} = excluded.${column}`).join()
}

/** PostgreSQL keeps no NUL in text: it is shown as the picture of one. */
function storable(text: string): string {
  return text.replaceAll('\0', '␀')
}
