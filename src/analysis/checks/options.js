import { STRUCT_TYPES } from '../../graph/types.js'
import { quote, show } from '../problems.js'
/**
 * Holds options against their table: unknown keys, kinds, types, bounds, nested objects.
 * @returns the keys of `given` that have a problem
 */
export function checkOptions(check, report) {
  const ignore = check.ignore ?? []
  return Object.entries(check.given).flatMap(([key, value]) =>
    value === undefined || ignore.includes(key) || checkOption(check, key, value, report) ? [] : [key],
  )
}
function checkOption(check, key, value, report) {
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
    report(fault.code, `${title}: ${quote(name)} must be ${fault.want}, not ${show(value)}.`, here)
    return false
  }
  if (spec.type !== 'object' || spec.fields === undefined) return true
  const nested = { given: value, table: spec.fields, place, title, prefix: `${name}.` }
  return checkOptions(nested, report).length === 0
}
function reportUnknown({ table, title, prefix = '' }, key, here, report) {
  const near = nearest(key, Object.keys(table))
  const fix = near === undefined ? undefined : `Did you mean ${quote(prefix + near)}?`
  report('OPTION_UNKNOWN', `${title}: there is no option ${quote(prefix + key)}.`, here, fix)
}
function faultOf(spec, value) {
  if (spec.type === 'integer' || spec.type === 'number') return numberFault(spec, value)
  const { accepts, code, want } = TYPES[spec.type]
  const values = spec.values ?? []
  return accepts(value, values) ? undefined : { code, want: want(list(values)) }
}
/** What a value that is no number must be: the check, the problem's code, and how the message says it. */
const TYPES = {
  boolean: { accepts: (value) => typeof value === 'boolean', code: 'OPTION_TYPE_WRONG', want: () => 'a boolean' },
  string: { accepts: (value) => typeof value === 'string', code: 'OPTION_TYPE_WRONG', want: () => 'a string' },
  object: { accepts: isPlain, code: 'OPTION_TYPE_WRONG', want: () => 'an object' },
  signal: {
    accepts: (value) => value instanceof AbortSignal,
    code: 'OPTION_TYPE_WRONG',
    want: () => 'an AbortSignal',
  },
  handler: { accepts: isHandler, code: 'HANDLER_INVALID', want: () => 'a function or `{ module, export }`' },
  oneOf: {
    accepts: (value, values) => values.includes(value),
    code: 'OPTION_VALUE_UNKNOWN',
    want: (values) => values,
  },
  codec: {
    accepts: (value, values) => values.includes(value) || isStruct(value),
    code: 'OPTION_VALUE_UNKNOWN',
    want: (values) => `${values} or \`{ struct: { field: type } }\` with types ${list(STRUCT_TYPES)}`,
  },
}
function numberFault(spec, value) {
  const want = `${spec.type === 'integer' ? 'an integer' : 'a number'}${bounds(spec)}`
  if (typeof value !== 'number') return { code: 'OPTION_TYPE_WRONG', want }
  if (!Number.isFinite(value)) return { code: 'OPTION_NOT_FINITE', want }
  if (spec.type === 'integer' && !Number.isInteger(value)) return { code: 'OPTION_TYPE_WRONG', want }
  const { min = -Infinity, max = Infinity, above = -Infinity } = spec
  return value < min || value > max || value <= above ? { code: 'OPTION_OUT_OF_BOUNDS', want } : undefined
}
function bounds({ min, max, above, unit }) {
  const lower = min === undefined ? (above === undefined ? '' : ` above ${above}`) : ` of at least ${min}`
  const upper = max === undefined ? '' : `${lower === '' ? ' of' : ' and'} at most ${max}`
  return `${lower}${upper}${unit === undefined ? '' : ` (${unit})`}`
}
export function isHandler(value) {
  if (typeof value === 'function') return true
  if (!isPlain(value)) return false
  const { module, export: name } = value
  return isText(module) && isText(name) && Object.keys(value).length === 2
}
function isStruct(value) {
  const struct = isPlain(value) ? value.struct : undefined
  if (!isPlain(struct)) return false
  const types = Object.values(struct)
  return types.length > 0 && types.every((type) => STRUCT_TYPES.includes(type))
}
export function isText(value) {
  return typeof value === 'string' && value !== ''
}
export function isPlain(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
/** The name with the fewest changed letters, at most two; `undefined` where none is that near. */
function nearest(word, names) {
  let best
  let least = 3
  for (const name of names) {
    const changes = distance(word.toLowerCase(), name.toLowerCase(), least)
    if (changes < least) {
      least = changes
      best = name
    }
  }
  return best
}
/** Letters to insert, delete or replace between two words; `limit` where there are at least so many. */
function distance(a, b, limit) {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return Math.min(limit, row.at(-1) ?? 0)
}
