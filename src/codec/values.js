import { Decoder, Encoder, ExtData, ExtensionCodec } from '@msgpack/msgpack'
import { types } from 'node:util'
import { MillraceError } from '../errors.js'
/**
 * Any value as MessagePack, so that it arrives as `structuredClone` would define it. What MessagePack has no form for is an
 * extension; this table is the format.
 */
const UNDEFINED = 1
const NEGATIVE_ZERO = 2
const BIGINT = 3
const DATE = 4
const REGEXP = 5
const ERROR = 6
const MAP = 7
const SET = 8
const BUFFER = 9 // one byte: index in VIEWS, or 255 for an ArrayBuffer; then the bytes
const BOXED = 10
const STRING = 11 // a string with lone surrogates, as UTF-16
const ENTRIES = 12 // an object with a key that MessagePack's decoder refuses or changes
const ARRAY = 13 // an array with holes or names: length, then entries
const VIEWS = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]
const PLAIN_BUFFER = 255
const ERRORS = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}
/** Deeper values are refused: a cycle is one of them. */
const MAX_DEPTH = 500
/** An encoder keeps the largest buffer it ever needed; above this it is replaced. */
const KEEP_BUFFER_BYTES = 1 << 20
const EMPTY = new Uint8Array(0)
const UNDEFINED_DATA = new ExtData(UNDEFINED, EMPTY)
const NEGATIVE_ZERO_DATA = new ExtData(NEGATIVE_ZERO, EMPTY)
const extensions = new ExtensionCodec()
let encoder = newEncoder()
const decoder = new Decoder({ extensionCodec: extensions })
/**
 * @returns the bytes of `value`; valid until the next call
 * @throws RECORD_NOT_ENCODABLE with `reason`
 */
