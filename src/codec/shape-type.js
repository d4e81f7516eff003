/** Wider or deeper objects are dictionaries or documents: they go as tagged values. */
const MAX_KEYS = 64
const MAX_DEPTH = 6
/** Elements that are looked at to learn what an array holds. */
const LOOK_AT = 16
export function isObjectType(type) {
  return typeof type === 'object' && 'o' in type
}
export function isArrayType(type) {
  return typeof type === 'object' && 'a' in type
}
/** Two integers that an `int32` word holds; -0 is not one of them. */
export function isInt32(value) {
  return (value | 0) === value && !Object.is(value, -0)
}
export function isPlainObject(value) {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
/** Values of one signature can share a type; undefined: nothing to learn. */
export function signatureOf(value) {
  if (isPlainObject(value)) {
    const keys = Object.keys(value)
    return keys.length > MAX_KEYS ? undefined : JSON.stringify(keys)
  }
  if (typeof value === 'number' || typeof value === 'string') return typeof value
  return Array.isArray(value) ? 'array' : undefined
}
export function typeOf(value, depth = 0) {
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
function typeOfObject(value, depth) {
  if (value instanceof Date) return 'd'
  if (Array.isArray(value)) {
    const element = value.slice(0, LOOK_AT).reduce((type, item) => widen(type, typeOf(item, depth + 1)), '0')
    return element === '?' ? '?' : { a: element }
  }
  if (!isPlainObject(value)) return '?'
  const entries = Object.entries(value)
  return entries.length > MAX_KEYS ? '?' : { o: entries.map(([key, item]) => [key, typeOf(item, depth + 1)]) }
}
/** The narrowest type that holds the values of both. */
export function widen(a, b) {
  if (a === b || b === '0') return a
  if (a === '0') return b
  if (typeof a === 'string' && typeof b === 'string')
    return (a === 'i' || a === 'f') && (b === 'i' || b === 'f') ? 'f' : '?'
  if (isArrayType(a) && isArrayType(b)) {
    const element = widen(a.a, b.a)
    return element === '?' ? '?' : { a: element }
  }
  if (isObjectType(a) && isObjectType(b) && haveSameKeys(a, b)) {
    return { o: a.o.map(([key, type], i) => [key, widen(type, b.o[i][1])]) }
  }
  return '?'
}
function haveSameKeys(a, b) {
  return a.o.length === b.o.length && a.o.every(([key], i) => key === b.o[i][0])
}
/** Leaves of a type: a measure of the code that it compiles to. */
export function sizeOf(type) {
  if (isArrayType(type)) return 1 + sizeOf(type.a)
  return isObjectType(type) ? type.o.reduce((sum, [, field]) => sum + sizeOf(field), 1) : 1
}
