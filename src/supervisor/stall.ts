import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'
import { readMovement } from '../telemetry/snapshot.ts'
import { longestWaitMs } from './waits.ts'

/** How much later than planned a wait on purpose may end. */
const LATE_MS = 1_000

/** Tells once when records are on their way and none has moved for so long, though no stage waits on purpose. */
export class Stall {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #afterMs: number
  #handoffs = 0
  #sinceMs = 0
  #isTold = false

  constructor(memory: Memory, plan: Plan, afterMs: number) {
    this.#memory = memory
    this.#plan = plan
    this.#afterMs = afterMs
  }

  /** @returns what stands still and for how long, the first time that it has for long enough */
  look(nowMs: number): { readonly inFlight: number; readonly forMs: number } | undefined {
    const { handoffs, inFlight } = readMovement(this.#memory, this.#plan)
    if (handoffs !== this.#handoffs || inFlight === 0) {
      this.#handoffs = handoffs
      this.#sinceMs = nowMs
      this.#isTold = false
    }
    const forMs = nowMs - this.#sinceMs
    if (this.#isTold || forMs < this.#afterMs) return undefined
    const waitMs = longestWaitMs(this.#memory, this.#plan)
    if (waitMs > 0 && forMs < waitMs + LATE_MS) return undefined
    this.#isTold = true
    return { inFlight, forMs }
  }
}
