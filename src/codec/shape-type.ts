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
    return keys.length > MAX_KEYS ? undefined : JSON.stringify(keys)
  }
  if (typeof value === 'number' || typeof value === 'string') return typeof value
  return Array.isArray(value) ? 'array' : undefined
}

export function typeOf(value: unknown, depth = 0): ShapeType {
  switch (typeof value) {
    case 'number':
      return isInt32(value) ? 'i' : 'f'
    case 'string':
      return 's'
    case 'boolean':
      return 'b'
    case 'object':
      return depth > MAX_DEPTH ? '?' : typeOfObject(value, depth)
    default:
      return '?'
  }
}

function typeOfObject(value: object | null, depth: number): ShapeType {
  if (value instanceof Date) return 'd'
  if (Array.isArray(value)) {
    const element = value.slice(0, LOOK_AT).reduce<ShapeType>((type, item) => widen(type, typeOf(item, depth + 1)), '0')
    return element === '?' ? '?' : { a: element }
  }
  if (!isPlainObject(value)) return '?'
  const entries = Object.entries(value)
  return entries.length > MAX_KEYS ? '?' : { o: entries.map(([key, item]) => [key, typeOf(item, depth + 1)] as const) }
}

/** The narrowest type that holds the values of both. */
export function widen(a: ShapeType, b: ShapeType): ShapeType {
  if (a === b || b === '0') return a
  if (a === '0') return b
  if (typeof a === 'string' && typeof b === 'string')
    return (a === 'i' || a === 'f') && (b === 'i' || b === 'f') ? 'f' : '?'
  if (isArrayType(a) && isArrayType(b)) {
    const element = widen(a.a, b.a)
    return element === '?' ? '?' : { a: element }
  }
  if (isObjectType(a) && isObjectType(b) && haveSameKeys(a, b)) {
    return { o: a.o.map(([key, type], i) => [key, widen(type, b.o[i]![1])] as const) }
  }
  return '?'
}

function haveSameKeys(a: ObjectType, b: ObjectType): boolean {
  return a.o.length === b.o.length && a.o.every(([key], i) => key === b.o[i]![0])
}

/** Leaves of a type: a measure of the code that it compiles to. */
export function sizeOf(type: ShapeType): number {
  if (isArrayType(type)) return 1 + sizeOf(type.a)
  return isObjectType(type) ? type.o.reduce((sum, [, field]) => sum + sizeOf(field), 1) : 1
}
