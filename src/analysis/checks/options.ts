import type { NodeKind, StructType, Technology } from '../../graph/types.ts'
import { STRUCT_TYPES, TECHNOLOGIES } from '../../graph/types.ts'
import type { OptionSpec, OptionTable } from '../../options/index.ts'
import type { Place, ProblemCode, ReportProblem } from '../problems.ts'
import { quote, showValue } from '../problems.ts'
import { nearest } from '../nearest.ts'

/** What is checked: an entry's options, the keys that are no options, the kind that takes them, and where it stands. */
export interface OptionsToCheck {
  readonly given: object
  readonly table: OptionTable
  readonly place: Place
  /** How messages begin: "Node `parse`". */
  readonly title: string
  readonly ignore?: readonly string[]
  readonly kind?: NodeKind
  /** Of nested options: the option that holds them. */
  readonly prefix?: string
}

interface Fault {
  readonly code: ProblemCode
  readonly want: string
}

/**
 * Holds options against their table: unknown keys, kinds, types, bounds, nested objects.
 * @returns the keys of `given` that have a problem
 */
export function checkOptions(check: OptionsToCheck, report: ReportProblem): readonly string[] {
  const ignore = check.ignore ?? []
  return Object.entries(check.given).flatMap(([key, value]) =>
    value === undefined || ignore.includes(key) || checkOption(check, key, value, report) ? [] : [key],
  )
}

function checkOption(check: OptionsToCheck, key: string, value: unknown, report: ReportProblem): boolean {
  const { table, place, title, kind, prefix = '' } = check
  const name = prefix + key
  const here = { ...place, option: name }
  const spec = Object.hasOwn(table, key) ? table[key] : undefined
  if (spec === undefined) {
    reportUnknown(check, key, here, report)
    return false
  }
  if (kind !== undefined && spec.kinds !== undefined && !spec.kinds.includes(kind)) {
    report('OPTION_NOT_FOR_KIND', `${title}: a ${kind} does not take ${quote(name)}, only ${list(spec.kinds)}.`, here)
    return false
  }
  const fault = faultOf(spec, value)
  if (fault !== undefined) {
    report(fault.code, `${title}: ${quote(name)} must be ${fault.want}, not ${showValue(value)}.`, here)
    return false
  }
  if (spec.fields === undefined || typeof value === 'number') return true
  const nested = { given: value as object, table: spec.fields, place, title, prefix: `${name}.` }
  return checkOptions(nested, report).length === 0
}

function reportUnknown(
  { table, title, prefix = '' }: OptionsToCheck,
  key: string,
  here: Place,
  report: ReportProblem,
): void {
  const near = nearest(key, Object.keys(table))
  const fix = near === undefined ? undefined : `Did you mean ${quote(prefix + near)}?`
  report('OPTION_UNKNOWN', `${title}: there is no option ${quote(prefix + key)}.`, here, fix)
}

function faultOf(spec: OptionSpec, value: unknown): Fault | undefined {
  if (spec.type === 'integer' || spec.type === 'number') return numberFault(spec, value)
  if (spec.type === 'limit') return limitFault(spec, value)
  const { accepts, code, want } = TYPES[spec.type]
  const values = spec.values ?? []
  return accepts(value, values) ? undefined : { code, want: want(list(values)) }
}

/** What a value that is no number must be: the check, the problem's code, and how the message says it. */
const TYPES: Readonly<
  Record<
    Exclude<OptionSpec['type'], 'integer' | 'number' | 'limit'>,
    {
      accepts: (value: unknown, values: readonly string[]) => boolean
      code: ProblemCode
      want: (values: string) => string
    }
  >
