import type { TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { MillraceError } from '../errors.ts'

/** Checks a part of a request, and gives it back. */
export type Checker = (given: unknown) => unknown

/** @returns what throws REQUEST_INVALID with the first faults */
export function checker(place: string, schema: TSchema): Checker {
  const compiled = Compile(schema)
  return (value) => {
    if (compiled.Check(value)) return value
    const faults = [...compiled.Errors(value)].map(({ instancePath, message }) => `${place}${instancePath} ${message}`)
    throw new MillraceError('REQUEST_INVALID', { reason: faults.slice(0, 5).join('; ') })
  }
}

/** As `checker`, for what comes as texts in an address: numbers and booleans are read first. */
export function textChecker(place: string, schema: TObject): Checker {
  const check = checker(place, schema)
  const types = new Map(
    Object.entries(schema.properties).map(([name, { type }]: [string, { type?: string }]) => [name, type]),
  )
  return (given) => {
    const entries = Object.entries(given as object).map(([name, text]) => [name, valueOf(text, types.get(name))])
    return check(Object.fromEntries(entries))
  }
}

/** What is not written as one stays a text, which the check then refuses: nothing is rounded or guessed. */
function valueOf(text: unknown, type: string | undefined): unknown {
  if (typeof text !== 'string') return text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  const isNumber = type === 'integer' || type === 'number'
  return isNumber && /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}
