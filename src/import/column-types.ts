/** Types of columns: chosen from what all cells of a file are, widened when a later file has others, and read by PostgreSQL. */
import {
  ANY_TYPE,
  BIGINT,
  BOOLEAN,
  DATE,
  DATE_DMY,
  DATE_MDY,
  DECIMAL_COMMA,
  DOUBLE,
  NULL_WORDS,
  NUMERIC,
  TIMESTAMP,
  TIMESTAMPTZ,
} from './cell-types.ts'
import { quoteText } from './names.ts'

export const COLUMN_TYPES = [
  'boolean',
  'bigint',
  'double precision',
  'numeric',
  'date',
  'timestamp',
  'timestamptz',
  'text',
] as const
export type ColumnType = (typeof COLUMN_TYPES)[number]

/** How the cells of a typed column are written, where that is not how PostgreSQL reads them. */
export interface CellFormat {
  readonly decimalComma?: true
  /** The order of days that are written 1/2/2024. */
  readonly dayOrder?: 'mdy' | 'dmy'
  /** Words that stand for missing values. */
  readonly nulls?: readonly string[]
}

/** How the cells of a column are read. `type` is absent where no cell has said anything yet: the column is text so far. */
export interface CellReading {
  readonly type?: ColumnType | undefined
  readonly format: CellFormat
}

/** What is declared of a column, or of all columns of a kind. */
export interface DeclaredColumn {
  readonly type?: ColumnType
  readonly decimalComma?: boolean
  readonly dayOrder?: 'mdy' | 'dmy'
  readonly nulls?: readonly string[]
}

/** Narrowest first. */
const CHOICES: readonly (readonly [bits: number, reading: CellReading])[] = [
  [BOOLEAN, { type: 'boolean', format: {} }],
  [BIGINT, { type: 'bigint', format: {} }],
  [DOUBLE, { type: 'double precision', format: {} }],
  [NUMERIC, { type: 'numeric', format: {} }],
  [DECIMAL_COMMA, { type: 'numeric', format: { decimalComma: true } }],
  [DATE, { type: 'date', format: {} }],
  [TIMESTAMP, { type: 'timestamp', format: {} }],
  [TIMESTAMPTZ, { type: 'timestamptz', format: {} }],
]
const BITS: Readonly<Record<ColumnType, number>> = {
  boolean: BOOLEAN,
  bigint: BIGINT,
  'double precision': DOUBLE,
  numeric: NUMERIC | DECIMAL_COMMA,
  date: DATE | DATE_MDY | DATE_DMY,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMPTZ,
  text: 0,
}
/** What holds every value of a type, where the cells are more than that. */
const WIDER: Readonly<Partial<Record<ColumnType, ColumnType>>> = { bigint: 'numeric', 'double precision': 'numeric' }

const TEXT: CellReading = { type: 'text', format: {} }

/** What one column of a file is: from its evidence, what is declared, and what it was before. */
export function readingOf(
  types: number,
  words: number,
  declared: DeclaredColumn = {},
  before?: CellReading,
): CellReading & { readonly isAmbiguousDay?: true } {
  const nulls = declared.nulls ?? NULL_WORDS.filter((_, index) => (words & (1 << index)) !== 0)
  const isOnlyWords = types === ANY_TYPE
  if (declared.type !== undefined) return typed(declared.type, types, declared, nulls)
  if (isOnlyWords && words === 0) return before ?? { format: {} }
  if (isOnlyWords && before?.type === undefined) return TEXT
  // Several words may mean several things: as text, nothing is lost.
  if (types === 0 || (nulls.length > 1 && declared.nulls === undefined)) return TEXT
  const order = declared.dayOrder ?? before?.format.dayOrder
  const found = before?.type === undefined ? narrowest(types, order) : widened(before.type, types, order)
  if (found === undefined) {
    const isAmbiguousDay = (types & DATE_MDY) !== 0 && (types & DATE_DMY) !== 0
    return isAmbiguousDay ? { ...TEXT, isAmbiguousDay } : TEXT
  }
  return found.type === 'text' || nulls.length === 0 ? found : { ...found, format: { ...found.format, nulls } }
}

function narrowest(types: number, order: 'mdy' | 'dmy' | undefined): CellReading | undefined {
  return CHOICES.find(([bits]) => (types & bits) !== 0)?.[1] ?? dayReading(types, order)
}

