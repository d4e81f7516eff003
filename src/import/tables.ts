/** Tables of kinds, and how the rows of a file become theirs. A table that the import did not make is never touched. */
import { valueSql, widenSql } from './column-types.ts'
import { type ColumnPlan, type FileColumn, planColumns } from './columns.ts'
import type { Database } from './database.ts'
import type { Mode } from './declared.ts'
import type { Evidence } from './evidence.ts'
import { type ColumnRow, type FileState, enterColumns } from './books.ts'
import { BOOKS } from './books-tables.ts'
import { quoteName, quoteText } from './names.ts'
import { ImportProblem } from './problem.ts'
import { insertApart } from './refused.ts'
import { type Head, type Letter, MAX_STAGED_COLUMNS, type SchemaChange } from './records.ts'

/** Rows of a file, all of them, as text in a table of their own. */
export interface Staged {
  readonly table: string
  readonly head: Head
  readonly evidence: Evidence
  readonly rows: number
  /** The same for the same rows. */
  readonly digest: string
  /** Some of its rows were refused when they were written all at once. */
  readonly hasRefused: boolean
}

export interface Applied {
  readonly table: string
  /** For SQL. */
  readonly quoted: string
  readonly inserted: number
  readonly deleted: number
  /** Rows that are none of the table's after all. */
  readonly letters: readonly Letter[]
  /** Names of the columns that the file has. */
  readonly columns: readonly string[]
  readonly changes: readonly SchemaChange[]
  readonly remarks: readonly string[]
}

export interface Destination {
  readonly schema: string
  readonly kind: number
  readonly file: number
  readonly state: FileState
  readonly mode: Mode
  /** Titles of the columns that tell rows apart. */
  readonly key: readonly string[]
}

/** The columns of a staging table. */
export function stageColumns(width: number): string {
  if (width > MAX_STAGED_COLUMNS) return 'line bigint, cells text[]'
  return ['line bigint', ...Array.from({ length: width }, (_, i) => `c${i + 1} text`)].join(', ')
}

/** Brings the rows of a file into the table of its kind, within a transaction: others see all of it, or nothing. */
export async function applyFile(database: Database, to: Destination, staged: Staged): Promise<Applied> {
  const { schema, kind, state, mode } = to
  const table = `${quoteName(schema)}.${quoteName(state.table)}`
  const shownTable = `${schema}.${state.table}`
  const { isThere } = state
  if (isThere && !(state.isMade && ['_file', '_line'].every((name) => state.inTable.includes(name)))) {
    throw new ImportProblem(`${shownTable} is there, and was not made by an import; declare another table`)
  }
  const known = isThere ? state.columns : []
  const plan = planColumns(shownTable, known, state.inTable, staged.head, staged.evidence)
  if (isThere) await alterTable(database, table, known, plan)
  else await makeTable(database, to, table, plan)
  await enterColumns(database, kind, [...plan.added, ...plan.widened.map(({ column }) => column)])
  if (state.lacksIndex) await database.execute(`create index ${quoteName(`file_${kind}`)} on ${table} (_file)`)
  const all = [...known, ...plan.added]
  const { inserted, deleted, letters } = await write(database, to, table, all, plan.columns, staged)
  const { formerTable } = state
  const left = formerTable === null ? 0 : await database.change(`delete from ${formerTable} where _file = ${to.file}`)
  const gone = mode === 'replace' ? await dropColumns(database, to, table, shownTable, known, plan.columns) : []
  return {
    table: shownTable,
    quoted: table,
    inserted,
    deleted,
    letters,
    columns: plan.columns.map(({ column }) => column.name),
    changes: [...(isThere ? plan.changes : []), ...gone],
    remarks: left === 0 ? plan.remarks : [...plan.remarks, `${left} rows went from ${formerTable} to ${shownTable}`],
  }
}

/** A table that was there once, and is not any more, begins anew. */
async function makeTable(
  database: Database,
  { kind, state }: Destination,
  table: string,
  plan: ColumnPlan,
): Promise<void> {
  const columns = plan.added.filter(({ isRest }) => !isRest).map(columnSql)
  const rest = plan.added.some(({ isRest }) => isRest) ? ['_rest jsonb'] : []
  const all = ['_file integer not null', '_line bigint not null', ...columns, ...rest]
  await database.execute(
    [
      `create table ${table} (${all.join(', ')})`,
      ...(state.isMade
        ? [
            `delete from ${BOOKS}.columns where kind = ${kind}`,
            `update ${BOOKS}.files set rows = 0, digest = null, columns = '[]' where kind = ${kind}`,
          ]
        : [`update ${BOOKS}.kinds set is_made = true where id = ${kind}`]),
    ].join('; '),
  )
}

