/** What is declared of an import: `millrace-import.json` in its directory, or the same as an object. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { COLUMN_TYPES, type DeclaredColumn } from './column-types.ts'
import { ENCODINGS } from './dialect.ts'
import { ImportProblem } from './problem.ts'
import type { DeclaredDialect } from './sniff.ts'

export const DECLARED_FILE = 'millrace-import.json'

export const MODES = ['replace', 'append', 'upsert'] as const
/** How rows of a file meet those of its table: docs/import.md. */
export type Mode = (typeof MODES)[number]

/** Files that become one table. */
export interface DeclaredKind extends DeclaredDialect, Omit<DeclaredColumn, 'type'> {
  /** Paths: `orders.csv`, `orders_*.csv`, `**` for any folders, `{tenant}/orders.csv` for a column `tenant`. */
  readonly pattern: string
  /** The name of the kind. Default: from the pattern. */
  readonly name?: string
  /** The table. Default: from the name. */
  readonly table?: string
  readonly mode?: Mode
  /** With `upsert`: titles of the columns that tell rows apart. */
  readonly key?: readonly string[]
  /** What is declared of single columns, by their titles. */
  readonly columns?: Readonly<Record<string, DeclaredColumn>>
  /** Share of dead letters from which a file fails, 0 to 1. Default: as the import says. */
  readonly maxDead?: number
  /** Of all files of the kind together. */
  readonly limits?: FlowLimits & Pick<Limits, 'statementTimeoutMs'>
}

/** What one kind, or one tenant, may ask of the database. */
export interface FlowLimits {
  /** Maximum number of rows read per second. Default: no limit. */
  readonly rowsPerSecond?: number
  /** Connections that are at work for it at once, at most. Default: any number. */
  readonly connections?: number
}

/** What the database is not to be asked for more of. */
export interface Limits {
  /** Connections to a server. Default: 4. */
  readonly connections?: number
  /** Maximum number of rows read per second. Default: no limit. */
  readonly rowsPerSecond?: number
  /** Time after which a statement is cancelled and its file fails. Default: the server setting. */
  readonly statementTimeoutMs?: number
  /** Of each tenant: what stands for the first placeholder of its kind's pattern, else the first folder. */
  readonly perTenant?: FlowLimits
  /** A server that takes longer to answer a question that asks nothing is slow: the import holds back until it is not. Default: 200. */
  readonly latencyMs?: number
}

export interface Declared {
  /** The name under which the database keeps what comes from here. Default: the directory's. */
  readonly source?: string
  /** The schema of the tables. Default: one of the source's own. */
  readonly schema?: string
  readonly kinds?: readonly DeclaredKind[]
  /** Patterns of files that are none of the import's. */
  readonly ignore?: readonly string[]
  /** Share of dead letters from which a file fails, 0 to 1. Default: 0.5. */
  readonly maxDead?: number
  readonly limits?: Limits
  /** Where a message is posted when something has gone wrong. */
  readonly webhook?: string
}

