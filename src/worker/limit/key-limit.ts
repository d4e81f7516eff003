import { RATE } from '../../memory/control.ts'
import type { Memory } from '../../memory/memory.ts'
import type { LimitPlan } from '../../plan/limit-plan.ts'
import { BURST_MS, LATE_MS, MOST_PER_SECOND } from './rate-limit.ts'

export type LimitKey = string | number

/** The longest time between two records of a key, in ms: more would be no number to count with. */
const LONGEST_MS = 1e15

/**
 * The rate limits of the keys that come to one worker. Of each key it knows when it may send a full burst again: from then on the key
 * is as one that was never seen, so forgetting it changes nothing, and no other is forgotten.
 *
 * Where keys come to a worker that does not know what was let through of them before (after a death, after a resize), they begin without
 * anything that may go. So the limit of a key holds over deaths and moves, although nothing of it is kept outside the heap.
 */
export class KeyLimit {
  readonly #floats: Float64Array
  readonly #rate: number
  readonly #plan: LimitPlan
  readonly #most: number
  /** By key, when it is as new again; those that were used longest ago come first. */
  readonly #freshAt = new Map<LimitKey, number>()
  /** None of them is before then. */
  #noneBefore = -Infinity
  /** Since then keys are known: who comes for the first time could send nothing at that time. */
  #emptyAt = -Infinity
  /** As `look` found it, in records per second; Infinity: no limit. */
  #perSecond: number
  /** Time between two records of a key, and records that go at once after a pause. */
  #everyMs = 0
  #burst = 1

  constructor({ floats }: Memory, plan: LimitPlan) {
    this.#floats = floats
    this.#rate = plan.offset / 8 + RATE
    this.#plan = plan
    this.#most = plan.keys!
    this.#perSecond = NaN
    this.look(0)
  }

  /** Reads the rate as it is now. @returns whether it is another one */
  look(nowMs: number): boolean {
    const perSecond = this.#floats[this.#rate]! || this.#plan.perSecond
    if (perSecond === this.#perSecond) return false
    const before = this.#everyMs
    this.#perSecond = perSecond
    this.#everyMs = perSecond > MOST_PER_SECOND ? 0 : Math.min(LONGEST_MS, 1000 / perSecond)
    this.#burst = this.#plan.burst || Math.max(1, Math.floor((perSecond / 1000) * BURST_MS))
    this.#noneBefore = -Infinity
    // What a key has taken in advance stays the same number of records.
    for (const [key, freshAt] of this.#freshAt) {
      if (freshAt <= nowMs || before === 0 || this.#everyMs === 0) this.#freshAt.delete(key)
      else this.#freshAt.set(key, nowMs + ((freshAt - nowMs) / before) * this.#everyMs)
    }
    return true
  }

  /** From now on keys come whose records went elsewhere before. */
  startEmpty(nowMs: number): void {
    this.#freshAt.clear()
    this.#noneBefore = -Infinity
    this.#emptyAt = nowMs
  }

  /**
   * Takes one record of a key, if it may go now.
   * @param isHeld it has waited for that: what it has missed by being called late is made up for, unless there is a `burst`
   */
  take(key: LimitKey, nowMs: number, isHeld: boolean): boolean {
    if (this.#everyMs === 0) return true
    if (!this.canKnow(key, nowMs) || this.nextAt(key, nowMs) > nowMs) return false
    const missedMs = isHeld && this.#plan.burst === 0 ? LATE_MS : 0
    const freshAt = Math.max(this.#freshAtOf(key), nowMs - missedMs) + this.#everyMs
    this.#freshAt.delete(key)
    this.#freshAt.set(key, freshAt)
    return true
  }

  /** A record that was taken does not go after all. */
  giveBack(key: LimitKey): void {
    const freshAt = this.#freshAt.get(key)
    if (freshAt === undefined) return
    this.#freshAt.set(key, freshAt - this.#everyMs)
    this.#noneBefore = -Infinity
  }

  /** When a record of a key may go, as far as its own limit is concerned, in ms of the monotonic clock. */
  nextAt(key: LimitKey, nowMs: number): number {
    if (this.#everyMs === 0) return nowMs
    return Math.max(nowMs, this.#freshAtOf(key) - (this.#burst - 1) * this.#everyMs)
  }

  /** Whether a key is known, or another one can be forgotten for it. */
  canKnow(key: LimitKey, nowMs: number): boolean {
    return this.#freshAt.has(key) || this.hasRoom(nowMs)
  }

  /** Whether there is room for one more key; where there is none, one is forgotten if it can be. */
  hasRoom(nowMs: number): boolean {
    if (this.#freshAt.size < this.#most) return true
    if (nowMs < this.#noneBefore) return false
    let first = Infinity
    for (const [key, freshAt] of this.#freshAt) {
      if (freshAt <= nowMs) return this.#freshAt.delete(key)
      first = Math.min(first, freshAt)
    }
    this.#noneBefore = first
    return false
  }

  /** When there may be room again, after there was none. */
  get roomAt(): number {
    return this.#noneBefore
  }

  #freshAtOf(key: LimitKey): number {
    return this.#freshAt.get(key) ?? this.#emptyAt + this.#burst * this.#everyMs
  }
}
