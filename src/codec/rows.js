import { types } from 'node:util'
import { MillraceError } from '../errors.js'
import { decodeValue, encodeValue } from './values.js'
/**
 * Codecs that write each record by itself: a word for its length, then its bytes, up to the next multiple of 8.
 * `pack` returns bytes that are valid until the next call; `unpack` must not keep the bytes that it is given.
 */
function rowsCodec(pack, unpack) {
  const encoder = {
    end: 0,
    encode(memory, values, from, to, at, limit) {
      let next = at
      for (let index = from; index < to; index++) {
        let packed
        try {
          packed = pack(values[index])
        } catch (error) {
          if (index === from) throw error
          return index - from
        }
        const end = (next + 4 + packed.byteLength + 7) & -8
        if (end > limit) return index - from
        memory.words[next >> 2] = packed.byteLength
        memory.bytes.set(packed, next + 4)
        this.end = next = end
      }
      return to - from
    },
  }
  const decoder = {
    decode(memory, at, _end, count, out) {
      let next = at
      for (let index = 0; index < count; index++) {
        const length = memory.words[next >> 2]
        out[index] = unpack(memory.bytes.subarray(next + 4, next + 4 + length))
        next = (next + 4 + length + 7) & -8
      }
    },
  }
  return { encoder: () => ({ ...encoder }), decoder: () => decoder }
}
/** Every value that `structuredClone` takes, as MessagePack with extensions. */
export const msgpackCodec = rowsCodec(encodeValue, decodeValue)
/** What JSON carries, for edges that people look at. A value that JSON would change is refused. */
export const jsonCodec = rowsCodec(packJson, (bytes) => JSON.parse(bytes.toString('utf8')))
/** Binary records. They arrive as a `Uint8Array` of their own. */
export const bytesCodec = rowsCodec(packBytes, (bytes) => new Uint8Array(bytes))
/** Binary records that are lent: the `Uint8Array` lies in the lane, and is valid only during the handler's call. */
export const borrowedBytesCodec = rowsCodec(
  packBytes,
  (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
)
function packBytes(value) {
  if (value instanceof Uint8Array) return value
  throw new MillraceError('RECORD_NOT_ENCODABLE', { codec: 'bytes', reason: 'it is not a Uint8Array' })
}
function packJson(value) {
  const reason = unlikeJson(value, 0)
  if (reason !== undefined) throw new MillraceError('RECORD_NOT_ENCODABLE', { codec: 'json', reason })
  return Buffer.from(JSON.stringify(value))
}
const MAX_DEPTH = 500
/** Why JSON would not bring this value back as it is; undefined where it would. */
function unlikeJson(value, depth) {
  if (depth > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} deep, or refers to itself`
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'string':
      return value.isWellFormed() ? undefined : 'a string has a lone surrogate'
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? undefined
        : `JSON has no ${Object.is(value, -0) ? '-0' : value}`
    case 'object':
      return value === null ? undefined : unlikeJsonObject(value, depth)
    default:
      return `JSON has no ${typeof value}`
  }
}
function unlikeJsonObject(value, depth) {
  const isArray = Array.isArray(value)
  const prototype = Object.getPrototypeOf(value)
  if (!isArray && prototype !== Object.prototype && prototype !== null) return `JSON has no ${value.constructor?.name}`
  const keys = Object.keys(value)
  if (isArray && (keys.length !== value.length || (value.length > 0 && keys.at(-1) !== String(value.length - 1)))) {
    return 'an array has holes or names'
  }
  if (types.isProxy(value)) return 'it is a Proxy'
  for (const key of keys) {
    const reason = key.isWellFormed() ? unlikeJson(Reflect.get(value, key), depth + 1) : 'a key has a lone surrogate'
    if (reason !== undefined) return reason
  }
  return undefined
}
