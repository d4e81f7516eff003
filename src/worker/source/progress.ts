import { load } from '#atomics'
import { decodeValue, encodeValue } from '../../codec/values.ts'
import { MillraceError } from '../../errors.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import {
  BEHIND,
  BEYOND,
  CURSOR,
  EMITTED_HIGH,
  EMITTED_LOW,
  FINISHED,
  FLUSHED,
  LAST,
  MAX_CURSOR_BYTES,
  NO_CURSOR_YET,
  SEQUENCE,
  WRAPS,
  cursorPlace,
} from '../../memory/progress.ts'

const WORD = 2 ** 32

/** How far a source has come, as the next hand-off will leave it. */
export class Progress {
  emitted: number
  /** How often `sequence` has come round. */
  wraps: number
  isFinished: boolean
  /** Records handed on after the one that the cursor is of. */
  beyond: number
  /** Records handed on since that cursor came first: names of records count from it. */
  behind: number
  /** 0; once the handler `finish` was called, 1 + the records of it that were handed on. */
  last: number
  /** Number of the last flush before which all has ended. */
  flushed: number
  readonly #memory: Memory
  readonly #at: number
  #sequence: number
  #place: number

  constructor(memory: Memory, offset: number) {
    const words = memory.words
    const at = offset / 4
    this.#memory = memory
    this.#at = at
    this.emitted = (load(words, at + EMITTED_HIGH) >>> 0) * WORD + (load(words, at + EMITTED_LOW) >>> 0)
    this.#sequence = load(words, at + SEQUENCE)
    this.wraps = load(words, at + WRAPS)
    this.#place = load(words, at + CURSOR)
    this.isFinished = load(words, at + FINISHED) === 1
    this.beyond = load(words, at + BEYOND)
    this.behind = load(words, at + BEHIND) >>> 0
    this.last = load(words, at + LAST)
    this.flushed = load(words, at + FLUSHED)
  }

  /** Chunks handed on, modulo 2^32. */
  get sequence(): number {
    return this.#sequence
  }

  set sequence(sequence: number) {
    if (sequence >>> 0 < this.#sequence >>> 0) this.wraps++
    this.#sequence = sequence
  }

  /** Records that a successor's source makes again, and that are passed over. */
  get toSkip(): number {
    return this.#place === 0 ? this.emitted : this.beyond
  }

  /** The same of a source that goes on at its cursor, and without cursors makes nothing again. */
  get toSkipBehindCursor(): number {
    return this.#place === 0 ? 0 : this.beyond
  }

  /** The last cursor that was handed on, of any life. */
  get cursor(): unknown {
    if (this.#place === 0 || this.#place === NO_CURSOR_YET) return undefined
    const at = this.#at * 4 + cursorPlace(this.#place as 1 | 2)
    return decodeValue(this.#memory.bytes.subarray(at + 4, at + 4 + this.#memory.words[at >> 2]!))
  }

  /**
   * From the next hand-off on this is the cursor.
   * @throws RECORD_NOT_ENCODABLE, CURSOR_TOO_LARGE
   */
  set cursor(cursor: unknown) {
    const packed = encodeValue(cursor)
    if (packed.byteLength > MAX_CURSOR_BYTES) {
      throw new MillraceError('CURSOR_TOO_LARGE', { bytes: packed.byteLength, most: MAX_CURSOR_BYTES })
    }
    const { words, bytes } = this.#memory
    // The place that the word does not name: the other one stays whole until it names this one.
    this.#place = load(words, this.#at + CURSOR) === 1 ? 2 : 1
    const at = this.#at * 4 + cursorPlace(this.#place as 1 | 2)
    words[at >> 2] = packed.byteLength
    bytes.set(packed, at + 4)
  }

  /** The source has cursors, if only later ones than what is handed on now. */
  expectCursor(): void {
    if (this.#place === 0) this.#place = NO_CURSOR_YET
  }

  stage(journal: Journal): void {
    journal.set(this.#at + EMITTED_LOW, this.emitted | 0)
    journal.set(this.#at + EMITTED_HIGH, Math.floor(this.emitted / WORD) | 0)
    journal.set(this.#at + SEQUENCE, this.sequence)
    journal.set(this.#at + CURSOR, this.#place)
    journal.set(this.#at + BEYOND, this.beyond)
    journal.set(this.#at + BEHIND, this.behind | 0)
    journal.set(this.#at + WRAPS, this.wraps)
    journal.set(this.#at + FINISHED, this.isFinished ? 1 : 0)
    if (this.last > 0) journal.set(this.#at + LAST, this.last)
    if (this.flushed !== 0) journal.set(this.#at + FLUSHED, this.flushed)
  }
}
