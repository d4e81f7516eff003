import { types } from 'node:util'
import { Decoder, Encoder, ExtData, ExtensionCodec } from '@msgpack/msgpack'
import { cloneOf, isClone, readClone } from './clone.ts'
import { isCloneable } from './cloneable.ts'
import { Identities } from './identity.ts'
import { MAX_DEPTH, asRefusal, refusal, tooDeep } from './refusal.ts'
import { makeView, viewBytes, viewNumber } from './views.ts'

/**
 * Any value as bytes, so that it arrives as `structuredClone` would define it; objects that are referred to twice, or refer
 * to themselves, are such objects where they arrive.
 *
 * Trees of plain objects and arrays go as MessagePack, with the extensions below for their leaves, and for Maps and Sets that
 * are not within each other: each byte is copied twice at most. Whatever holds anything else (a second reference to an object,
 * an Error, a RegExp, an array with holes, a key that MessagePack would change) goes in the form of `structuredClone` itself.
 * Every object is looked at once.
 */
const UNDEFINED = 1
const NEGATIVE_ZERO = 2
const BIGINT = 3
const DATE = 4
const BUFFER = 5 // an ArrayBuffer
const VIEW = 6 // one byte: number of its class; then the bytes
const STRING = 7 // a string with lone surrogates, as UTF-16
const MAP = 8 // keys and values in turn, as an array
const SET = 9

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
 * @throws RECORD_NOT_ENCODABLE with `reason`, RECORD_TOO_DEEP; nothing else, whatever the value does when it is read
 */
export function encodeValue(value: unknown): Uint8Array {
  const walk = new Walk(new Identities())
  try {
    return bytesOf(value, walk.prepare(value, 0), walk)
  } catch (error) {
    throw asRefusal(error)
  }
}

/**
 * The same for a part of a value.
 * @param met objects of the other parts
 * @param depth of the part
 * @returns undefined where an object is referred to twice: only the whole value can be sent
 * @throws as `encodeValue`
 */
export function encodePart(part: unknown, met: Identities, depth: number): Uint8Array | undefined {
  const walk = new Walk(met)
  try {
    const prepared = walk.prepare(part, depth)
    return walk.meetsAgain ? undefined : bytesOf(part, prepared, walk)
  } catch (error) {
    throw asRefusal(error)
  }
}

function bytesOf(value: unknown, prepared: unknown, { isTree }: Walk): Uint8Array {
  return isTree ? pack(prepared) : cloneOf(value)
}

/** @param bytes may lie in shared memory: nothing of the result refers to them */
export function decodeValue(bytes: Uint8Array): unknown {
  return isClone(bytes) ? readClone(bytes) : decoder.decode(bytes)
}

function newEncoder(): Encoder {
  // A getter may answer with more at the second look than at the first, so the encoder counts as well.
  return new Encoder({ extensionCodec: extensions, maxDepth: 2 * MAX_DEPTH })
}

function pack(value: unknown): Uint8Array {
  let bytes = EMPTY
  try {
    bytes = encoder.encodeSharedRef(value)
    return bytes
  } finally {
    if (bytes === EMPTY || bytes.buffer.byteLength > KEEP_BUFFER_BYTES) encoder = newEncoder()
  }
}

/** Looks at every object of a value once. */
class Walk {
  /** MessagePack has a form for all that was met. */
  isTree = true
  /** An object was met a second time. */
  meetsAgain = false
  readonly #met: Identities
  #isInCollection = false

  constructor(met: Identities) {
    this.#met = met
  }

