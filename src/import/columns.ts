/** The columns of a file in the table of its kind: which are there, which come, which become wider. */
import { ANY_TYPE } from './cell-types.ts'
import { type CellReading, type ColumnType, bytesOnPage, readingOf } from './column-types.ts'
import type { Evidence } from './evidence.ts'
import type { ColumnRow } from './books.ts'
import { plainName, takeName } from './names.ts'
import type { Head, SchemaChange } from './records.ts'

/** Those of the import, and those that every table of PostgreSQL has already. */
const TAKEN_COLUMNS = ['_file', '_line', '_rest', 'tableoid', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax']
/** A page of PostgreSQL holds a row of 8,160 bytes, and a table 1,600 columns. */
const PAGE_BYTES = 7_600
const MAX_COLUMNS = 1_500

/** A column of a file, and how its cells are read. */
export interface FileColumn {
  readonly column: ColumnRow
  readonly reading: CellReading
  /** Index of the cell; a text that all rows of the file have instead. */
  readonly cell: number | { readonly text: string }
}

export interface ColumnPlan {
  readonly columns: readonly FileColumn[]
  readonly added: readonly ColumnRow[]
  /** With the type that each has had, `null` where it held nothing yet. */
  readonly widened: readonly { readonly column: ColumnRow; readonly before: ColumnType | null }[]
  readonly changes: readonly SchemaChange[]
  readonly remarks: readonly string[]
}

/** @param inTable names of columns that the table has, whoever added them */
export function planColumns(
  table: string,
  known: readonly ColumnRow[],
  inTable: readonly string[],
  head: Head,
  evidence: Evidence,
): ColumnPlan {
  const byTitle = new Map(known.map((column) => [keyOf(column.title, column.occurrence), column]))
  const taken = new Set([...TAKEN_COLUMNS, ...inTable, ...known.map(({ name }) => name)])
  const columns: FileColumn[] = []
  const added: ColumnRow[] = []
  const widened: { column: ColumnRow; before: ColumnType | null }[] = []
  const changes: SchemaChange[] = []
  const remarks: string[] = []
  const onPage = known.filter(({ isRest }) => !isRest)
  let page = onPage.reduce((sum, { type, longest }) => sum + bytesOnPage(type ?? undefined, longest), 0)
  let count = onPage.length
  const note = (column: ColumnRow, change: string): void => void changes.push({ table, column: column.name, change })
  const add = (
    title: string,
    occurrence: number,
    fallback: string,
    reading: CellReading,
    longest: number,
  ): ColumnRow => {
    const bytes = bytesOnPage(reading.type, longest)
    const isRest = page + bytes > PAGE_BYTES || count >= MAX_COLUMNS
    if (!isRest) {
      page += bytes
      count++
    }
    const column: ColumnRow = {
      name: takeName(plainName(title) || fallback, taken),
      title,
      occurrence,
      place: known.length + added.length,
      type: isRest ? 'text' : (reading.type ?? null),
      format: reading.format,
      longest,
      isRest,
    }
    added.push(column)
    return column
  }
  const occurrences = new Map<string, number>()
  for (const [i, title] of head.titles.entries()) {
    const occurrence = (occurrences.get(title) ?? 0) + 1
    occurrences.set(title, occurrence)
    const before = byTitle.get(keyOf(title, occurrence))
    const longest = evidence.longest[i]!
    const [types, words] = [evidence.types[i]!, evidence.words[i]!]
    const declared = head.declared[i] ?? undefined
    const was = before === undefined ? undefined : { type: before.type ?? undefined, format: before.format }
    const read =
      before?.isRest === true ? { type: 'text' as const, format: {} } : readingOf(types, words, declared, was)
    if (read.isAmbiguousDay === true) {
      remarks.push(`${title}: days as text, because it is not clear which is the month; declare its dayOrder`)
    }
    if (read.format.nulls !== undefined && declared?.nulls === undefined && types !== ANY_TYPE && words !== 0) {
      remarks.push(`${title}: ${read.format.nulls.map((word) => JSON.stringify(word)).join(', ')} is a missing value`)
    }
    if (before === undefined) {
      const column = add(title, occurrence, `column_${i + 1}`, read, longest)
      const reading = column.isRest ? { type: 'text' as const, format: {} } : read
      columns.push({ column, reading, cell: i })
      if (!column.isRest) note(column, `new: ${read.type ?? 'text'}`)
      continue
    }
    const column: ColumnRow = {
      ...before,
      type: read.type ?? null,
      format: { ...before.format, ...read.format },
      longest: Math.max(before.longest, longest),
    }
    columns.push({ column, reading: read, cell: i })
    if (column.type === before.type) continue
    widened.push({ column, before: before.type })
    const { type: from } = before
    const breaker = evidence.breakers[i]
    const because =
      from === null || breaker === null || breaker === undefined
        ? ''
        : `, for ${JSON.stringify(breaker.text)} on line ${breaker.line}`
    note(column, `${from ?? 'empty'} became ${column.type}${because}`)
  }
  for (const [name, text] of Object.entries(head.placeholders)) {
    const title = `{${name}}`
    const reading = { type: 'text' as const, format: {} }
    const before = byTitle.get(keyOf(title, 1))
    const column = before ?? add(title, 1, name, reading, 64)
    if (before === undefined) note(column, 'new: text')
    columns.push({ column, reading, cell: { text } })
  }
  const rest = columns.filter(({ column }) => column.isRest).length
  if (rest > 0) remarks.push(`${rest} columns in _rest: a row of PostgreSQL holds no more`)
  return { columns, added, widened, changes, remarks }
}

function keyOf(title: string, occurrence: number): string {
  return `${occurrence} ${title}`
}
