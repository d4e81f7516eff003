import { load } from '#atomics'
import type { Memory } from '../lane/memory.ts'
import { BEAT, LIVE, STATE } from '../plan/control.ts'
import { CALLED, HOLDING, HOLDS_BATCH, HOLDS_RECORD } from '../plan/hand.ts'
import type { WorkerPlan } from '../plan/types.ts'

/** A loop that waits steps every 20 ms: only one that has stood still for longer is in somebody's code. */
const STILL_MS = 50
/** The same where the hand does not say in whose: what is sent then may be large. */
const STILL_IN_NOBODYS_CALL_MS = 500

/**
 * Tells workers whose handler hangs: their loop stands still, and the call in hand is older than its `timeoutMs`. Async calls
 * that are merely open do not stop the loop; timers in the worker end those. Where no single call is in hand, what hangs is a
 * key, a route, an iterator, or a handler behind its first `await`.
 */
export class Watchdog {
  readonly #memory: Memory
  readonly #beats = new Map<number, { beat: number; since: number }>()

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** @returns for how long the worker has hung, in ms; 0 where it has not */
  hungForMs(worker: WorkerPlan, timeoutMs: number, nowMs: number): number {
    const { words } = this.#memory
    const control = worker.control.offset / 4
    // A thread that is starting has no loop yet, and what is in its hand is its predecessor's.
    if (load(words, control + STATE) !== LIVE) {
      this.forget(worker)
      return 0
    }
    const beat = load(words, control + BEAT)
    const known = this.#beats.get(worker.index)
    if (known === undefined || known.beat !== beat) {
      this.#beats.set(worker.index, { beat, since: nowMs })
      return 0
    }
    const hand = worker.hand.offset / 4
    const stillForMs = nowMs - known.since
    const holding = load(words, hand + HOLDING)
    if (holding !== HOLDS_RECORD && holding !== HOLDS_BATCH) {
      return stillForMs > Math.max(timeoutMs, STILL_IN_NOBODYS_CALL_MS) ? stillForMs : 0
    }
    const calledForMs = ((((nowMs * 1000) | 0) - load(words, hand + CALLED)) | 0) / 1000
    const forMs = Math.min(stillForMs, calledForMs)
    return forMs > timeoutMs && stillForMs > STILL_MS ? forMs : 0
  }

  forget(worker: WorkerPlan): void {
    this.#beats.delete(worker.index)
  }
}
