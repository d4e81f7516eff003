/** Rows of a small file on their way into their table without a stage: COPY reads each cell as its value. */
import { fitsStage } from './column-types.ts'
import type { Database } from './database.ts'
import { LF } from './dialect.ts'
import { quoteName } from './names.ts'
import { MAX_STAGED_COLUMNS } from './records.ts'
import type { Staged } from './staged.ts'
import type { Destination, FileValues } from './destination.ts'

/** Whether COPY comes to the same as an insert of what is in the stage. */
export function canCopy({ mode, state }: Destination, { columns, values }: FileValues, staged: Staged): boolean {
  const { unsent, hasRefused, head, evidence } = staged
  if (unsent === undefined || hasRefused || mode === 'upsert' || (state.isThere && !state.isPlain)) return false
  // A column that the file has not may have a default by now.
  if (head.titles.length > MAX_STAGED_COLUMNS || values.length > columns.length) return false
  return columns.every(({ column, reading, cell }) => {
    if (column.isRest) return false
    if (typeof cell === 'object') return true
    const type = reading.type ?? 'text'
    return (
      type === (column.type ?? 'text') &&
      Object.keys(reading.format).length === 0 &&
      fitsStage(type, evidence.types[cell]!, evidence.words[cell]!, evidence.empties[cell]!)
    )
  })
}

export async function copyRows(
  database: Database,
  file: number,
  { table, columns }: FileValues,
  { unsent, rows }: Staged,
): Promise<void> {
  if (rows === 0) return
  const texts = columns.flatMap(({ column, cell }) => (typeof cell === 'object' ? [{ column, text: cell.text }] : []))
  const cells = columns
    .filter(({ cell }) => typeof cell === 'number')
    .toSorted((a, b) => (a.cell as number) - (b.cell as number))
  const names = [...texts, ...cells].map(({ column }) => quoteName(column.name))
  const first = Buffer.from([`${file}`, ...texts.map(({ text }) => copyText(text)), ''].join('\t'))
  await database.copy(
    `${table} (${['_file', ...names.slice(0, texts.length), '_line', ...names.slice(texts.length)].join(', ')})`,
    withFirst(unsent!, first, rows),
  )
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function copyText(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (one) => ESCAPES[one]!)
}

/** The same cells before those of each row. */
function withFirst(bytes: Uint8Array, first: Uint8Array, rows: number): Uint8Array {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const to = Buffer.allocUnsafe(bytes.length + rows * first.length)
  let length = 0
  for (let at = 0; at < from.length;) {
    const end = from.indexOf(LF, at) + 1
    to.set(first, length)
    length += first.length + from.copy(to, length + first.length, at, end)
    at = end
  }
  return to.subarray(0, length)
}
