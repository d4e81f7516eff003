import type { Memory } from '../memory/memory.ts'
import { isInt32 } from './shape-type.ts'
import type { TextReader } from './text-block.ts'
import { TEXT_SLACK_BYTES } from './text-block.ts'
import type { Identities } from './identity.ts'
import { decodeValue, encodePart, encodeValue } from './values.ts'

/**
 * A tagged value: 8 bytes (a tag, a word), for numbers that are no int32 8 more, for MessagePack as many more as it has.
 * It starts and ends at multiples of 8.
 */
const UNDEFINED = 0
const NULL = 1
const FALSE = 2
const TRUE = 3
const INT32 = 4
const FLOAT64 = 5
const STRING = 6
const MSGPACK = 7

/**
 * Not offsets: the value does not fit; the value cannot be sent (`gathered.refusal` says why); it shares an object with
 * another part of its record.
 */
export const FULL = -1
export const REFUSED = -2
export const SHARED = -3

/** What the encoder of a chunk gathers: its text so far, and bytes a character may need. */
export interface Gathered {
  text: string
  chars: number
  charBytes: number
  refusal: unknown
  /** Objects of the row at hand that must not come twice: see `shape-compile.ts`. */
  readonly met: Identities
}

/**
 * Writes a tagged value at `at`.
 * @param depth of the value in its record; at 0, it is the record
 * @returns offset after it, FULL, REFUSED or SHARED
 */
export function writeAny(
  memory: Memory,
  gathered: Gathered,
  value: unknown,
  at: number,
  limit: number,
  depth: number,
): number {
  if (at + 16 + gathered.chars * gathered.charBytes + TEXT_SLACK_BYTES > limit) return FULL
  switch (typeof value) {
    case 'undefined':
      return tag(memory, at, UNDEFINED, 0)
    case 'boolean':
      return tag(memory, at, value ? TRUE : FALSE, 0)
    case 'number':
      if (isInt32(value)) return tag(memory, at, INT32, value)
      memory.floats[(at + 8) >> 3] = value
      return tag(memory, at, FLOAT64, 0) + 8
    case 'string':
      if (at + 8 + (gathered.chars + value.length) * gathered.charBytes + TEXT_SLACK_BYTES > limit) return FULL
      gathered.text += value
      gathered.chars += value.length
      return tag(memory, at, STRING, value.length)
    default:
      return value === null ? tag(memory, at, NULL, 0) : writePacked(memory, gathered, value, at, limit, depth)
  }
}

function writePacked(
  memory: Memory,
  gathered: Gathered,
  value: unknown,
  at: number,
  limit: number,
  depth: number,
): number {
  let packed: Uint8Array | undefined
  try {
    packed = depth === 0 ? encodeValue(value) : encodePart(value, gathered.met, depth)
  } catch (error) {
    gathered.refusal = error
    return REFUSED
  }
  if (packed === undefined) return SHARED
  const end = (at + 8 + packed.byteLength + 7) & -8
  if (end + gathered.chars * gathered.charBytes + TEXT_SLACK_BYTES > limit) return FULL
  memory.bytes.set(packed, at + 8)
  tag(memory, at, MSGPACK, packed.byteLength)
  return end
}

function tag({ words }: Memory, at: number, kind: number, word: number): number {
  words[at >> 2] = kind
  words[(at >> 2) + 1] = word
  return at + 8
}

/** Bytes of the tagged value at `at`. */
export function anyBytes({ words }: Memory, at: number): number {
  const kind = words[at >> 2]!
  if (kind === FLOAT64) return 16
  return kind === MSGPACK ? (8 + words[(at >> 2) + 1]! + 7) & -8 : 8
}

export function readAny(memory: Memory, text: TextReader, at: number): unknown {
  const word = memory.words[(at >> 2) + 1]!
  switch (memory.words[at >> 2]) {
    case UNDEFINED:
      return undefined
    case NULL:
      return null
    case FALSE:
      return false
    case TRUE:
      return true
    case INT32:
      return word
    case FLOAT64:
      return memory.floats[(at + 8) >> 3]
    case STRING:
      return text.take(word)
    default:
      return decodeValue(memory.bytes.subarray(at + 8, at + 8 + word))
  }
}
