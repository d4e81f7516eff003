import { styleText } from 'node:util'
import type { Output } from './command.ts'

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

/** A share from 0 to 1 as a bar of eight cells. */
export function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 8)
  return '█'.repeat(full) + '░'.repeat(8 - full)
}

export function style(format: Parameters<typeof styleText>[0], text: string, { color }: Output): string {
  return color ? styleText(format, text) : text
}

/** An id in a table: on one line, whatever it holds. */
export function cell(id: string): string {
  const text = JSON.stringify(id).slice(1, -1)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
