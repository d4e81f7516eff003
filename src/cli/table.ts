import { printable } from '../shown.ts'
import type { Output } from './command.ts'
import { plainText, style } from './terminal-text.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows of texts in columns, two spaces apart, under their titles. A table without rows is nothing. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): string[] {
  if (rows.length === 0) return []
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align = 'left' }, index) => {
        const cell = cells[index] ?? ''
        return align === 'right' ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)
      })
      .join('  ')
      .trimEnd()
  return [style('bold', line(columns.map(({ title }) => title)), output), ...rows.map(line)]
}

/** No name is made shorter than this. */
const SHORTEST = 12

/** A column that says what stands in it; the higher its rank, the sooner it gives way. Rank 0 stays. */
export interface RankedColumn<T> extends Column {
  readonly rank: number
  readonly of: (item: T) => string
}

/** As `table`, with as many columns as `width` has room for; then names lose their middle. */
export function fittingTable<T>(
  columns: readonly RankedColumn<T>[],
  items: readonly T[],
  width: number,
  output: Output,
): string[] {
  const rows = items.map((item) => columns.map(({ of }) => of(item)))
  const lines = table(columns, rows, output)
  const excess = Math.max(0, ...lines.map((line) => plainText(line).length)) - width
  if (excess <= 0) return lines
  const last = Math.max(...columns.map(({ rank }) => rank))
  if (last > 0) {
    const kept = columns.filter(({ rank }) => rank < last)
    return fittingTable(kept, items, width, output)
  }
  const longest = Math.max(...rows.map(([name = '']) => name.length))
  const most = Math.max(SHORTEST, longest - excess)
  const shortened = rows.map(([name = '', ...others]) => [withoutMiddle(name, most), ...others])
  return table(columns, shortened, output)
}

function withoutMiddle(text: string, most: number): string {
  if (text.length <= most) return text
  const head = Math.ceil((most - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`
}

/** A share from 0 to 1 as a bar of eight cells. */
export function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 8)
  return '█'.repeat(full) + '░'.repeat(8 - full)
}

/** A text from elsewhere on one line, whatever it holds. */
export function oneLine(text: string): string {
  return printable(JSON.stringify(text).slice(1, -1))
}

/** An id in a table: on one line, and not too long. */
export function cell(id: string): string {
  const text = oneLine(id)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
