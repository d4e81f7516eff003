/** What the head of a file tells: how it is written, where its rows begin, and its titles. */
import { isUtf8 } from 'node:buffer'
import { DATE, DATE_DMY, DATE_MDY, DOUBLE, NUMERIC, BIGINT, TIMESTAMP, TIMESTAMPTZ, typesOf } from './cell-types.ts'
import { COMMA_DIALECT, type Dialect, type Encoding, LF, SPACE } from './dialect.ts'
import { type Cells, bomBytes, cellsOf, countLines, isBlank, lineEnd, rowEnd } from './rows.ts'

/** What is declared of a kind's files. */
export interface DeclaredDialect {
  readonly delimiter?: string
  readonly encoding?: Encoding
  readonly escape?: Dialect['escape']
  /** False: the first row is data. Titles: the first row is data, and these are its titles. */
  readonly header?: boolean | readonly string[]
  /** Lines before the header (or the data) that are none of it. Default: found. */
  readonly skipLines?: number
}

export interface Sniffed {
  readonly dialect: Dialect
  readonly titles: readonly string[]
  /** Where the rows begin: byte and line. */
  readonly offset: number
  readonly line: number
  readonly remarks: readonly string[]
}

export type Nothing = { readonly reason: string; readonly isFault: boolean }

const DELIMITERS = [',', ';', '\t', '|']
const NAMES: Readonly<Record<string, string>> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' }
const SAMPLED_ROWS = 30
/** Titles, comments and blank lines before a header. */
const MAX_PREAMBLE_ROWS = 20

interface SampledRow extends Cells {
  readonly from: number
  readonly to: number
}

/**
 * @param head the first bytes, as UTF-8 or a code page of single bytes
 * @param isWhole the file has no more
 */
export function sniff(head: Uint8Array, isWhole: boolean, declared: DeclaredDialect): Sniffed | Nothing {
  const start = bomBytes(head, 0)
  if (isWhole && isBlank(head, start, head.length)) return { reason: 'the file is empty', isFault: false }
  if (head.includes(0)) return fault('a binary file')
  const { encoding, remark: encodingRemark } = encodingOf(head, isWhole, start, declared)
  const found = DELIMITERS.filter((each) => declared.delimiter === undefined || each === declared.delimiter)
  const candidates = (found.length > 0 ? found : [declared.delimiter!]).map((delimiter) =>
    candidate(head, start, isWhole, { ...COMMA_DIALECT, delimiter: delimiter.charCodeAt(0), encoding }, declared),
  )
  // The first of equals: the comma.
  const best = candidates.reduce((one, other) => (other.score > one.score ? other : one))
  if (best.rows.length === 0) return fault(isWhole ? 'its first row is no CSV' : 'its header does not end')
  const { dialect, rows, width } = best
  const skipped = declared.skipLines ?? preambleOf(rows, width)
  const body = rows.slice(skipped)
  if (body.length === 0) return fault('nothing behind the lines that are skipped')
  const { titles, hasTitleRow, remark: headerRemark } = headerOf(body, declared)
  const offset = hasTitleRow ? body[0]!.to : body[0]!.from
  const delimiter = String.fromCharCode(dialect.delimiter)
  return {
    dialect,
    titles,
    offset,
    line: 1 + countLines(head, 0, offset),
    remarks: [
      ...(start > 0 ? ['byte order mark'] : []),
      ...encodingRemark,
      ...(delimiter === ',' ? [] : [`delimiter: ${NAMES[delimiter] ?? delimiter}`]),
      ...(dialect.escape === 'backslash' ? ['quotes behind backslashes'] : []),
      ...(dialect.skipsSpace ? ['blanks behind delimiters'] : []),
      ...(skipped > 0 ? [`${skipped} ${skipped === 1 ? 'row' : 'rows'} before the header`] : []),
      ...headerRemark,
      ...repeated(titles),
    ],
  }
}

function fault(reason: string): Nothing {
  return { reason, isFault: true }
}

function encodingOf(
  head: Uint8Array,
  isWhole: boolean,
  bom: number,
  declared: DeclaredDialect,
): { encoding: Dialect['encoding']; remark: string[] } {
  if (declared.encoding === 'windows-1252') return { encoding: declared.encoding, remark: [] }
  // The last character may be cut off.
  const isUnicode = isUtf8(isWhole ? head : head.subarray(0, head.lastIndexOf(LF) + 1))
  if (isUnicode || declared.encoding !== undefined || bom > 0 || hasUtf8(head)) return { encoding: 'utf-8', remark: [] }
  return { encoding: 'windows-1252', remark: ['encoding: windows-1252'] }
}

/** Whether there are characters of UTF-8 beyond ASCII, whatever else there is. */
function hasUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\u{fffd}')
    .some((part) => /[^\0-\x7f]/.test(part))
}

/** Rows of the head as one delimiter parts them, and how much speaks for it. */
function candidate(
  head: Uint8Array,
  start: number,
  isWhole: boolean,
  dialect: Dialect,
  declared: DeclaredDialect,
): { dialect: Dialect; rows: readonly SampledRow[]; width: number; score: number } {
  const escapes: readonly Dialect['escape'][] =
    declared.escape === undefined ? ['double', 'backslash'] : [declared.escape]
  const reads = escapes.map((escape) => {
    const own = { ...dialect, escape }
    const spaced = { ...own, skipsSpace: true }
    const { rows, broken } = rowsOf(head, start, isWhole, own)
    if (!hasBlanks(rows)) return { dialect: own, rows, broken }
    return { dialect: spaced, ...rowsOf(head, start, isWhole, spaced) }
  })
  const best = reads.reduce((one, other) => (other.broken < one.broken ? other : one))
  const counts = new Map<number, number>()
  for (const { cells } of best.rows) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1)
  const [width = 1, often = 0] = [...counts].sort(([a, m], [b, n]) => n * Math.min(b, 3) - m * Math.min(a, 3))[0] ?? []
  // A quote within a cell speaks against the delimiter that made the cell.
  const strays = best.rows.filter(({ strayQuotes }) => strayQuotes > 0).length
  const share = (often - strays / 2) / Math.max(1, best.rows.length + best.broken)
  // Rows of one cell: a delimiter that parts the titles is none of their text.
  const alone = (best.rows[0]?.cells.length ?? 1) > 1 ? 0.2 : 0.1
  return { ...best, width, score: width === 1 ? alone * share : share * (1 + Math.min(width, 20) / 100) }
}