async function alterTable(
  database: Database,
  table: string,
  known: readonly ColumnRow[],
  { added, widened }: ColumnPlan,
): Promise<void> {
  const changes = added.filter(({ isRest }) => !isRest).map((column) => `add column ${columnSql(column)}`)
  if (added.some(({ isRest }) => isRest) && !known.some(({ isRest }) => isRest)) changes.push('add column _rest jsonb')
  for (const { column, before } of widened) {
    const name = quoteName(column.name)
    const to = column.type ?? 'text'
    if (to === (before ?? 'text')) continue
    const value = before === null ? `nullif(${name}, '')::${to}` : widenSql(name, to)
    changes.push(`alter column ${name} type ${to} using ${value}`)
  }
  if (changes.length > 0) await database.execute(`alter table ${table} ${changes.join(', ')}`)
}

function columnSql({ name, type }: ColumnRow): string {
  return `${quoteName(name)} ${type ?? 'text'}`
}

/** A cell of the stage `s` as a value. */
function cellSql({ cell, reading }: FileColumn, isWide: boolean): string {
  if (typeof cell === 'object') return `${quoteText(cell.text)}::text`
  return valueSql(isWide ? `s.cells[${cell + 1}]` : `s.c${cell + 1}`, reading)
}

/** Every column of the table with its value in a row of this file: those that the file has not are missing. */
function valuesSql(all: readonly ColumnRow[], columns: readonly FileColumn[], width: number): [string, string][] {
  const isWide = width > MAX_STAGED_COLUMNS
  const byName = new Map(columns.map((each) => [each.column.name, each]))
  const values = all
    .filter(({ isRest }) => !isRest)
    .map((column): [string, string] => {
      const own = byName.get(column.name)
      const type = own === undefined ? (column.type ?? 'text') : (own.column.type ?? 'text')
      return [quoteName(column.name), own === undefined ? `null::${type}` : cellSql(own, isWide)]
    })
  if (!all.some(({ isRest }) => isRest)) return values
  const rest = columns.filter(({ column }) => column.isRest)
  const object =
    rest.length === 0
      ? 'null::jsonb'
      : `jsonb_strip_nulls(jsonb_object(array[${rest.map(({ column }) => quoteText(column.name)).join()}]::text[], array[${rest.map((each) => cellSql(each, isWide)).join()}]::text[]))`
  return [...values, ['_rest', object]]
}

/** What writing a file came to. */
type Written = Pick<Applied, 'inserted' | 'deleted' | 'letters'>

async function write(
  database: Database,
  to: Destination,
  table: string,
  all: readonly ColumnRow[],
  columns: readonly FileColumn[],
  staged: Staged,
): Promise<Written> {
  const { file, mode, state } = to
  const before = state.isThere ? state : { rows: 0, digest: null }
  const values = valuesSql(all, columns, staged.head.titles.length)
  if (mode === 'upsert') return upsert(database, to, table, columns, values, staged)
  if (mode === 'append' && before.digest === staged.digest) return { inserted: 0, deleted: 0, letters: [] }
  const names = ['_file', '_line', ...values.map(([name]) => name)].join(', ')
  const selected = [`${file}`, 's.line', ...values.map(([, value]) => value)].join(', ')
  const insert = `insert into ${table} (${names}) select ${selected} from ${staged.table} s`
  const isFresh = mode === 'append' || before.rows === 0
  if (staged.hasRefused) {
    const deleted = isFresh ? 0 : await database.change(`delete from ${table} where _file = ${file}`)
    return { deleted, ...(await insertApart(database, staged.table, (condition) => `${insert} where ${condition}`)) }
  }
  if (isFresh) return { inserted: await database.change(insert), deleted: 0, letters: [] }
  return replace(database, file, table, values, names, staged)
}

