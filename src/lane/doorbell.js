import { add, load, notify, store, wait, waitAsync } from '#atomics'
import { LINE_BYTES } from './memory.js'
/**
 * The one word on which a worker waits, and the word by which it says that it does.
 *
 *     0     BELL    any thread adds to it: the only word with more than one writer; a stray ring does no harm
 *     128   PARKED  the owner only
 *
 * Invariants (test/interleave):
 *   D1  no lost wake: the owner announces (PARKED), reads the bell, looks at all that could concern it, and only then
 *       waits; whoever has changed something looks at PARKED after the change. One of the two sees the other.
 *   D2  `notify` costs a system call's preparation, so it is done only where PARKED is set
 */
export const DOORBELL_BYTES = 2 * LINE_BYTES
const BELL = 0
const PARKED = LINE_BYTES / 4
/** Rings the doorbell at `offset`, if its owner waits or is about to. Call it after the change that concerns the owner. */
export function ring(words, offset) {
  // WAKE: pairs with the store of PARKED in `announce`. The change came before this load, so an owner that is not seen
  // here as parked sees the change in its last look.
  if (load(words, offset / 4 + PARKED) === 0) return
  add(words, offset / 4 + BELL, 1)
  notify(words, offset / 4 + BELL)
}
/** The owner's side. */
export class Doorbell {
  #words
  #bell
  #parked
  #seen = 0
  constructor(words, offset) {
    this.#words = words
    this.#bell = offset / 4 + BELL
    this.#parked = offset / 4 + PARKED
  }
  /** Says that the owner is about to wait. Between this and `park` comes the last look. */
  announce() {
    store(this.#words, this.#parked, 1)
    this.#seen = load(this.#words, this.#bell)
  }
  /** Takes the announcement back: the last look found something, or the wait is over. */
  rise() {
    store(this.#words, this.#parked, 0)
  }
  /** Blocks the thread until a ring since `announce`, at most so long. */
  park(timeoutMs) {
    wait(this.#words, this.#bell, this.#seen, timeoutMs)
  }
  /** The same without blocking. The caller keeps the event loop alive. */
  parkAsync(timeoutMs) {
    const waiting = waitAsync(this.#words, this.#bell, this.#seen, timeoutMs)
    return waiting.async ? waiting.value : undefined
  }
}
