import { load } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import { BEAT, LIVE, NET, STATE } from '../memory/control.ts'
import { CALLED, HOLDING, HOLDS_BATCH, HOLDS_RECORD } from '../memory/hand.ts'
import type { WorkerPlan } from '../plan/types.ts'

/** A loop steps again at once, or says for how long it waits: only one that has stood still for longer is in somebody's code. */
const STILL_MS = 50
/** The same where the hand does not say in whose: what is sent then may be large. */
const STILL_IN_NOBODYS_CALL_MS = 500

interface Seen {
  readonly beat: number
  /** Since when the loop has been seen at this beat. */
  readonly sinceMs: number
  readonly called: number
  /** Since when the call in hand has been seen. */
  readonly calledMs: number
}

/**
 * Tells workers whose handler hangs: their loop stands still, and the call in hand is older than its `timeoutMs`. Async calls
 * that are merely open do not stop the loop; timers in the worker end those. Where no single call is in hand, what hangs is a
 * key, a route, an iterator, or a handler behind its first `await`.
 *
 * A time begins when a look first sees what it is the time of, so no clock of a worker is compared with this one.
 */
export class Watchdog {
  readonly #memory: Memory
  readonly #seen = new Map<number, Seen>()

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /**
   * @param nowMs how long the process has run: a pause of all of it is nobody's fault
   * @returns for how long the worker has hung, in ms; 0 where it has not
   */
  hungForMs(worker: WorkerPlan, timeoutMs: number, nowMs: number): number {
    const { words } = this.#memory
    const control = worker.control.offset / 4
    // A thread that is starting has no loop yet, and what is in its hand is its predecessor's.
    if (load(words, control + STATE) !== LIVE) {
      this.forget(worker)
      return 0
    }
    const hand = worker.hand.offset / 4
    // A loop that waits is not to step before that time is over.
    const netMs = load(words, control + NET)
    const [beat, called] = [load(words, control + BEAT), load(words, hand + CALLED)]
    const known = this.#seen.get(worker.index)
    const isStill = known?.beat === beat
    const isSameCall = isStill && known.called === called
    const sinceMs = isStill ? known.sinceMs : nowMs
    const calledMs = isSameCall ? known.calledMs : nowMs
    this.#seen.set(worker.index, { beat, sinceMs, called, calledMs })
    const stillForMs = nowMs - sinceMs - netMs
    const holding = load(words, hand + HOLDING)
    if (holding !== HOLDS_RECORD && holding !== HOLDS_BATCH) {
      return stillForMs > Math.max(timeoutMs, STILL_IN_NOBODYS_CALL_MS) ? stillForMs : 0
    }
    const forMs = Math.min(stillForMs, nowMs - calledMs)
    return forMs > timeoutMs && stillForMs > STILL_MS ? forMs : 0
  }

  /** Whether its loop waits: nothing of it can hang before it goes on. */
  isWaiting({ control }: WorkerPlan): boolean {
    return load(this.#memory.words, control.offset / 4 + NET) > 0
  }

  forget(worker: WorkerPlan): void {
    this.#seen.delete(worker.index)
  }
}
