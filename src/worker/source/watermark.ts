import { crc32 } from 'node:zlib'
import { load } from '#atomics'
import { encodeValue } from '../../codec/values.ts'
import { MillraceError } from '../../errors.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import { MAX_CURSOR_BYTES } from '../../memory/progress.ts'
import { CRC, LENGTH, MOVED, PLACE_HEAD_BYTES, watermarkPlace } from '../../memory/watermark.ts'

/** The watermark of a source worker, as the next hand-off will leave it. */
export class Watermark {
  readonly #memory: Memory
  readonly #offset: number
  #moved: number
  #cursor: unknown

  constructor(memory: Memory, offset: number) {
    this.#memory = memory
    this.#offset = offset
    this.#moved = load(memory.words, offset / 4 + MOVED)
  }

  /** All records up to this cursor have ended. @returns whether that is news @throws RECORD_NOT_ENCODABLE, CURSOR_TOO_LARGE */
  moveTo(cursor: unknown): boolean {
    if (cursor === undefined || Object.is(cursor, this.#cursor)) return false
    const packed = encodeValue(cursor)
    if (packed.byteLength > MAX_CURSOR_BYTES)
      throw new MillraceError('CURSOR_TOO_LARGE', { bytes: packed.byteLength, most: MAX_CURSOR_BYTES })
    const { words, bytes } = this.#memory
    // The other place: the one that the word names stays whole until it names this one.
    const moved = (load(words, this.#offset / 4 + MOVED) + 1) | 0 || 2
    const at = this.#offset + watermarkPlace(moved)
    words[at / 4 + LENGTH] = packed.byteLength
    words[at / 4 + CRC] = crc32(packed) | 0
    bytes.set(packed, at + PLACE_HEAD_BYTES)
    this.#moved = moved
    this.#cursor = cursor
    return true
  }

  stage(journal: Journal): void {
    journal.set(this.#offset / 4 + MOVED, this.#moved)
  }
}

/** Another thread's look at a watermark. @returns its encoded cursor; undefined where there is none, or where it moves just now */
export function readWatermark({ words, bytes }: Memory, offset: number): Uint8Array | undefined {
  const moved = load(words, offset / 4 + MOVED)
  if (moved === 0) return undefined
  const at = offset + watermarkPlace(moved)
  const length = words[at / 4 + LENGTH]!
  if (length < 0 || length > MAX_CURSOR_BYTES) return undefined
  const cursor = bytes.slice(at + PLACE_HEAD_BYTES, at + PLACE_HEAD_BYTES + length)
  // The place is written again only after the word has changed twice, but bytes may be seen before the word is: the sum finds that.
  return crc32(cursor) === words[at / 4 + CRC]! >>> 0 ? cursor : undefined
}
