import { wait } from '#atomics'
import { PROBED, SPEEDUP } from '../../memory/control.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan } from '../../plan/types.ts'
import { monotonicMs } from '../../time.ts'
import { workedMs } from './worked.ts'

/** One pause is no shorter and no longer than this: what is left is paid with the next step. */
const LEAST_MS = 0.1
const MOST_MS = 20

/**
 * Slows a worker down while a probe makes another stage quicker, virtually: for each millisecond that the workers of that stage
 * work, on average, this one waits for a part of it. So all goes as if that stage were quicker and the clock slower.
 */
export class ProbeDelay {
  readonly #memory: Memory
  readonly #plan: Plan
  #seenMs: number | undefined
  #owedMs = 0

  constructor(memory: Memory, plan: Plan) {
    this.#memory = memory
    this.#plan = plan
  }

  /** Waits for what has come up since the last time. */
  pay(): void {
    const { words, floats } = this.#memory
    const at = this.#plan.control.offset
    const speedup = floats[at / 8 + SPEEDUP]!
    const probed = words[at / 4 + PROBED]!
    const stage = this.#plan.stages[probed]!
    const ms = workedMs(this.#memory, this.#plan, stage)
    // It may have been read while it was being written: what seems to have been unworked was never owed.
    this.#owedMs += speedup * Math.max(0, ms - (this.#seenMs ?? ms))
    this.#seenMs = Math.max(ms, this.#seenMs ?? ms)
    if (speedup === 0) this.#owedMs = 0
    if (this.#owedMs < LEAST_MS) return
    const since = monotonicMs()
    // Nobody rings it.
    wait(words, at / 4 + PROBED, probed, Math.min(MOST_MS, this.#owedMs))
    this.#owedMs -= monotonicMs() - since
  }
}