function widened(type: ColumnType, types: number, order: 'mdy' | 'dmy' | undefined): CellReading | undefined {
  if (type === 'text') return TEXT
  if ((types & BITS[type]) !== 0) {
    if (type === 'date' && (types & DATE) === 0) return dayReading(types, order)
    if (type === 'numeric' && (types & NUMERIC) === 0) return { type, format: { decimalComma: true } }
    return { type, format: {} }
  }
  const wider = WIDER[type]
  return wider === undefined ? undefined : widened(wider, types, order)
}

function dayReading(types: number, declared: 'mdy' | 'dmy' | undefined): CellReading | undefined {
  const [mdy, dmy] = [(types & DATE_MDY) !== 0, (types & DATE_DMY) !== 0]
  const order = mdy && dmy ? declared : mdy ? 'mdy' : dmy ? 'dmy' : undefined
  return order === undefined ? undefined : { type: 'date', format: { dayOrder: order } }
}

/** A declared type is kept: what does not fit is a dead letter. */
function typed(type: ColumnType, types: number, declared: DeclaredColumn, nulls: readonly string[]): CellReading {
  if (type === 'text') return TEXT
  const order = declared.dayOrder
  const hasComma = declared.decimalComma ?? (types & (NUMERIC | DECIMAL_COMMA)) === DECIMAL_COMMA
  return {
    type,
    format: {
      ...(hasComma && type === 'numeric' ? { decimalComma: true } : {}),
      ...(type === 'date' && order !== undefined ? { dayOrder: order } : {}),
      ...(nulls.length === 0 ? {} : { nulls }),
    },
  }
}

/** What a column of a staging table may be. */
export type StageType = ColumnType

const STAGE_BITS: Readonly<Record<Exclude<StageType, 'text'>, number>> = {
  boolean: BOOLEAN,
  bigint: BIGINT,
  'double precision': DOUBLE,
  numeric: NUMERIC,
  date: DATE,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMPTZ,
}

/** As what a column is staged: what is read where a file comes in need not be read again where it ends. */
export function stageTypeOf({ type, format }: CellReading): StageType {
  return type === undefined || Object.keys(format).length > 0 ? 'text' : type
}

/** Whether COPY takes all cells of a piece into a column of the stage. */
export function fitsStage(stage: StageType, types: number, words: number, empties: number): boolean {
  return stage === 'text' || ((types & STAGE_BITS[stage]) !== 0 && words === 0 && empties === 0)
}

/** Whether the value of a staged cell gives the value of the column: integers and days alone keep how they were written. */
export function isReadable(stage: StageType, { type = 'text' }: CellReading): boolean {
  return stage === 'text' || stage === type || stage === 'bigint' || stage === 'date'
}

/** The value of a cell in SQL, from an expression that gives it as it is staged. */
export function valueSql(cell: string, { type = 'text', format }: CellReading, stage: StageType = 'text'): string {
  if (type === stage) return cell
  if (stage !== 'text') return `(${cell})::${type}`
  const missing = ['', ...(format.nulls ?? [])].map(quoteText).join()
  const text =
    format.nulls === undefined ? `nullif(${cell}, '')` : `case when ${cell} not in (${missing}) then ${cell} end`
  if (format.decimalComma === true) return `replace(${text}, ',', '.')::${type}`
  if (format.dayOrder !== undefined) {
    return `to_date(${text}, '${format.dayOrder === 'mdy' ? 'MM/DD/YYYY' : 'DD/MM/YYYY'}')`
  }
  return `(${text})::${type}`
}

/** How the values of a column become those of a wider type. Doubles go by their digits: the direct way cuts them. */
export function widenSql(column: string, to: ColumnType): string {
  return `${column}::text::${to}`
}

/** Most bytes that a column takes on a page. */
export function bytesOnPage(type: ColumnType | undefined, longest: number): number {
  if (type === 'boolean') return 1
  if (type === 'date') return 4
  if (type === undefined || type === 'text' || type === 'numeric') {
    // What is longer than a pointer can be moved off the page.
    return Math.min(longest, 20) + 4
  }
  return 8
}

/** Bits of which a cell must have one, to be of the type that is declared; 0 where any text will do. */
export function acceptedBits({ type, decimalComma, dayOrder }: DeclaredColumn): number {
  if (type === undefined || type === 'text') return 0
  if (type === 'double precision') return DOUBLE | NUMERIC
  if (type === 'numeric') return decimalComma === true ? DECIMAL_COMMA : NUMERIC
  if (type === 'date') return dayOrder === undefined ? DATE : dayOrder === 'mdy' ? DATE_MDY : DATE_DMY
  return BITS[type]
}
