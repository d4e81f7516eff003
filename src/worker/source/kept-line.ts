import { crc32 } from 'node:zlib'
import { load } from '#atomics'
import { decodeValue, encodeValue } from '../../codec/values.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import { LINE, LINE_CRC, LINE_HEAD_BYTES, LINE_LENGTH, MAX_LINE_BYTES, linePlace } from '../../memory/progress.ts'

/** What a source knows of its line of open chunks, and cannot find in their slots. */
export interface Line {
  /** The cursor below which all records have ended. */
  readonly watermark: unknown
  /** Sequence of the chunk that the watermark is of. */
  readonly of: number | undefined
  /** Cursors of chunks that ended behind open ones: for which open one they stand, and of which chunk they are. */
  readonly passed: readonly (readonly [sequence: number, cursor: unknown, of: number])[]
}

/** The line of a source in shared memory: for a successor, and for the thread that keeps the watermark on disk. */
export class KeptLine {
  readonly #memory: Memory
  readonly #offset: number
  #moved: number

  /** @param offset of the worker's progress */
  constructor(memory: Memory, offset: number) {
    this.#memory = memory
    this.#offset = offset
    this.#moved = load(memory.words, offset / 4 + LINE)
  }

  /** What an earlier life has kept. */
  get line(): Line | undefined {
    return readLine(this.#memory, this.#offset)
  }

  /** From the next hand-off on this is the line: the first of `passed` that fit, and so a watermark that stands back for a while. */
  keep({ watermark, of, passed }: Line): void {
    const kept = [...passed]
    let packed = encodeValue({ watermark, of, passed: kept })
    while (packed.byteLength > MAX_LINE_BYTES) {
      kept.length >>= 1
      packed = encodeValue({ watermark, of, passed: kept })
    }
    const { words, bytes } = this.#memory
    // The other place: the one that the word names stays whole until it names this one.
    const moved = (load(words, this.#offset / 4 + LINE) + 1) | 0 || 2
    const at = this.#offset + linePlace(moved)
    words[at / 4 + LINE_LENGTH] = packed.byteLength
    words[at / 4 + LINE_CRC] = crc32(packed) | 0
    bytes.set(packed, at + LINE_HEAD_BYTES)
    this.#moved = moved
  }

  stage(journal: Journal): void {
    if (this.#moved !== 0) journal.set(this.#offset / 4 + LINE, this.#moved)
  }
}

/**
 * Reads the line from any thread.
 * @param offset of the worker's progress
 * @returns undefined if there is none, or if it moves just now
 */
export function readLine({ words, bytes }: Memory, offset: number): Line | undefined {
  const moved = load(words, offset / 4 + LINE)
  if (moved === 0) return undefined
  const at = offset + linePlace(moved)
  const length = words[at / 4 + LINE_LENGTH]!
  if (length < 0 || length > MAX_LINE_BYTES) return undefined
  const packed = bytes.slice(at + LINE_HEAD_BYTES, at + LINE_HEAD_BYTES + length)
  // The place is written again only after the word has changed twice, but bytes may be seen before the word is: the sum finds that.
  return crc32(packed) === words[at / 4 + LINE_CRC]! >>> 0 ? (decodeValue(packed) as Line) : undefined
}
