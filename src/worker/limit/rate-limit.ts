import { add, compareExchange, load } from '#atomics'
import type { Memory } from '../../memory/memory.ts'
import { GIVEN, RATE } from '../../memory/control.ts'

/** A pause lets so many milliseconds of the rate through at once, and at least one record. */
const BURST_MS = 10
/** Two workers differ by no more than this. A count that is further ahead belongs to another rate, or has gone round. */
const AHEAD_MS = 50
/** Parts of a record that are counted below this rate per millisecond, so that slow rates are even. */
const PARTS = 1024
const FINE_PER_MS = 1
/** Faster is no limit: a word counts no further. */
const MOST_PER_SECOND = 1e9
/** What is due is counted from here, so that the zero of new memory is out of reach: the first record goes at once. */
const ORIGIN = 2 ** 31

/**
 * The rate limit of a stage, which its workers share: who has records takes what another leaves.
 *
 * GIVEN counts what was let through, as a word that goes round. What may be let through by now is the time multiplied by the
 * rate, so nothing else is kept: a worker that dies takes a burst at most with it, and a changed rate gives one at most.
 */
export class RateLimit {
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #rate: number
  readonly #given: number
  readonly #planned: number
  /** As `#readRate` found them: records per ms, and the parts that each counts as. */
  #perMs = 0
  #parts = 1

  /** @param planned records per second; 0 for no limit */
  constructor({ words, floats }: Memory, offset: number, planned: number) {
    this.#words = words
    this.#floats = floats
    this.#rate = offset / 8 + RATE
    this.#given = offset / 4 + GIVEN
    this.#planned = planned
  }

  /** Records that may go now, of all workers; Infinity without a limit. */
  allowed(nowMs: number): number {
    if (!this.#readRate()) return Infinity
    return Math.max(0, Math.floor(this.#left(nowMs) / this.#parts))
  }

  /** Takes up to `most` records of those that may go now. @returns how many */
  take(most: number, nowMs: number): number {
    if (!this.#readRate()) return most
    const taken = Math.min(most, Math.floor(this.#left(nowMs) / this.#parts))
    if (taken <= 0) return 0
    // Another worker may have taken the same ones in between: what is too much goes back.
    const given = (add(this.#words, this.#given, taken * this.#parts) + taken * this.#parts) | 0
    const over = Math.min(taken, Math.ceil(Math.max(0, (given - this.#due(nowMs)) | 0) / this.#parts))
    if (over > 0) add(this.#words, this.#given, -over * this.#parts)
    return taken - over
  }

  /** So many records that were taken do not go after all. */
  giveBack(records: number): void {
    if (records > 0 && this.#readRate()) add(this.#words, this.#given, -records * this.#parts)
  }

  /** When the next record may go, in ms of the same clock. */
  nextAt(nowMs: number): number {
    if (!this.#readRate()) return nowMs
    return nowMs + Math.max(0, this.#parts - this.#left(nowMs)) / (this.#perMs * this.#parts)
  }

  /** Reads the rate as it is now. @returns whether there is a limit */
  #readRate(): boolean {
    const perSecond = this.#floats[this.#rate]! || this.#planned
    if (perSecond === 0 || perSecond > MOST_PER_SECOND) return false
    // What is too slow for a number is slow, not without limit.
    this.#perMs = Math.max(Number.MIN_VALUE, perSecond / 1000)
    this.#parts = this.#perMs < FINE_PER_MS ? PARTS : 1
    return true
  }

  /** What may have been let through by now. */
  #due(nowMs: number): number {
    return (Math.floor(nowMs * this.#perMs * this.#parts) + ORIGIN) | 0
  }

  /** Parts that may go now; below 0 where another worker has taken more. */
  #left(nowMs: number): number {
    const perMs = this.#perMs * this.#parts
    const most = Math.max(this.#parts, Math.floor(perMs * BURST_MS))
    const due = this.#due(nowMs)
    const given = load(this.#words, this.#given)
    const left = (due - given) | 0
    if (left <= most && left >= -most - perMs * AHEAD_MS) return left
    // Nobody had records for a while, the rate has changed, or the count has gone round. Of several that see it one moves it on.
    compareExchange(this.#words, this.#given, given, (due - most) | 0)
    return (due - load(this.#words, this.#given)) | 0
  }
}