function rowsOf(
  head: Uint8Array,
  start: number,
  isWhole: boolean,
  dialect: Dialect,
): { rows: SampledRow[]; broken: number } {
  const rows: SampledRow[] = []
  let broken = 0
  for (let from = start, to; from < head.length && rows.length + broken < SAMPLED_ROWS; from = to) {
    const end = rowEnd(head, from, dialect)
    if (end === -1 && !isWhole) break
    to = end === -1 ? head.length : end
    if (isBlank(head, from, to)) continue
    const read = cellsOf(head.subarray(from + bomBytes(head, from), to), dialect)
    if (read === undefined) {
      to = lineEnd(head, from)
      broken++
    } else rows.push({ from, to, ...read })
  }
  return { rows, broken }
}

/** Whether every cell but the first of its row begins with a blank, or is empty. */
function hasBlanks(rows: readonly SampledRow[]): boolean {
  const cells = rows.flatMap(({ cells }) => cells.slice(1)).filter((cell) => cell !== '')
  return cells.length > 0 && cells.every((cell) => cell.charCodeAt(0) === SPACE)
}

/** Rows before the header: comments, and titles that are narrower than the table. */
function preambleOf(rows: readonly SampledRow[], width: number): number {
  const isPreamble = ({ cells }: SampledRow): boolean =>
    cells[0]!.startsWith('#') ? cells.length !== width || width === 1 : filled(cells) === 1 && width > 1
  let skipped = 0
  while (skipped < Math.min(rows.length - 1, MAX_PREAMBLE_ROWS) && isPreamble(rows[skipped]!)) skipped++
  // A table whose first column alone has values would be eaten whole.
  return skipped < rows.length - 1 || skipped === 0 ? skipped : 0
}

function filled(cells: readonly string[]): number {
  return cells.filter((cell) => cell !== '').length
}

function headerOf(
  [first, ...others]: readonly SampledRow[],
  { header }: DeclaredDialect,
): { titles: readonly string[]; hasTitleRow: boolean; remark: string[] } {
  const width = first!.cells.length
  if (Array.isArray(header)) return { titles: header as string[], hasTitleRow: false, remark: [] }
  if (header !== false && (header === true || !isData(first!.cells, others))) {
    return { titles: withoutTail(first!.cells, others), hasTitleRow: true, remark: [] }
  }
  const titles = Array.from({ length: width }, (_, i) => `column ${i + 1}`)
  return { titles, hasTitleRow: false, remark: header === false ? [] : ['no header'] }
}

/** Titles without empty ones at the end that no row has cells for. */
function withoutTail(titles: readonly string[], rows: readonly SampledRow[]): readonly string[] {
  const longest = rows.length === 0 ? titles.length : Math.max(...rows.map(({ cells }) => cells.length))
  let end = titles.length
  while (end > 1 && end > longest && titles[end - 1] === '') end--
  return titles.slice(0, end)
}

/** Hardly a title: days, times, decimals, what is below zero. Years and counters may be titles. */
const UNTITLED = DATE | DATE_MDY | DATE_DMY | TIMESTAMP | TIMESTAMPTZ

/** Whether a first row is data: one of its cells is what no title is, and all else in its column is so too. */
function isData(first: readonly string[], others: readonly SampledRow[]): boolean {
  if (others.length === 0) return false
  const types = first.map(typesOfText)
  const looksSo = (type: number, i: number): boolean => {
    const own = type & UNTITLED || (isDecimal(first[i]!) ? type & (DOUBLE | NUMERIC) : 0)
    return (
      own !== 0 &&
      others.every(({ cells }) => (cells[i] ?? '') === '' || (typesOfText(cells[i]!) & (own | numbers(own))) !== 0)
    )
  }
  if (types.some(looksSo)) return true
  // Numbers alone: titles would count up.
  const isNumber = types.every((type) => (type & BIGINT) !== 0)
  const rises = first.every((cell, i) => i === 0 || Number(cell) === Number(first[i - 1]) + 1)
  return (
    isNumber && !rises && others.every(({ cells }) => cells.every((cell) => cell === '' || typesOfText(cell) !== 0))
  )
}

function numbers(types: number): number {
  return (types & (DOUBLE | NUMERIC)) === 0 ? 0 : BIGINT | DOUBLE | NUMERIC
}

function isDecimal(cell: string): boolean {
  return cell.startsWith('-') || cell.includes('.')
}

function typesOfText(text: string): number {
  if (text === '') return 0
  const bytes = Buffer.from(text)
  return typesOf(bytes, 0, bytes.length)
}

function repeated(titles: readonly string[]): string[] {
  const again = new Set(titles.filter((title, i) => titles.indexOf(title) !== i))
  return [...again].map((title) => (title.trim() === '' ? 'unnamed columns' : `duplicate column ${shownTitle(title)}`))
}

function shownTitle(title: string): string {
  return JSON.stringify(title.length > 40 ? `${title.slice(0, 40)}…` : title)
}
