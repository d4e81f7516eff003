/** A text above this may be what was too large. */
const MAX_TEXT = 1_000

/** Inputs of failures that are what was left of another one: it cannot be sent either, and nothing of it is. */
const LEFT = new WeakSet<object>()

/**
 * What may be sent of a failure's input that cannot be sent as it is, in turn: its fields that are numbers, booleans, null or short
 * texts (of an array: of each of its items), then nothing. So the failure still has the key of its record.
 */
export function leftOf(input: unknown): unknown[] {
  if (input === undefined) return []
  if (typeof input !== 'object' || input === null || LEFT.has(input)) return [undefined]
  const left = Array.isArray(input) ? input.map(plainFields) : plainFields(input)
  if (left === undefined) return [undefined]
  LEFT.add(left)
  return [left, undefined]
}

function plainFields(value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const fields = Object.entries(value).filter(([, field]) => isPlain(field))
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

function isPlain(field: unknown): boolean {
  return (
    field === null ||
    typeof field === 'number' ||
    typeof field === 'boolean' ||
    (typeof field === 'string' && field.length <= MAX_TEXT)
  )
}
