import type { Memory } from '../memory/memory.ts'
import { SINCE, STATE, TIME } from '../memory/counters.ts'
import { monotonicMs } from '../time.ts'

/** Keeps the account of a worker's time: each moment is busy, starved, blocked or limited. */
export class Clock {
  /** The last reading, in ms of the clock that all threads share. */
  now: number
  readonly #floats: Float64Array
  readonly #at: number
  #state = TIME.busy
  /** When the step in hand, or the last one, began. */
  stepAt: number

  constructor(memory: Memory, offset: number) {
    this.#floats = memory.floats
    this.#at = offset / 8
    this.now = this.stepAt = monotonicMs()
    this.#floats[this.#at + STATE] = TIME.busy
    this.#floats[this.#at + SINCE] = this.now
  }

  read(): number {
    this.now = monotonicMs()
    return this.now
  }

  /** A step begins. */
  begin(): void {
    this.stepAt = this.read()
  }

  /** The last reading as a stamp: whole microseconds. */
  get stamp(): number {
    return Math.floor(this.now * 1000)
  }

  /**
   * From the last reading on, the time goes to `state`; what went by since the last change went to the one before. A step that
   * found work was busy from its beginning.
   */
  enter(state: number): void {
    if (state === this.#state) return
    const at = state === TIME.busy ? this.stepAt : this.now
    this.#floats[this.#at + this.#state]! += (at - this.#floats[this.#at + SINCE]!) * 1000
    this.#floats[this.#at + STATE] = state
    this.#floats[this.#at + SINCE] = at
    this.#state = state
  }
}
