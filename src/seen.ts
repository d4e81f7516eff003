import { shown, shownText } from './shown.ts'

/** Fields whose names are told, and characters of a type's name. */
const MOST_FIELDS = 32
const MOST_TYPE = 200

/** Makes of a record what may be seen of it. */
export type Redact = (record: unknown) => unknown

/**
 * What may be seen of a record, as JSON of about so many bytes at most: what `redact` makes of it, and without one the names and
 * types of its fields. @throws what `redact` throws
 */
export function seenText(record: unknown, redact: Redact | undefined, bytes: number): string {
  return shownText(redact === undefined ? typesOf(record, 2) : redact(record), { bytes })
}

/** The names of a record's fields; of another value, what it is. */
export function fieldsOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const name = Array.isArray(value) ? 'array' : (Object.getPrototypeOf(value)?.constructor?.name ?? 'Object')
  if (name !== 'Object') return String(name).slice(0, MOST_TYPE)
  return `{ ${Object.keys(value).slice(0, MOST_FIELDS).join(', ')} }`.slice(0, MOST_TYPE)
}

function typesOf(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  if (depth === 0 || fieldsOf(value)[0] !== '{') return fieldsOf(value)
  const fields = shown(Object.keys(value)) as readonly string[]
  return Object.fromEntries(
    fields
      .slice(0, MOST_FIELDS)
      .map((name) => [name, typesOf(Object.getOwnPropertyDescriptor(value, name)?.value, depth - 1)]),
  )
}
