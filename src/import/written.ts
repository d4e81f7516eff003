/** How the rows of a file meet those of its table, by the mode of its kind. */
import type { Database } from './database.ts'
import type { Destination, FileValues } from './destination.ts'
import { quoteName } from './names.ts'
import { ImportProblem } from './problem.ts'
import type { Letter } from './records.ts'
import { insertApart } from './refused.ts'
import { type Staged, stageUnsent } from './staged.ts'
import { canCopy, copyRows } from './copied-rows.ts'

/** What writing a file came to. */
export interface Written {
  readonly inserted: number
  readonly deleted: number
  /** Rows that are none of the table's after all. */
  readonly letters: readonly Letter[]
}

/** Fewer rows are quickly compared in whatever way. */
const MANY_ROWS = 10_000

/** Writes what a file has, as its mode says. */
export async function write(database: Database, to: Destination, given: FileValues, staged: Staged): Promise<Written> {
  const { table, values } = given
  const { file, mode, state } = to
  const before = state.isThere ? state : { rows: 0, digest: null }
  const isFresh = mode === 'append' || before.rows === 0
  if (isFresh && before.rows === 0 && canCopy(to, given, staged)) {
    await copyRows(database, file, given, staged)
    return { inserted: staged.rows, deleted: 0, letters: [] }
  }
  await stageUnsent(database, staged)
  if (mode === 'upsert') return upsert(database, to, given, staged)
  if (mode === 'append' && before.digest === staged.digest) return { inserted: 0, deleted: 0, letters: [] }
  const names = ['_file', '_line', ...values.map(([name]) => name)].join(', ')
  const selected = [`${file}`, 's.line', ...values.map(([, value]) => value)].join(', ')
  const insert = `insert into ${table} (${names}) select ${selected} from ${staged.table} s`
  if (staged.hasRefused) {
    const deleted = isFresh ? 0 : await database.change(`delete from ${table} where _file = ${file}`)
    return { deleted, ...(await insertApart(database, staged.table, (condition) => `${insert} where ${condition}`)) }
  }
  if (isFresh) return { inserted: await database.change(insert), deleted: 0, letters: [] }
  return replace(database, file, given, staged)
}

/** Brings over what differs between a file and its rows. */
async function replace(database: Database, file: number, given: FileValues, staged: Staged): Promise<Written> {
  const { table, values } = given
  const names = ['_file', '_line', ...values.map(([name]) => name)].join(', ')
  const columns = values.map(([name]) => name)
  const isMany = staged.rows > MANY_ROWS
  const parts = isMany ? await otherParts(database, file, given, staged) : undefined
  if (parts?.length === 0) return { inserted: 0, deleted: 0, letters: [] }
  if (isMany) await database.execute(`set local work_mem = '64MB'; analyze ${staged.table} (line)`)
  const within = (line: string): string => (parts === undefined ? 'true' : `${partSql(line)} in (${parts.join()})`)
  const isOther =
    columns.length === 0
      ? 'false'
      : `not pg_catalog.record_image_eq(row(${columns.map((name) => `t.${name}`).join()}), row(${columns.map((name) => `given.${name}`).join()}))`
  const [counts] = await database.query<{ inserted: number; deleted: number }>(
    `with other as materialized (
      select t.ctid as _place, given.*
      from (select ctid, * from ${table} where _file = ${file} and ${within('_line')}) t
      full join (select s.line as _line${values.map(([name, value]) => `, ${value} as ${name}`).join('')}
          from ${staged.table} s where ${within('s.line')}) given
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

/** So many lines of a file are compared by one sum. */
const PART_BITS = 12

function partSql(line: string): string {
  return `${line} >> ${PART_BITS}`
}

/**
 * Parts of a file whose rows are not those of the table: told by sums of hashes of 64 bits, of the rows as the server would send
 * them, to the last bit. A join of all rows takes several times as long.
 */
async function otherParts(
  database: Database,
  file: number,
  { table, values }: FileValues,
  { table: stage }: Staged,
): Promise<readonly number[]> {
  const sums = (rows: string, line: string, cells: readonly string[]): Promise<readonly PartSum[]> =>
    database.query<PartSum>(
      `select (${partSql(line)})::float8 as part, count(*) || ' ' ||
        sum(hashtextextended(record_send(row(${[line, ...cells].join()}))::text, 0)) as sum from ${rows} group by 1`,
    )
  const names = values.map(([name]) => name)
  const texts = values.map(([, value]) => value)
  const here = await sums(`${table} t where _file = ${file}`, '_line', names)
  const there = new Map((await sums(`${stage} s`, 's.line', texts)).map(({ part, sum }) => [part, sum]))
  const others = new Set(there.keys())
  for (const { part, sum } of here) {
    if (there.get(part) === sum) others.delete(part)
    else others.add(part)
  }
  return [...others]
}

interface PartSum {
  readonly part: number
  readonly sum: string
}

/** Rows by their key: of equal ones in a file the last counts, and what is as it was is not written. */
async function upsert(
  database: Database,
  { file, kind, key }: Destination,
  { table, columns, values }: FileValues,
  { table: stage, hasRefused }: Staged,
): Promise<Written> {
  const keys = key.map((title) => {
    const found = columns.find(({ column }) => column.title === title && !column.isRest)
    if (found === undefined)
      throw new ImportProblem(`the file has no column ${JSON.stringify(title)}, which is in the key`)
    return quoteName(found.column.name)
  })
  await database.execute(
    `create unique index if not exists ${quoteName(`key_${kind}`)} on ${table} (${keys.join()}); analyze ${stage} (line)`,
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
