import { add, load, notify, store, wait, waitAsync } from '#atomics'
import { BELL, DOZES, DOZE_MS, PARKED, SLEEPS, STEPS } from '../memory/doorbell.ts'

/** Rings the doorbell at `offset`, if its owner waits or is about to. Call it after the change that concerns the owner. */
export function ring(words: Int32Array, offset: number): void {
  // WAKE: pairs with the store of PARKED in `announce`. The change came before this load, so an owner that is not seen
  // here as parked sees the change in its last look.
  if (!isParked(words, offset)) return
  add(words, offset / 4 + BELL, 1)
  notify(words, offset / 4 + BELL)
}

/** Whether the owner waits, or is about to. */
export function isParked(words: Int32Array, offset: number): boolean {
  return load(words, offset / 4 + PARKED) !== STEPS
}

/** Whether the owner must not be left unrung. Ask after the change that concerns it. */
export function isAsleep(words: Int32Array, offset: number): boolean {
  // WAKE: as in `ring`. An owner that is not seen here as asleep sees the change in its last look, or in the one after its doze.
  return load(words, offset / 4 + PARKED) === SLEEPS
}

/** The owner's side. */
export class Doorbell {
  readonly #words: Int32Array
  readonly #bell: number
  readonly #parked: number
  #seen = 0
  /** What the bell showed when the wait began that is not over. */
  #awaited: number | undefined

  constructor(words: Int32Array, offset: number) {
    this.#words = words
    this.#bell = offset / 4 + BELL
    this.#parked = offset / 4 + PARKED
  }

  /** Says that the owner is about to wait, at most so long. Between this and `park` comes the last look. */
  announce(timeoutMs: number): void {
    store(this.#words, this.#parked, timeoutMs > DOZE_MS ? SLEEPS : DOZES)
    this.#seen = load(this.#words, this.#bell)
  }

  /** Takes the announcement back: the last look found something, or the wait is over. */
  rise(): void {
    store(this.#words, this.#parked, STEPS)
  }

  /** Blocks the thread until a ring since `announce`, at most so long. */
  park(timeoutMs: number): void {
    wait(this.#words, this.#bell, this.#seen, timeoutMs)
  }

  /**
   * The same without blocking: calls `onRung` at a ring since `announce`, perhaps once too often. The caller keeps the event
   * loop alive, looks at the time, and ends with `leave`.
   * @returns false where it has been rung already
   */
  parkAsync(onRung: () => void): boolean {
    // Where the wait ended for another reason, it is still there.
    if (this.#awaited === this.#seen) return true
    const seen = this.#seen
    const waiting = waitAsync(this.#words, this.#bell, seen, Infinity)
    if (!waiting.async) return false
    this.#awaited = seen
    const onEnd = (): void => {
      if (this.#awaited === seen) this.#awaited = undefined
      onRung()
    }
    void (waiting.value as Promise<unknown>).then(onEnd)
    return true
  }

  /** The owner never waits again: what waits for the bell is let go, and holds the memory no longer. */
  leave(): void {
    if (this.#awaited === undefined) return
    add(this.#words, this.#bell, 1)
    notify(this.#words, this.#bell)
  }
}