> = {
  boolean: { accepts: (value) => typeof value === 'boolean', code: 'OPTION_TYPE_WRONG', want: () => 'a boolean' },
  string: { accepts: (value) => typeof value === 'string', code: 'OPTION_TYPE_WRONG', want: () => 'a string' },
  strings: {
    accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
    code: 'OPTION_TYPE_WRONG',
    want: () => 'an array of strings',
  },
  object: { accepts: isPlain, code: 'OPTION_TYPE_WRONG', want: () => 'an object' },
  signal: {
    accepts: (value) => value instanceof AbortSignal,
    code: 'OPTION_TYPE_WRONG',
    want: () => 'an AbortSignal',
  },
  logger: {
    accepts: (value) => typeof value === 'boolean' || isPlain(value),
    code: 'OPTION_TYPE_WRONG',
    want: () => 'a boolean or a pino',
  },
  clonable: { accepts: isClonable, code: 'OPTION_TYPE_WRONG', want: () => 'what `structuredClone` takes' },
  handler: { accepts: isHandler, code: 'HANDLER_INVALID', want: () => 'a function or `{ module, export }`' },
  oneOf: {
    accepts: (value, values) => values.includes(value as string),
    code: 'OPTION_VALUE_UNKNOWN',
    want: (values) => values,
  },
  via: {
    accepts: (value) => isPlain(value) && TECHNOLOGIES.includes(Reflect.get(value, 'technology') as Technology),
    code: 'OPTION_TYPE_WRONG',
    want: () => 'what `nats`, `redis`, `rabbitmq` or `postgres` make',
  },
  codec: {
    accepts: (value, values) => values.includes(value as string) || isStruct(value) || isBorrowed(value),
    code: 'OPTION_VALUE_UNKNOWN',
    want: (values) =>
      `${values}, \`{ bytes: 'borrow' }\`, \`{ struct: type, view }\`, or \`{ struct: { field: type }, view }\` ` +
      `with types ${list(STRUCT_TYPES)} and fields other than ${list(TAKEN_FIELDS)}`,
  },
}

function numberFault(spec: OptionSpec, value: unknown): Fault | undefined {
  if (spec.words?.includes(value as string) === true) return undefined
  const words = spec.words === undefined ? '' : `, or ${list(spec.words.map(quote))}`
  const want = `${spec.type === 'integer' ? 'an integer' : 'a number'}${bounds(spec)}${words}`
  if (typeof value !== 'number') return { code: 'OPTION_TYPE_WRONG', want }
  if (!Number.isFinite(value)) return { code: 'OPTION_NOT_FINITE', want }
  if (spec.type === 'integer' && !Number.isInteger(value)) return { code: 'OPTION_TYPE_WRONG', want }
  const { min = -Infinity, max = Infinity, above = -Infinity } = spec
  return value < min || value > max || value <= above ? { code: 'OPTION_OUT_OF_BOUNDS', want } : undefined
}

/** A number, or an object that has at least the first of the fields. */
function limitFault(spec: OptionSpec, value: unknown): Fault | undefined {
  const [first] = Object.keys(spec.fields!)
  const want = `a number${bounds(spec)}, or an object with ${quote(first!)}`
  const isMeant = typeof value === 'number' || (isPlain(value) && Reflect.get(value, first!) !== undefined)
  if (!isMeant) return { code: 'OPTION_TYPE_WRONG', want }
  const fault = typeof value === 'number' ? numberFault(spec, value) : undefined
  return fault && { ...fault, want }
}

function bounds({ min, max, above, unit }: OptionSpec): string {
  const lower = min === undefined ? (above === undefined ? '' : ` above ${above}`) : ` of at least ${min}`
  const upper = max === undefined ? '' : `${lower === '' ? ' of' : ' and'} at most ${max}`
  return `${lower}${upper}${unit === undefined ? '' : ` (${unit})`}`
}

function isClonable(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

export function isHandler(value: unknown): boolean {
  if (typeof value === 'function') return true
  if (!isPlain(value)) return false
  const { module, export: name } = value as { module?: unknown; export?: unknown }
  return isText(module) && isText(name) && Object.keys(value).length === 2
}

/** What every object has, and the methods of the view of a struct (`codec/struct-view.ts`). */
const TAKEN_FIELDS: readonly string[] = ['__proto__', 'constructor', 'moveTo', 'put', 'toObject']

/** `{ struct: type, view? }` or `{ struct: { field: type }, view? }`: there are no arrays of booleans that could be lent. */
function isStruct(value: unknown): boolean {
  if (!isPlain(value)) return false
  const { struct, view, ...more } = value as { struct?: unknown; view?: unknown }
  if (Object.keys(more).length > 0 || (view !== undefined && typeof view !== 'boolean')) return false
  if (!isPlain(struct)) return isStructType(struct) && !(struct === 'bool' && view === true)
  const fields = Object.entries(struct)
  return fields.length > 0 && fields.every(([name, type]) => !TAKEN_FIELDS.includes(name) && isStructType(type))
}

function isStructType(value: unknown): boolean {
  return STRUCT_TYPES.includes(value as StructType)
}

function isBorrowed(value: unknown): boolean {
  return isPlain(value) && Object.keys(value).length === 1 && (value as { bytes?: unknown }).bytes === 'borrow'
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

export function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
