import { load } from '#atomics'
import { decodeValue, encodeValue } from '../codec/values.js'
import { MillraceError } from '../errors.js'
import {
  BEYOND,
  CURSOR,
  EMITTED_HIGH,
  EMITTED_LOW,
  FINISHED,
  MAX_CURSOR_BYTES,
  SEQUENCE,
  cursorPlace,
} from '../plan/progress.js'
const WORD = 2 ** 32
/** How far a source has come, as the next hand-off will leave it. */
export class Progress {
  emitted
  sequence
  isFinished
  /** Records handed on after the one that the cursor is of. */
  beyond
  #memory
  #at
  #place
  constructor(memory, offset) {
    const words = memory.words
    const at = offset / 4
    this.#memory = memory
    this.#at = at
    this.emitted = (load(words, at + EMITTED_HIGH) >>> 0) * WORD + (load(words, at + EMITTED_LOW) >>> 0)
    this.sequence = load(words, at + SEQUENCE)
    this.#place = load(words, at + CURSOR)
    this.isFinished = load(words, at + FINISHED) === 1
    this.beyond = load(words, at + BEYOND)
  }
  /** Records that a successor's source makes again, and that are passed over. */
  get toSkip() {
    return this.#place === 0 ? this.emitted : this.beyond
  }
  /** The last cursor that was handed on, of any life. */
  get cursor() {
    if (this.#place === 0) return undefined
    const at = this.#at * 4 + cursorPlace(this.#place)
    return decodeValue(this.#memory.bytes.subarray(at + 4, at + 4 + this.#memory.words[at >> 2]))
  }
  /**
   * From the next hand-off on this is the cursor.
   * @throws RECORD_NOT_ENCODABLE, CURSOR_TOO_LARGE
   */
  set cursor(cursor) {
    const packed = encodeValue(cursor)
    if (packed.byteLength > MAX_CURSOR_BYTES) {
      throw new MillraceError('CURSOR_TOO_LARGE', { bytes: packed.byteLength, most: MAX_CURSOR_BYTES })
    }
    // The other place: the one that the words name stays whole until they name this one.
    const place = load(this.#memory.words, this.#at + CURSOR) === 1 ? 2 : 1
    const at = this.#at * 4 + cursorPlace(place)
    this.#memory.words[at >> 2] = packed.byteLength
    this.#memory.bytes.set(packed, at + 4)
    this.#place = place
  }
  stage(journal) {
    journal.set(this.#at + EMITTED_LOW, this.emitted | 0)
    journal.set(this.#at + EMITTED_HIGH, Math.floor(this.emitted / WORD) | 0)
    journal.set(this.#at + SEQUENCE, this.sequence)
    journal.set(this.#at + CURSOR, this.#place)
    journal.set(this.#at + BEYOND, this.beyond)
    journal.set(this.#at + FINISHED, this.isFinished ? 1 : 0)
  }
}
