import { load } from '#atomics'
import { BEAT } from '../plan/control.js'
import { CALLED, HOLDING, HOLDS_CALLS, HOLDS_NOTHING } from '../plan/hand.js'
/**
 * Tells workers whose handler hangs: their loop stands still, and the call in hand is older than its `timeoutMs`. Async calls
 * that are merely open do not stop the loop; timers in the worker end those.
 */
export class Watchdog {
  #memory
  #beats = new Map()
  constructor(memory) {
    this.#memory = memory
  }
  /** @returns for how long the worker has hung, in ms; 0 where it has not */
  hungForMs(worker, timeoutMs, nowMs) {
    const { words } = this.#memory
    const beat = load(words, worker.control.offset / 4 + BEAT)
    const known = this.#beats.get(worker.index)
    if (known === undefined || known.beat !== beat) {
      this.#beats.set(worker.index, { beat, since: nowMs })
      return 0
    }
    const hand = worker.hand.offset / 4
    const holding = load(words, hand + HOLDING)
    if (holding === HOLDS_NOTHING) return 0
    const calledForMs =
      holding === HOLDS_CALLS ? Infinity : ((((nowMs * 1000) | 0) - load(words, hand + CALLED)) | 0) / 1000
    const forMs = Math.min(nowMs - known.since, calledForMs)
    return forMs > timeoutMs ? forMs : 0
  }
  forget(worker) {
    this.#beats.delete(worker.index)
  }
}
