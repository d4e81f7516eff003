/** Types of columns: inferred from samples, and the conversion of text to values of them. */

/** What a cell becomes. Integers beyond 2^53 and times stay text, which the database reads. */
export type Value = string | number | boolean | null

export type ColumnType = 'boolean' | 'bigint' | 'double precision' | 'date' | 'timestamp' | 'timestamptz' | 'text'

export interface Column {
  /** The name in the table; `title` is the one in the file. */
  readonly name: string
  readonly title: string
  readonly type: ColumnType
}

/** What came of a cell: a value, or `undefined` where the text is none of the type's. */
type Conversion = (text: string) => Exclude<Value, null> | undefined

const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/
const NUMBER = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/
const DATE = /^(\d{4})[-/](\d{2})[-/](\d{2})$/
const TIMESTAMP = /^(\d{4}[-/]\d{2}[-/]\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-](?:0\d|1[0-5]):[0-5]\d)?$/
const MAX_BIGINT = 2n ** 63n - 1n

/** Narrowest first: what a text is, is the first type that takes it. */
const CONVERSIONS: Readonly<Record<ColumnType, Conversion>> = {
  boolean: (text) => (/^(?:true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined),
  bigint: (text) => {
    if (!INTEGER.test(text)) return undefined
    if (Number.isSafeInteger(Number(text))) return Number(text)
    const integer = BigInt(text)
    return integer <= MAX_BIGINT && integer >= -MAX_BIGINT ? text : undefined
  },
  'double precision': (text) => (NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined),
  date: (text) => dateOf(text),
  timestamp: (text) => timestampOf(text, false),
  timestamptz: (text) => timestampOf(text, true),
  // PostgreSQL keeps every character but this one.
  text: (text) => (text.includes('\0') ? undefined : text),
}
const COLUMN_TYPES = Object.keys(CONVERSIONS) as ColumnType[]

/**
 * The value of a cell. An empty cell is a missing value, whatever the type.
 * @returns undefined where the text does not fit the type
 */
export function convertCell(text: string, type: ColumnType): Value | undefined {
  return text === '' ? null : CONVERSIONS[type](text)
}

/** The narrowest type that takes all texts of a column; `text` where all are missing. */
export function inferType(texts: Iterable<string>): ColumnType {
  let type: ColumnType | undefined
  for (const text of texts) {
    if (text === '') continue
    const own = COLUMN_TYPES.find((each) => CONVERSIONS[each](text) !== undefined) ?? 'text'
    type = type === undefined ? own : widest(type, own)
    if (type === 'text') break
  }
  return type ?? 'text'
}

/** The narrowest type that holds what both hold. */
export function widest(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a
  const both = new Set([a, b])
  return both.has('bigint') && both.has('double precision') ? 'double precision' : 'text'
}

/** Only days that the calendar has. */
function dateOf(text: string): string | undefined {
  const [, year = '', month = '', day = ''] = DATE.exec(text) ?? []
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  const iso = `${year}-${month}-${day}`
  return Number(year) >= 100 && date.toISOString().startsWith(iso) ? iso : undefined
}

function timestampOf(text: string, hasZone: boolean): string | undefined {
  const [, day = '', time = '', zone = ''] = TIMESTAMP.exec(text) ?? []
  const date = dateOf(day)
  if (date === undefined || (zone !== '') !== hasZone) return undefined
  return Number.isNaN(Date.parse(`${date}T${time}${zone}`)) || time.startsWith('24')
    ? undefined
    : `${date}T${time}${zone}`
}
