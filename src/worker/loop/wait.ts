import { availableParallelism } from 'node:os'
import { isParked } from '../../lane/doorbell.ts'
import { DOZE_MS } from '../../memory/doorbell.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan } from '../../plan/types.ts'

/** How a loop waits that has nothing to do: whether it looks again before it parks, and for how long it parks at most. */
export interface WaitPolicy {
  /** A step found work, after so many looks in vain. */
  found(nowMs: number, looks: number): void
  /** Nothing has come since `sinceMs`, at so many looks: whether there is to be another one. */
  looksAgain(looks: number, sinceMs: number, nowMs: number): boolean
  /** The longest wait from now on: the net under a wake-up, and how late timers of a thread that is blocked may be. */
  netMs(nowMs: number): number
}

/** Looks before parking, at most: each is one step. Half as many after looks in vain, twice after luck. */
const MOST_LOOKS = 256
/** Time that looking takes at most: a look may be slow. */
const LOOK_MS = 0.25
/** Looks that are always allowed, and from one count of cores to the next. */
const FEW_LOOKS = 8
/** From then on a loop without work sleeps: the longer, the longer there was none. */
const DOZING_MS = 100
const MOST_NET_MS = 2_000

/**
 * Looks for a short while first: where two threads answer each other, this spares them the parking. Only while a core is free,
 * for a thread that looks takes it from one that works. Then it parks, the longer the longer nothing has come: whoever has
 * something for a loop that waits rings its doorbell.
 */
export class LookThenPark implements WaitPolicy {
  #most = MOST_LOOKS
  #workedAtMs: number
  readonly #words: Int32Array
  /** Of all workers, where there are more of them than cores. */
  readonly #doorbells: readonly number[]
  readonly #cores: number

  constructor({ words }: Memory, plan: Plan, nowMs: number, cores: number = availableParallelism()) {
    this.#words = words
    this.#cores = cores
    this.#doorbells = plan.workers.length > cores ? plan.workers.map(({ control }) => control.doorbell) : []
    this.#workedAtMs = nowMs
  }

  found(nowMs: number, looks: number): void {
    this.#workedAtMs = nowMs
    if (looks > 0) this.#most = Math.min(MOST_LOOKS, this.#most * 2)
  }

  looksAgain(looks: number, sinceMs: number, nowMs: number): boolean {
    if (looks < this.#most && (looks === 0 || looks % FEW_LOOKS > 0 || this.#isWorthIt(sinceMs, nowMs))) return true
    this.#most = Math.max(1, this.#most >> 1)
    return false
  }

  netMs(nowMs: number): number {
    const idleMs = nowMs - this.#workedAtMs
    return idleMs < DOZING_MS ? DOZE_MS : Math.min(MOST_NET_MS, idleMs)
  }

  #isWorthIt(sinceMs: number, nowMs: number): boolean {
    return nowMs - sinceMs < LOOK_MS && this.#isCoreFree()
  }

  /** Every worker that is not parked has a core, or wants one. */
  #isCoreFree(): boolean {
    let awake = 0
    for (let i = 0; i < this.#doorbells.length && awake <= this.#cores; i++) {
      if (!isParked(this.#words, this.#doorbells[i]!)) awake++
    }
    return awake <= this.#cores
  }
}
