import { BUSY, SINCE, STATE } from '../telemetry/counters.js'
/** Keeps the account of a worker's time: each moment is busy, starved, blocked or limited. */
export class Clock {
  /** The last reading, in ms of the clock that all threads share. */
  now
  #floats
  #at
  #state = BUSY
  constructor(memory, offset) {
    this.#floats = memory.floats
    this.#at = offset / 8
    this.now = performance.now()
    this.#floats[this.#at + STATE] = BUSY
    this.#floats[this.#at + SINCE] = this.now
  }
  read() {
    this.now = performance.now()
    return this.now
  }
  /** The last reading as a stamp: microseconds modulo 2^32. */
  get stamp() {
    return (this.now * 1000) | 0
  }
  /** From the last reading on, the time goes to `state`; what went by since the last change went to the one before. */
  enter(state) {
    if (state === this.#state) return
    this.#floats[this.#at + this.#state] += (this.now - this.#floats[this.#at + SINCE]) * 1000
    this.#floats[this.#at + STATE] = state
    this.#floats[this.#at + SINCE] = this.now
    this.#state = state
  }
}
