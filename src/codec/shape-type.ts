/**
 * What the shape codec learns of a value. Texts of types stand in a lane's shape table, as JSON.
 *
 *     'i' int32   'f' number   'b' boolean   's' string   'd' Date   '?' anything, tagged   '0' not seen yet
 *     { o: [[key, type], …] } a plain object with these keys in this order
 *     { a: type } an array of one type, without holes and names
 */
export type ShapeType = 'i' | 'f' | 'b' | 's' | 'd' | '?' | '0' | ObjectType | ArrayType
export interface ObjectType {
  readonly o: readonly (readonly [string, ShapeType])[]
}
export interface ArrayType {
  readonly a: ShapeType
}

/** Wider or deeper objects are dictionaries or documents: they go as tagged values. */
const MAX_KEYS = 64
const MAX_DEPTH = 6
/** Characters of all keys of a type: longer texts are no names of fields. */
const MAX_KEY_CHARS = 4096
/** Leaves of a type, as `sizeOf` counts them. */
const MAX_LEAVES = 256
/** Elements that are looked at to learn what an array holds. */
const LOOK_AT = 16

export function isObjectType(type: ShapeType): type is ObjectType {
  return typeof type === 'object' && 'o' in type
}

export function isArrayType(type: ShapeType): type is ArrayType {
  return typeof type === 'object' && 'a' in type
}

/** Two integers that an `int32` word holds; -0 is not one of them. */
export function isInt32(value: number): boolean {
  return (value | 0) === value && !Object.is(value, -0)
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Values of one signature can share a type; undefined: nothing to learn. */
export function signatureOf(value: unknown): string | undefined {
  if (isPlainObject(value)) {
    const keys = Object.keys(value)
    return areNames(keys, MAX_KEY_CHARS) ? JSON.stringify(keys) : undefined
  }
  if (typeof value === 'number' || typeof value === 'string') return typeof value
  return Array.isArray(value) ? 'array' : undefined
}

/** The signature of the values that have a type; types are learned of values with a signature only. */
export function signatureOfType(type: ShapeType): string {
  if (isObjectType(type)) return JSON.stringify(type.o.map(([key]) => key))
  return isArrayType(type) ? 'array' : type === 's' ? 'string' : 'number'
}

/** Whether keys may be those of records, and not of a dictionary. */
function areNames(keys: readonly string[], mostChars: number): boolean {
  return keys.length <= MAX_KEYS && charsOf(keys) <= mostChars
}

function charsOf(keys: readonly string[]): number {
  return keys.reduce((sum, key) => sum + key.length, 0)
}

/** @returns the type of a value; '?' where it would have more than MAX_LEAVES leaves */
export function typeOf(value: unknown): ShapeType {
  const type = new Look().typeOf(value, 0)
  return isTooLarge(type) ? '?' : type
}

/** Looks at a value. However its parts refer to each other, it looks at no more of them than a type may have. */
class Look {
  #left = 2 * MAX_LEAVES
  #chars = MAX_KEY_CHARS

  typeOf(value: unknown, depth: number): ShapeType {
    switch (typeof value) {
      case 'number':
        return isInt32(value) ? 'i' : 'f'
      case 'string':
        return 's'
      case 'boolean':
        return 'b'
      case 'object':
        return depth > MAX_DEPTH || this.#left-- <= 0 ? '?' : this.#object(value, depth)
      default:
        return '?'
    }
  }

  #object(value: object | null, depth: number): ShapeType {
    if (value instanceof Date) return 'd'
    if (Array.isArray(value)) return arrayOf(this.#elements(value, depth))
    if (!isPlainObject(value)) return '?'
    const keys = Object.keys(value)
    if (!areNames(keys, this.#chars)) return '?'
    this.#chars -= charsOf(keys)
    return { o: keys.map((key) => [key, this.typeOf(value[key], depth + 1)] as const) }
  }

  #elements(values: readonly unknown[], depth: number): ShapeType {
    let type: ShapeType = '0'
    for (let i = 0; i < Math.min(LOOK_AT, values.length) && type !== '?'; i++)
      type = widen(type, this.typeOf(values[i], depth + 1))
    return type
  }
}

function arrayOf(element: ShapeType): ShapeType {
  return element === '?' ? '?' : { a: element }
}

/** Nothing in a value of the type can be of any size, or refer to what contains it. */
export function isFlat(type: ShapeType): boolean {
  if (isObjectType(type)) return type.o.every(([, field]) => isFlat(field))
  return type !== '?' && !isArrayType(type)
}

/** The type that takes every plain object with the keys of `type`. */
export function loosest(type: ObjectType): ObjectType {
  return { o: type.o.map(([key]) => [key, '?'] as const) }
}

/** The narrowest type that holds the values of both; `a` itself where it does. */
export function widen(a: ShapeType, b: ShapeType): ShapeType {
  if (a === b || b === '0') return a
  if (a === '0') return b
  if (typeof a === 'string' && typeof b === 'string')
    return (a === 'i' || a === 'f') && (b === 'i' || b === 'f') ? 'f' : '?'
  if (isArrayType(a) && isArrayType(b)) {
    const element = widen(a.a, b.a)
    return element === a.a ? a : arrayOf(element)
  }
  if (isObjectType(a) && isObjectType(b) && haveSameKeys(a, b)) {
    const fields = a.o.map(([, type], i) => widen(type, b.o[i]![1]))
    return fields.every((type, i) => type === a.o[i]![1]) ? a : { o: a.o.map(([key], i) => [key, fields[i]!] as const) }
  }
  return '?'
}

function haveSameKeys(a: ObjectType, b: ObjectType): boolean {
  return a.o.length === b.o.length && a.o.every(([key], i) => key === b.o[i]![0])
}

export function isTooLarge(type: ShapeType): boolean {
  return sizeOf(type) > MAX_LEAVES
}

/** Leaves of a type: a measure of the code that it compiles to. */
function sizeOf(type: ShapeType): number {
  if (isArrayType(type)) return 1 + sizeOf(type.a)
  return isObjectType(type) ? type.o.reduce((sum, [, field]) => sum + sizeOf(field), 1) : 1
}