/** @throws ImportProblem where the file is there and cannot be used */
export function readDeclared(directory: string): Declared {
  const path = join(directory, DECLARED_FILE)
  if (!existsSync(path)) return {}
  let declared: unknown
  try {
    declared = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ImportProblem(`${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  const problems = checkDeclared(declared)
  if (problems.length > 0) throw new ImportProblem(`${path}:\n${problems.map((each) => `- ${each}`).join('\n')}`)
  return declared as Declared
}

type Check = (value: unknown) => string | undefined

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text')
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false')
const share: Check = (value) => (typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'a share, 0 to 1')
const count: Check = (value) => (Number.isInteger(value) && (value as number) >= 0 ? undefined : 'a whole number')
const positive: Check = (value) => (typeof value === 'number' && value > 0 ? undefined : 'a number above 0')
const address: Check = (value) =>
  typeof value === 'string' && /^https?:\/\//.test(value)
    ? undefined
    : 'an address that begins with http:// or https://'
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string) ? undefined : `one of ${values.map((each) => JSON.stringify(each)).join(', ')}`
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((each) => check(each) === undefined)
      ? undefined
      : `a list, each ${check(undefined)}`
const anyText: Check = (value) => (typeof value === 'string' ? undefined : 'a text')
const character: Check = (value) =>
  typeof value === 'string' && value.length === 1 && value.charCodeAt(0) < 128 && !'"\r\n'.includes(value)
    ? undefined
    : 'one character of ASCII, and no quote or line break'

const COLUMN: Readonly<Record<string, Check>> = {
  type: oneOf(...COLUMN_TYPES),
  decimalComma: flag,
  dayOrder: oneOf('mdy', 'dmy'),
  nulls: listOf(anyText),
}
const KIND: Readonly<Record<string, Check>> = {
  pattern: text,
  name: text,
  table: text,
  mode: oneOf(...MODES),
  key: listOf(text),
  delimiter: character,
  encoding: oneOf(...ENCODINGS),
  escape: oneOf('double', 'backslash'),
  header: (value) =>
    typeof value === 'boolean' || listOf(text)(value) === undefined ? undefined : 'true, false or titles',
  skipLines: count,
  decimalComma: flag,
  dayOrder: oneOf('mdy', 'dmy'),
  nulls: listOf(anyText),
  maxDead: share,
  columns: (value) => (isObject(value) ? undefined : 'an object by title'),
  limits: (value) => (isObject(value) ? undefined : 'an object'),
}
const connections: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 ? undefined : 'a whole number above 0'
const milliseconds: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 ? undefined : 'whole milliseconds'
const FLOW: Readonly<Record<string, Check>> = { connections, rowsPerSecond: positive }
const KIND_LIMITS: Readonly<Record<string, Check>> = { ...FLOW, statementTimeoutMs: milliseconds }
const LIMITS: Readonly<Record<string, Check>> = {
  ...KIND_LIMITS,
  latencyMs: positive,
  perTenant: (value) => (isObject(value) ? undefined : 'an object'),
}
const ALL: Readonly<Record<string, Check>> = {
  source: text,
  schema: text,
  ignore: listOf(text),
  maxDead: share,
  kinds: (value) => (Array.isArray(value) ? undefined : 'a list'),
  limits: (value) => (isObject(value) ? undefined : 'an object'),
  webhook: address,
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Everything that is wrong with it, in sentences. */
export function checkDeclared(declared: unknown): string[] {
  const problems = checkObject(declared, ALL, '')
  const limits = isObject(declared) ? declared['limits'] : undefined
  if (isObject(limits)) problems.push(...checkObject(limits, LIMITS, 'limits'))
  if (isObject(limits) && isObject(limits['perTenant']))
    problems.push(...checkObject(limits['perTenant'], FLOW, 'limits.perTenant'))
  const kinds = isObject(declared) && Array.isArray(declared['kinds']) ? (declared['kinds'] as unknown[]) : []
  for (const [i, kind] of kinds.entries()) {
    const at = `kinds[${i}]`
    problems.push(...checkObject(kind, KIND, at))
    if (!isObject(kind)) continue
    if (isObject(kind['limits'])) problems.push(...checkObject(kind['limits'], KIND_LIMITS, `${at}.limits`))
    if (kind['pattern'] === undefined) problems.push(`${at} has no pattern.`)
    const hasKey = Array.isArray(kind['key']) && kind['key'].length > 0
    if ((kind['mode'] === 'upsert') !== hasKey) problems.push(`${at}: the mode upsert, and no other, has a key.`)
    if (!isObject(kind['columns'])) continue
    for (const [title, column] of Object.entries(kind['columns']))
      problems.push(...checkObject(column, COLUMN, `${at}.columns[${JSON.stringify(title)}]`))
  }
  return problems
}

function checkObject(value: unknown, checks: Readonly<Record<string, Check>>, at: string): string[] {
  if (!isObject(value)) return [`${at === '' ? 'It' : at} is no object.`]
  return Object.entries(value).flatMap(([name, field]) => {
    const path = at === '' ? name : `${at}.${name}`
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check === undefined) return [`There is no ${path}; there are ${Object.keys(checks).join(', ')}.`]
    const expected = check(field)
    return expected === undefined ? [] : [`${path} is ${expected}.`]
  })
}
