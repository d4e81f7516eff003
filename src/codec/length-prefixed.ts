import { types } from 'node:util'
import { MillraceError } from '../errors.ts'
import type { Codec, Decoder, Encoder } from './codec.ts'
import { MAX_DEPTH, asRefusal, tooDeep } from './refusal.ts'
import { decodeValue, encodeValue } from './values.ts'

/** The length itself, whatever a subclass says of it. */
const LENGTH = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength')!

/**
 * Codecs that write each record by itself: a word for its length, then its bytes, up to the next multiple of 8.
 * `pack` returns bytes that are valid until the next call; `unpack` must not keep the bytes that it is given.
 */
function rowsCodec(pack: (value: unknown) => Uint8Array, unpack: (bytes: Buffer) => unknown): Codec {
  const encoder: Encoder = {
    end: 0,
    encode(memory, values, from, to, at, limit) {
      let next = at
      for (let index = from; index < to; index++) {
        let packed: Uint8Array
        let bytes: number
        try {
          packed = pack(values[index])
          bytes = LENGTH.get!.call(packed) as number
        } catch (error) {
          if (index === from) throw asRefusal(error)
          return index - from
        }
        const end = (next + 4 + bytes + 7) & -8
        if (end > limit) return index - from
        memory.words[next >> 2] = bytes
        memory.bytes.set(packed, next + 4)
        this.end = next = end
      }
      return to - from
    },
  }
  const decoder: Decoder = {
    decode(memory, at, _end, count, out) {
      let next = at
      for (let index = 0; index < count; index++) {
        const length = memory.words[next >> 2]!
        out[index] = unpack(memory.bytes.subarray(next + 4, next + 4 + length))
        next = (next + 4 + length + 7) & -8
      }
    },
  }
  return { encoder: () => ({ ...encoder }), decoder: () => decoder }
}

/** Every value that `structuredClone` takes, as MessagePack with extensions. */
export const msgpackCodec: Codec = rowsCodec(encodeValue, decodeValue)

/** What JSON carries, for edges that people look at. A value that JSON would change is refused. */
export const jsonCodec: Codec = rowsCodec(packJson, (bytes) => JSON.parse(bytes.toString('utf8')) as unknown)

/** Binary records. They arrive as a `Uint8Array` of their own. */
export const bytesCodec: Codec = rowsCodec(packBytes, (bytes) => new Uint8Array(bytes))

/** Binary records that are lent: the `Uint8Array` lies in the lane, and is valid only during the handler's call. */
export const borrowedBytesCodec: Codec = rowsCodec(
  packBytes,
  (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
)

function packBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new MillraceError('RECORD_NOT_ENCODABLE', { codec: 'bytes', reason: 'it is not a Uint8Array' })
}

function packJson(value: unknown): Uint8Array {
  try {
    new JsonWalk().check(value)
    return Buffer.from(JSON.stringify(value))
  } catch (error) {
    throw asRefusal(error)
  }
}

/** JSON writes an object anew for each reference to it. So much larger than the value itself it may become. */
const MOST_TIMES_LARGER = 8
/** JSON that is not worth counting. */
const SMALL_JSON_BYTES = 4096

/** Throws where JSON would not bring a value back as it is. Looks at every object once. */
class JsonWalk {
  /** Least bytes of the JSON of each object; while it is being looked at, NaN. */
  readonly #bytes = new Map<object, number>()
  /** Least bytes if each object stood there once. */
  #own = 0

  check(value: unknown): void {
    const bytes = this.#look(value, 0)
    if (bytes > SMALL_JSON_BYTES && bytes > MOST_TIMES_LARGER * this.#own)
      throw unlike('its JSON repeats what it refers to more than once, and becomes many times larger')
  }

  /** @returns least bytes of its JSON */
  #look(value: unknown, depth: number): number {
    switch (typeof value) {
      case 'boolean':
        return this.#count(4)
      case 'string':
        if (!value.isWellFormed()) throw unlike('a string has a lone surrogate')
        return this.#count(value.length + 2)
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0))
          throw unlike(`JSON has no ${Object.is(value, -0) ? '-0' : value}`)
        return this.#count(1)
      case 'object':
        return value === null ? this.#count(4) : this.#object(value, depth)
      default:
        throw unlike(`JSON has no ${typeof value}`)
    }
  }

  #object(value: object, depth: number): number {
    const known = this.#bytes.get(value)
    if (Number.isNaN(known)) throw unlike('it refers to itself')
    if (known !== undefined) return known
    if (depth > MAX_DEPTH) throw tooDeep()
    this.#bytes.set(value, Number.NaN)
    const keys = keysOf(value)
    let bytes = this.#count(2)
    for (const key of keys) {
      if (!key.isWellFormed()) throw unlike('a key has a lone surrogate')
      bytes += this.#count(Array.isArray(value) ? 1 : key.length + 4)
      bytes += this.#look(Reflect.get(value, key), depth + 1)
    }
    this.#bytes.set(value, bytes)
    return bytes
  }

  #count(bytes: number): number {
    this.#own += bytes
    return bytes
  }
}

function keysOf(value: object): readonly string[] {
  if (types.isProxy(value)) throw unlike('it is a Proxy')
  const isArray = Array.isArray(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!isArray && prototype !== Object.prototype && prototype !== null)
    throw unlike(`JSON has no ${value.constructor?.name}`)
  if (typeof Reflect.get(value, 'toJSON') === 'function') throw unlike('it has a `toJSON`')
  const keys = Object.keys(value)
  if (isArray && (keys.length !== value.length || (value.length > 0 && keys.at(-1) !== String(value.length - 1))))
    throw unlike('an array has holes or names')
  return keys
}

function unlike(reason: string): MillraceError {
  return new MillraceError('RECORD_NOT_ENCODABLE', { codec: 'json', reason })
}
