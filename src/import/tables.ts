/** Tables of kinds, and how the rows of a file become theirs. A table that the import did not make is never touched. */
import { type StageType, isReadable, valueSql, widenSql } from './column-types.ts'
import { type ColumnPlan, type FileColumn, planColumns } from './columns.ts'
import type { Database } from './database.ts'
import { type ColumnRow, enterColumns } from './books.ts'
import { BOOKS } from './books-tables.ts'
import { quoteName, quoteText } from './names.ts'
import { ImportProblem } from './problem.ts'
import { MAX_STAGED_COLUMNS, type SchemaChange } from './records.ts'
import { StageMisfit, type Staged } from './staged.ts'
import type { Destination } from './destination.ts'
import { type Written, write } from './written.ts'

export interface Applied extends Written {
  readonly table: string
  /** For SQL. */
  readonly quoted: string
  /** Names of the columns that the file has. */
  readonly columns: readonly string[]
  readonly changes: readonly SchemaChange[]
  readonly remarks: readonly string[]
}

/** The table has to change for a file, and others of its kind may be at work on it. */
export class NotAlone extends Error {
  override readonly name = 'NotAlone'
}

/**
 * Brings the rows of a file into the table of its kind, within a transaction: others see all of it, or nothing.
 * @throws NotAlone where it has to be done alone; StageMisfit
 */
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
  if (!to.isAlone && changesTable(to, known, plan)) throw new NotAlone(shownTable)
  const isMisfit = plan.columns.some(
    ({ cell, reading }) => typeof cell === 'number' && !isReadable(staged.types[cell] ?? 'text', reading),
  )
  if (isMisfit || (staged.hasRefused && staged.types.length > 0)) throw new StageMisfit(shownTable)
  const becomesTable = !isThere && canBecomeTable(staged, plan)
  if (isThere) await alterTable(database, table, known, plan)
  else if (becomesTable) await makeTable(database, to, moveSql(to, staged, plan))
  else await makeTable(database, to, createSql(table, plan))
  await enterColumns(database, kind, [...plan.added, ...plan.widened.map(({ column }) => column)])
  if (state.lacksIndex) await database.execute(`create index ${quoteName(`file_${kind}`)} on ${table} (_file)`)
  const all = [...known, ...plan.added]
  const { inserted, deleted, letters } = becomesTable
    ? { inserted: staged.rows, deleted: 0, letters: [] }
    : await write(database, to, { table, columns: plan.columns, values: valuesSql(all, plan.columns, staged) }, staged)
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

/** Whether a file changes more than its own rows. Of an upsert the rows may be another file's. */
function changesTable({ mode, state }: Destination, known: readonly ColumnRow[], plan: ColumnPlan): boolean {
  if (!state.isThere || state.lacksIndex || mode === 'upsert' || plan.added.length + plan.widened.length > 0)
    return true
  const own = new Set(plan.columns.map(({ column }) => column.name))
  return mode === 'replace' && known.some(({ name }) => !own.has(name))
}

/** A table that was there once, and is not any more, begins anew. */
async function makeTable(database: Database, { kind, state }: Destination, create: string): Promise<void> {
  await database.execute(
    [
      create,
      ...(state.isMade
        ? [
            `delete from ${BOOKS}.columns where kind = ${kind}`,
            `update ${BOOKS}.files set rows = 0, digest = null, columns = '[]' where kind = ${kind}`,
          ]
        : [`update ${BOOKS}.kinds set is_made = true where id = ${kind}`]),
    ].join('; '),
  )
}

function createSql(table: string, plan: ColumnPlan): string {
  const columns = plan.added.filter(({ isRest }) => !isRest).map(columnSql)
  const rest = plan.added.some(({ isRest }) => isRest) ? ['_rest jsonb'] : []
  return `create table ${table} (${['_file integer not null', '_line bigint not null', ...columns, ...rest].join(', ')})`
}

/** Whether the staged rows of a file are the rows of its new table: they need not be written twice. */
function canBecomeTable({ mayBecomeTable, types, hasRefused }: Staged, { columns }: ColumnPlan): boolean {
  return (
    mayBecomeTable &&
    !hasRefused &&
    columns.every(
      ({ column, cell }) =>
        !column.isRest && (typeof cell === 'object' || (types[cell] ?? 'text') === (column.type ?? 'text')),
    )
  )
}

/** Makes the stage of a file the table of its kind. */
function moveSql({ schema, state }: Destination, { table: stage }: Staged, { columns }: ColumnPlan): string {
  const name = stage.slice(stage.indexOf('.') + 1)
  const moved = `${quoteName(schema)}.${name}`
  const cells = columns.filter(({ cell }) => typeof cell === 'number')
  const renamed = cells
    .map(({ cell, column }) => ({ from: `c${(cell as number) + 1}`, to: column.name }))
    .filter(({ from, to }) => from !== to)
  const targets = new Set(renamed.map(({ to }) => to))
  // A title may be the name that another column still has.
  const isInTheWay = (from: string): boolean => targets.has(from)
  const aside = (from: string): string => (isInTheWay(from) ? quoteName(`${from} moved`) : from)
  const rename = (from: string, to: string): string => `alter table ${stage} rename ${from} to ${to}`
  return [
    ...renamed.filter(({ from }) => isInTheWay(from)).map(({ from }) => rename(from, aside(from))),
    rename('line', '_line'),
    ...renamed.map(({ from, to }) => rename(aside(from), quoteName(to))),
    ...columns.flatMap(({ cell, column }) => {
      if (typeof cell === 'number') return []
      const added = quoteName(column.name)
      return [
        `alter table ${stage} add column ${added} text default ${quoteText(cell.text)}`,
        `alter table ${stage} alter ${added} drop default`,
      ]
    }),
    `alter table ${stage} alter _file drop default`,
    `alter table ${stage} set schema ${quoteName(schema)}`,
    ...(name === state.table ? [] : [`alter table ${moved} rename to ${quoteName(state.table)}`]),
  ].join('; ')
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
function cellSql({ cell, reading }: FileColumn, isWide: boolean, types: readonly StageType[]): string {
  if (typeof cell === 'object') return `${quoteText(cell.text)}::text`
  return valueSql(isWide ? `s.cells[${cell + 1}]` : `s.c${cell + 1}`, reading, types[cell])
}

/** Every column of the table with its value in a row of this file: those that the file has not are missing. */
function valuesSql(
  all: readonly ColumnRow[],
  columns: readonly FileColumn[],
  { head, types }: Staged,
): [string, string][] {
  const isWide = head.titles.length > MAX_STAGED_COLUMNS
  const byName = new Map(columns.map((each) => [each.column.name, each]))
  const values = all
    .filter(({ isRest }) => !isRest)
    .map((column): [string, string] => {
      const own = byName.get(column.name)
      const type = own === undefined ? (column.type ?? 'text') : (own.column.type ?? 'text')
      return [quoteName(column.name), own === undefined ? `null::${type}` : cellSql(own, isWide, types)]
    })
  if (!all.some(({ isRest }) => isRest)) return values
  const rest = columns.filter(({ column }) => column.isRest)
  const object =
    rest.length === 0
      ? 'null::jsonb'
      : `jsonb_strip_nulls(jsonb_object(array[${rest.map(({ column }) => quoteText(column.name)).join()}]::text[], array[${rest.map((each) => cellSql(each, isWide, types)).join()}]::text[]))`
  return [...values, ['_rest', object]]
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