export function encodeValue(value) {
  return pack(value, 0)
}
/** @param bytes may lie in shared memory: nothing of the result refers to them */
export function decodeValue(bytes) {
  return decoder.decode(bytes)
}
function newEncoder() {
  return new Encoder({ extensionCodec: extensions, maxDepth: 2 * MAX_DEPTH })
}
/** Inner extensions are packed by `prepare`, before the outer value takes the encoder. */
function pack(value, depth) {
  const bytes = encoder.encodeSharedRef(prepare(value, depth))
  if (bytes.byteLength > KEEP_BUFFER_BYTES) encoder = newEncoder()
  return bytes
}
function nested(type, value, depth) {
  return new ExtData(type, pack(value, depth).slice())
}
/** The value itself where MessagePack carries it as it is; otherwise a copy with extensions in the places of the rest. */
function prepare(value, depth) {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : new ExtData(STRING, utf16(value))
    case 'number':
      return Object.is(value, -0) ? NEGATIVE_ZERO_DATA : value
    case 'boolean':
      return value
    case 'undefined':
      return UNDEFINED_DATA
    case 'bigint':
      return new ExtData(BIGINT, Buffer.from(value.toString(16)))
    case 'object':
      return value === null ? null : prepareObject(value, depth)
    default:
      throw refusal(`a ${typeof value} cannot be sent to another thread`)
  }
}
function prepareObject(value, depth) {
  if (depth > MAX_DEPTH) throw refusal(`it is nested more than ${MAX_DEPTH} deep, or refers to itself`)
  if (Array.isArray(value)) return prepareArray(value, depth)
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    if (types.isProxy(value)) throw refusal('a Proxy cannot be sent to another thread')
    return preparePlain(value, depth)
  }
  return prepareExotic(value, depth) ?? preparePlain(value, depth)
}
function prepareArray(values, depth) {
  const keys = Object.keys(values)
  if (keys.length !== values.length || (keys.length > 0 && keys.at(-1) !== String(values.length - 1))) {
    return nested(ARRAY, [values.length, keys.map((key) => [key, Reflect.get(values, key)])], depth + 1)
  }
  let copy
  for (let i = 0; i < values.length; i++) {
    const item = prepare(values[i], depth + 1)
    if (item !== values[i] && copy === undefined) copy = values.slice()
    if (copy !== undefined) copy[i] = item
  }
  return copy ?? values
}
function preparePlain(value, depth) {
  const keys = Object.keys(value)
  let copy
  for (const key of keys) {
    if (key === '__proto__' || !key.isWellFormed()) {
      return nested(
        ENTRIES,
        keys.map((each) => [each, Reflect.get(value, each)]),
        depth + 1,
      )
    }
    const field = Reflect.get(value, key)
    const item = prepare(field, depth + 1)
    if (item !== field && copy === undefined) copy = { ...value }
    if (copy !== undefined) copy[key] = item
  }
  return copy ?? value
}
/** Whatever has a form of its own; undefined for an instance of a user's class, which arrives as a plain object. */
function prepareExotic(value, depth) {
  if (types.isDate(value)) return new ExtData(DATE, new Uint8Array(Float64Array.of(value.getTime()).buffer))
  if (types.isMap(value)) return nested(MAP, [...value], depth + 1)
  if (types.isSet(value)) return nested(SET, [...value], depth + 1)
  if (types.isRegExp(value)) return nested(REGEXP, [value.source, value.flags], depth + 1)
  if (types.isNativeError(value)) return nested(ERROR, errorParts(value), depth + 1)
  if (ArrayBuffer.isView(value)) return prepareView(value)
  if (types.isArrayBuffer(value)) return new ExtData(BUFFER, tagged(PLAIN_BUFFER, new Uint8Array(value)))
  if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) return nested(BOXED, value.valueOf(), depth + 1)
  if (!isCloneable(value))
    throw refusal(`a ${value.constructor?.name ?? 'host object'} cannot be sent to another thread`)
  return undefined
}
function prepareView(view) {
  const index = VIEWS.findIndex((type) => view instanceof type)
  if (index < 0) throw refusal(`a ${view.constructor.name} has no form on a lane`)
  return new ExtData(BUFFER, tagged(index, new Uint8Array(view.buffer, view.byteOffset, view.byteLength)))
}
function isCloneable(value) {
  return !(
    types.isProxy(value) ||
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    types.isArgumentsObject(value) ||
    types.isMapIterator(value) ||
    types.isSetIterator(value) ||
    types.isModuleNamespaceObject(value) ||
    types.isExternal(value) ||
    types.isSymbolObject(value) ||
    types.isSharedArrayBuffer(value) ||
    types.isKeyObject(value) ||
    types.isCryptoKey(value) ||
    value instanceof WeakRef ||
    value instanceof Blob ||
    value instanceof MessagePort ||
    value instanceof ReadableStream ||
    value instanceof WritableStream ||
    value instanceof TransformStream ||
    // Iterators of arrays and strings, compiled WebAssembly: no test of `util.types` tells them.
    /Iterator|WebAssembly/.test(Object.prototype.toString.call(value))
  )
}
/** As `structuredClone`: the name of a built-in error, message, stack and cause; nothing else. */
function errorParts(error) {
  const name = Object.hasOwn(ERRORS, error.name) ? error.name : 'Error'
  const parts = [name, Object.hasOwn(error, 'message') ? error.message : undefined, error.stack]
  return Object.hasOwn(error, 'cause') ? [...parts, error.cause] : parts
}
function tagged(tag, bytes) {
  const data = new Uint8Array(1 + bytes.byteLength)
  data[0] = tag
  data.set(bytes, 1)
  return data
}
function utf16(text) {
  return Buffer.from(text, 'utf16le')
}
function refusal(reason) {
  return new MillraceError('RECORD_NOT_ENCODABLE', { reason })
}
function register(type, decode) {
  extensions.register({ type, encode: () => null, decode })
}
register(UNDEFINED, () => undefined)
register(NEGATIVE_ZERO, () => -0)
register(BIGINT, (data) => {
  const text = Buffer.from(data).toString('latin1')
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
})
register(DATE, (data) => new Date(new Float64Array(copyOf(data).buffer)[0]))
register(STRING, (data) => Buffer.from(data).toString('utf16le'))
register(REGEXP, (data) => new RegExp(...decodeValue(data)))
register(MAP, (data) => new Map(decodeValue(data)))
register(SET, (data) => new Set(decodeValue(data)))
register(BOXED, (data) => Object(decodeValue(data)))
register(BUFFER, (data) => {
  const { buffer } = copyOf(data.subarray(1))
  return data[0] === PLAIN_BUFFER ? buffer : new VIEWS[data[0]](buffer)
})
register(ENTRIES, (data) => define({}, decodeValue(data)))
register(ARRAY, (data) => {
  const [length, entries] = decodeValue(data)
  const array = []
  array.length = length
  return define(array, entries)
})
register(ERROR, (data) => {
  const [name, message, stack, ...cause] = decodeValue(data)
  const error = new ERRORS[name](message)
  const hidden = [['stack', stack], ...cause.map((each) => ['cause', each])]
  return define(error, hidden, false)
})
/** Never shared memory, and never a slice of Node's pool: the result belongs to the user. */
function copyOf(bytes) {
  return new Uint8Array(bytes)
}
/** Own properties whatever their names: an assignment to `__proto__` would set the prototype. */
function define(target, entries, enumerable = true) {
  for (const [key, value] of entries) {
    Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true })
  }
  return target
}
