import { load } from '#atomics'
import type { Memory } from '../lane/memory.ts'
import { BEAT, LIVE, STATE } from '../plan/control.ts'
import { CALLED, HOLDING, HOLDS_CALLS, HOLDS_NOTHING } from '../plan/hand.ts'
import type { WorkerPlan } from '../plan/types.ts'

/**
 * Tells workers whose handler hangs: their loop stands still, and the call in hand is older than its `timeoutMs`. Async calls
 * that are merely open do not stop the loop; timers in the worker end those.
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
    const holding = load(words, hand + HOLDING)
    if (holding === HOLDS_NOTHING) return 0
    const calledForMs =
      holding === HOLDS_CALLS ? Infinity : ((((nowMs * 1000) | 0) - load(words, hand + CALLED)) | 0) / 1000
    const forMs = Math.min(nowMs - known.since, calledForMs)
    return forMs > timeoutMs ? forMs : 0
  }

  forget(worker: WorkerPlan): void {
    this.#beats.delete(worker.index)
  }
}
