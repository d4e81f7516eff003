import type { Context } from 'millrace'
import type { Catalog } from './catalog.js'
import type { DeadLetter, Row, TextRow } from './records.js'
import { type Value, convertCell } from './schema.js'

/** The handler of `convert`: a row with the values that the schema of its file says, or a dead letter that says why not. */
export function convertRow(row: TextRow | DeadLetter, { state }: Pick<Context<Catalog>, 'state'>): Row | DeadLetter {
  if (row.kind === 'letter') return row
  const { file, line, cells } = row
  const { columns } = state.entry(file)
  if (cells.length !== columns.length) {
    return deadLetter(row, `${cells.length} cells, and the header has ${columns.length}`)
  }
  const values: Value[] = []
  for (const [i, { title, type }] of columns.entries()) {
    const value = convertCell(cells[i]!, type)
    if (value === undefined) return deadLetter(row, misfit(title, cells[i]!, type))
    values.push(value)
  }
  return { kind: 'row', file, line, values }
}

function misfit(title: string, cell: string, type: string): string {
  if (cell.includes('\0')) return `${title}: holds a NUL character`
  const shown = cell.length > 40 ? `${cell.slice(0, 40)}…` : cell
  return `${title}: ${JSON.stringify(shown)} is no ${type}`
}

function deadLetter({ file, line, cells }: TextRow, reason: string): DeadLetter {
  return { kind: 'letter', file, line, reason, raw: cells.map(quoted).join(',') }
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
