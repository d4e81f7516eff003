import { add, compareExchange, load } from '#atomics'
import type { Memory } from '../../memory/memory.ts'
import { GIVEN, RATE } from '../../memory/control.ts'
import type { LimitPlan } from '../../plan/limit-plan.ts'

/** A pause lets so many milliseconds of the rate through at once, where nothing else is said, and at least one record. */
export const BURST_MS = 10
/** Who has to wait comes back for so much at once: at a high rate a wait for each record would cost more than the record. */
const LUMP_MS = 1
/** Who was held by the limit and comes late is given what it has missed, up to this, unless a burst is asked for. */
export const LATE_MS = 100
/** Two workers differ by no more than this. A count that is further ahead belongs to another rate, or has gone round. */
const AHEAD_MS = 50
/** Parts of a record that are counted below this rate per millisecond, so that slow rates are even. */
const PARTS = 1024
const FINE_PER_MS = 1
/** What is taken in advance is a small part of what a word counts. */
const MOST_PARTS_AHEAD = 2 ** 28
/** What is due is counted from here: 0 says that nothing was given yet, also of a rate at which nothing more is ever due. */
const ORIGIN = 1
/** Faster is no limit: a word counts no further. */
export const MOST_PER_SECOND = 1e9

/** What says how many records a worker may call now. Times are of the monotonic clock, in ms. */
export interface CallLimit {
  allowed(nowMs: number): number
  take(most: number, nowMs: number): number
  charge(records: number, nowMs: number): void
  giveBack(records: number): void
  nextAt(nowMs: number): number
}

/**
 * The rate limit of a stage, which its workers share: who has records takes what another leaves.
 *
 * GIVEN counts what was let through, as a word that goes round; 0 where nothing was yet. What may be let through by now is the time
 * multiplied by the rate, so nothing else is kept: a worker that dies takes a burst at most with it, and a changed rate gives one at
 * most. What cannot be parted, a batch, goes as soon as one record may; the next one waits the longer.
 */
export class RateLimit implements CallLimit {
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #rate: number
  readonly #given: number
  readonly #plan: LimitPlan
  readonly #fine: number
  /** As `#readRate` found them: records per ms, the parts that each counts as, and the parts that go after a pause. */
  #perMs = 0
  #parts = 1
  #burst = 1
  /** Whether the limit holds this worker, and since when; where it does not, when it did last. */
  #isHeld = false
  #heldAt = -Infinity

  constructor({ words, floats }: Memory, plan: LimitPlan) {
    this.#words = words
    this.#floats = floats
    this.#rate = plan.offset / 8 + RATE
    this.#given = plan.offset / 4 + GIVEN
    this.#plan = plan
    this.#fine = Math.max(1, Math.min(PARTS, Math.floor(MOST_PARTS_AHEAD / Math.max(plan.atOnce, plan.burst))))
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
    this.#isHeld = false
    if (taken < most) this.#heldAt = nowMs
    return taken - over
  }

  /** So many records go now, whether they may or not: what comes after them waits. */
  charge(records: number, nowMs: number): void {
    if (!this.#readRate()) return
    this.#left(nowMs)
    add(this.#words, this.#given, records * this.#parts)
    this.#isHeld = false
  }

  /** So many records that were taken do not go after all. */
  giveBack(records: number): void {
    if (records > 0 && this.#readRate()) add(this.#words, this.#given, -records * this.#parts)
  }

  /** The worker waits: when the next record may go, in ms of the same clock; of a high rate, when some may. */
  nextAt(nowMs: number): number {
    if (!this.#readRate()) return nowMs
    if (!this.#isHeld) this.#heldAt = nowMs
    this.#isHeld = true
    const left = this.#left(nowMs)
    if (left >= this.#parts) return nowMs
    const perMs = this.#perMs * this.#parts
    return nowMs + (Math.max(this.#parts, Math.min(this.#burst / 2, perMs * LUMP_MS)) - left) / perMs
  }

  /** Reads the rate as it is now. @returns whether there is a limit */
  #readRate(): boolean {
    // Of each key, not of the stage (`key-limit.ts`).
    if (this.#plan.keys !== undefined) return false
    const perSecond = this.#floats[this.#rate]! || this.#plan.perSecond
    if (perSecond === 0 || perSecond > MOST_PER_SECOND) return false
    // What is too slow for a number is slow, not without limit.
    this.#perMs = Math.max(Number.MIN_VALUE, perSecond / 1000)
    this.#parts = this.#perMs < FINE_PER_MS ? this.#fine : 1
    const records = this.#plan.burst || Math.max(1, Math.floor(this.#perMs * BURST_MS))
    this.#burst = records * this.#parts
    return true
  }

  /** What may have been let through by now. */
  #due(nowMs: number): number {
    return (Math.floor(nowMs * this.#perMs * this.#parts) + ORIGIN) | 0
  }

  /** Parts that have come together since the limit held this worker. */
  #missed(nowMs: number): number {
    const lateMs = nowMs - this.#heldAt
    if (this.#plan.burst > 0 || (lateMs > LATE_MS && !this.#isHeld)) return 0
    return Math.min(LATE_MS, lateMs) * this.#perMs * this.#parts
  }

  /** Parts that may go now; below 0 where more were taken. */
  #left(nowMs: number): number {
    const due = this.#due(nowMs)
    const given = load(this.#words, this.#given)
    const left = (due - given) | 0
    const ahead = this.#burst + (this.#perMs * AHEAD_MS + this.#plan.atOnce) * this.#parts
    // Less than a whole record more than a burst: who comes a little late loses nothing.
    const most = this.#burst + this.#parts + this.#missed(nowMs)
    if (given !== 0 && left < most && left >= -ahead) return left
    // Nobody had records for a while, the rate has changed, or the count has gone round. Of several that see it one moves it on.
    compareExchange(this.#words, this.#given, given, (due - this.#burst) | 0)
    return (due - load(this.#words, this.#given)) | 0
  }
}