/** Brings over what differs between a file and its rows, found in one pass over both. */
async function replace(
  database: Database,
  file: number,
  table: string,
  values: readonly [string, string][],
  names: string,
  { table: stage }: Staged,
): Promise<Written> {
  await database.execute(`set local work_mem = '64MB'; analyze ${stage}`)
  const columns = values.map(([name]) => name)
  const isOther =
    columns.length === 0
      ? 'false'
      : `not pg_catalog.record_image_eq(row(${columns.map((name) => `t.${name}`).join()}), row(${columns.map((name) => `given.${name}`).join()}))`
  const [counts] = await database.query<{ inserted: number; deleted: number }>(
    `with other as materialized (
      select t.ctid as _place, given.*
      from (select ctid, * from ${table} where _file = ${file}) t
      full join (select s.line as _line${values.map(([name, value]) => `, ${value} as ${name}`).join('')} from ${stage} s) given
        on given._line = t._line
      where t.ctid is null or given._line is null or ${isOther}),
    gone as (delete from ${table} t using other where t.ctid = other._place returning 1),
    come as (
      insert into ${table} (${names}) select ${[file, ...['_line', ...columns].map((name) => `other.${name}`)].join()}
        from other where other._line is not null returning 1)
    select (select count(*) from come)::float8 as inserted, (select count(*) from gone)::float8 as deleted`,
  )
  return { ...counts!, letters: [] }
}

/** Rows by their key: of equal ones in a file the last counts, and what is as it was is not written. */
async function upsert(
  database: Database,
  { file, kind, key }: Destination,
  table: string,
  columns: readonly FileColumn[],
  values: readonly [string, string][],
  { table: stage, hasRefused }: Staged,
): Promise<Written> {
  const keys = key.map((title) => {
    const found = columns.find(({ column }) => column.title === title && !column.isRest)
    if (found === undefined)
      throw new ImportProblem(`the file has no column ${JSON.stringify(title)}, which is in the key`)
    return quoteName(found.column.name)
  })
  await database.execute(
    `create unique index if not exists ${quoteName(`key_${kind}`)} on ${table} (${keys.join()}); analyze ${stage}`,
  )
  const given = (condition: string): string =>
    `(select s.line as _line${values.map(([name, value]) => `, ${value} as ${name}`).join('')} from ${stage} s where ${condition}) given`
  const names = values.map(([name]) => name)
  const hasNoKey = keys.map((name) => `given.${name} is null`).join(' or ')
  const isOther = `not pg_catalog.record_image_eq(row(${names.map((name) => `t.${name}`).join()}), row(${names.map((name) => `excluded.${name}`).join()}))`
  const insert = (condition: string): string =>
    `insert into ${table} as t (_file, _line, ${names.join()})
      select distinct on (${keys.join()}) ${file}, given.* from ${given(condition)} where not (${hasNoKey})
      order by ${keys.map((name) => `given.${name}`).join()}, given._line desc
      on conflict (${keys.join()}) do update set _file = excluded._file, _line = excluded._line,
        ${names.map((name) => `${name} = excluded.${name}`).join()}
      where ${isOther}`
  const { inserted, letters } = hasRefused
    ? await insertApart(database, stage, insert)
    : { inserted: await database.change(insert('true')), letters: [] }
  // A row that is refused may have no readable key either.
  const refused = letters.map(({ line }) => line)
  const keyless = await database.query<{ line: number }>(
    `select given._line::float8 as line from ${given(refused.length === 0 ? 'true' : `s.line not in (${refused.join()})`)} where ${hasNoKey}`,
  )
  const reason = `has no value for its key (${key.join(', ')})`
  return { inserted, deleted: 0, letters: [...letters, ...keyless.map(({ line }) => ({ line, reason, raw: '' }))] }
}

/** Takes away the columns that no file of the kind has any more. One that a view needs stays, without values. */
async function dropColumns(
  database: Database,
  { kind, file }: Destination,
  table: string,
  shownTable: string,
  known: readonly ColumnRow[],
  columns: readonly FileColumn[],
): Promise<SchemaChange[]> {
  const own = new Set(columns.map(({ column }) => column.name))
  const candidates = known.filter(({ name }) => !own.has(name))
  if (candidates.length === 0) return []
  const used = await database.query<{ name: string }>(
    `select distinct c.name from ${BOOKS}.files f, jsonb_array_elements_text(f.columns) as c (name) where f.kind = $1 and f.rows > 0 and f.id <> $2`,
    [kind, file],
  )
  const kept = new Set(used.map(({ name }) => name))
  const changes: SchemaChange[] = []
  for (const column of candidates.filter(({ name }) => !kept.has(name))) {
    await database.execute('savepoint dropping')
    try {
      if (!column.isRest) await database.execute(`alter table ${table} drop column if exists ${quoteName(column.name)}`)
      await database.query(`delete from ${BOOKS}.columns where kind = $1 and name = $2`, [kind, column.name])
      changes.push({ table: shownTable, column: column.name, change: 'gone' })
    } catch (error) {
      if ((error as { code?: string }).code !== '2BP01') throw error
      await database.execute('rollback to savepoint dropping')
    }
    await database.execute('release savepoint dropping')
  }
  return changes
}