  /** The value itself where MessagePack carries it as it is; otherwise a copy with extensions in the places of the rest. */
  prepare(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return value.isWellFormed() ? value : new ExtData(STRING, Buffer.from(value, 'utf16le'))
      case 'number':
        return Object.is(value, -0) ? NEGATIVE_ZERO_DATA : value
      case 'boolean':
        return value
      case 'undefined':
        return UNDEFINED_DATA
      case 'bigint':
        return new ExtData(BIGINT, Buffer.from(value.toString(16)))
      case 'object':
        return value === null ? null : this.#object(value, depth)
      default:
        throw refusal(`a ${typeof value} cannot be sent to another thread`)
    }
  }

  #object(value: object, depth: number): unknown {
    if (!this.#met.add(value)) {
      this.meetsAgain = true
      return this.#noTree()
    }
    if (depth > MAX_DEPTH) throw tooDeep()
    if (types.isProxy(value)) throw refusal('a Proxy cannot be sent to another thread')
    if (Array.isArray(value)) return this.#array(value, depth)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#plain(value, depth)
    return this.#exotic(value, depth)
  }

  #array(values: readonly unknown[], depth: number): unknown {
    const { length } = values
    const keys = Object.keys(values)
    if (keys.length !== length || (length > 0 && keys.at(-1) !== String(length - 1))) {
      for (const key of keys) this.prepare(Reflect.get(values, key), depth + 1)
      return this.#noTree()
    }
    let copy: unknown[] | undefined
    for (let i = 0; i < length; i++) {
      const item = values[i]
      const prepared = this.prepare(item, depth + 1)
      if (!Object.is(prepared, item) && copy === undefined) copy = values.slice()
      if (copy !== undefined) copy[i] = prepared
    }
    return copy ?? values
  }

  #plain(value: object, depth: number): unknown {
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(value)) {
      const field: unknown = Reflect.get(value, key)
      const prepared = this.prepare(field, depth + 1)
      if (key === '__proto__' || !key.isWellFormed()) this.#noTree()
      if (!this.isTree) continue
      if (!Object.is(prepared, field) && copy === undefined) copy = { ...value }
      if (copy !== undefined) copy[key] = prepared
    }
    return copy ?? value
  }

  /** Whatever has a form of its own; an instance of a user's class arrives as a plain object. */
  #exotic(value: object, depth: number): unknown {
    if (types.isDate(value))
      return new ExtData(DATE, new Uint8Array(Float64Array.of(Date.prototype.getTime.call(value)).buffer))
    if (ArrayBuffer.isView(value)) return new ExtData(VIEW, tagged(viewNumber(value), viewBytes(value)))
    if (types.isArrayBuffer(value)) return new ExtData(BUFFER, new Uint8Array(value))
    if (types.isMap(value)) {
      const items: unknown[] = []
      Map.prototype.forEach.call(value, (item, key) => items.push(key, item))
      return this.#collection(MAP, items, depth)
    }
    if (types.isSet(value)) {
      const items: unknown[] = []
      Set.prototype.forEach.call(value, (item) => items.push(item))
      return this.#collection(SET, items, depth)
    }
    if (types.isNativeError(value)) {
      if (Object.hasOwn(value, 'cause')) this.prepare(value.cause, depth + 1)
      return this.#noTree()
    }
    if (types.isRegExp(value) || (types.isBoxedPrimitive(value) && !types.isSymbolObject(value))) return this.#noTree()
    if (isCloneable(value)) return this.#plain(value, depth)
    throw refusal(`a ${value.constructor?.name ?? 'host object'} cannot be sent to another thread`)
  }

  #collection(type: number, items: readonly unknown[], depth: number): unknown {
    if (this.#isInCollection) this.#noTree()
    this.#isInCollection = true
    const prepared = items.map((item) => this.prepare(item, depth + 1))
    this.#isInCollection = false
    return this.isTree ? new ExtData(type, pack(prepared).slice()) : undefined
  }

  #noTree(): undefined {
    this.isTree = false
  }
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const data = new Uint8Array(1 + bytes.byteLength)
  data[0] = tag
  data.set(bytes, 1)
  return data
}

function register(type: number, decode: (data: Uint8Array) => unknown): void {
  extensions.register({ type, encode: () => null, decode })
}

register(UNDEFINED, () => undefined)
register(NEGATIVE_ZERO, () => -0)
register(BIGINT, (data) => {
  const text = Buffer.from(data).toString('latin1')
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
})
// Never shared memory, and never a slice of Node's pool: what is read belongs to the user.
register(DATE, (data) => new Date(new Float64Array(new Uint8Array(data).buffer)[0]!))
register(BUFFER, (data) => new Uint8Array(data).buffer)
register(VIEW, (data) => makeView(data[0]!, data.subarray(1)))
register(MAP, (data) => {
  const items = decoder.decode(data) as unknown[]
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1])
  return map
})
register(SET, (data) => new Set(decoder.decode(data) as unknown[]))
register(STRING, (data) => Buffer.from(data).toString('utf16le'))
