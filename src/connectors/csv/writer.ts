import type { RowWriter } from '../core/file/file-sink.ts'

/** Rows of records: dates as ISO 8601 has them, objects as JSON, nothing for what is missing. */
export function csvWriter(format: {
  readonly delimiter: string
  readonly columns?: readonly string[]
  readonly header: boolean
}): RowWriter {
  const { delimiter, header } = format
  let { columns } = format
  const rowOf = (cells: readonly unknown[]): string =>
    `${cells.map((cell) => cellText(cell, delimiter)).join(delimiter)}\n`
  return {
    headerOf: (record) => (header ? rowOf((columns ??= Object.keys(record))) : ''),
    rowOf: (record) => rowOf((columns ??= Object.keys(record)).map((column) => record[column])),
  }
}

/** In quotes where it must be. */
function cellText(cell: unknown, delimiter: string): string {
  const text = plainText(cell)
  const isPlain = !(text.includes(delimiter) || /["\r\n]/.test(text))
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`
}

function plainText(cell: unknown): string {
  if (cell === undefined || cell === null) return ''
  if (cell instanceof Date) return cell.toISOString()
  if (typeof cell === 'object') return JSON.stringify(cell)
  return typeof cell === 'string' ? cell : `${cell as number | bigint | boolean}`
}
