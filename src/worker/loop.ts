import { load, store } from '#atomics'
import { Doorbell } from '../lane/doorbell.ts'
import type { Memory } from '../lane/memory.ts'
import { ASYNC, ATTEND, BEAT, COMMAND, PHASE, STOPPING } from '../plan/control.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import {
  BLOCKED as BLOCKED_TIME,
  BUSY,
  LIMITED as LIMITED_TIME,
  STARVED as STARVED_TIME,
} from '../telemetry/counters.ts'
import type { Clock } from './clock.ts'
import { ENDED, PROGRESS, type Stage, type Step } from './stage.ts'
import { clearInterval, monotonicMs, setImmediate, setInterval } from '../time.ts'

/** Longest wait: a net under every wake-up, and how late timers of a sync stage may be. */
const MAX_PARK_MS = 20
/** A busy stage lets the event loop run so often: timers, ports and promises of the user's own. */
const YIELD_EVERY_MS = 20
/** Looks for work before parking, at most: each is one step. Half as many after looks in vain, twice after luck. */
const MAX_SPINS = 256

/**
 * Runs a stage until the pipeline stops: steps while there is progress, otherwise waits on the worker's doorbell.
 * A worker announces that it will wait, steps once more as its last look, and only then waits (`lane/doorbell.ts`).
 */
export class Loop {
  readonly #stage: Stage
  readonly #clock: Clock
  readonly #memory: Memory
  readonly #doorbell: Doorbell
  readonly #phase: number
  readonly #control: number
  readonly #onEnded: () => void
  #beat = 0
  #yieldedAt: number
  #spins = MAX_SPINS
  #hasEnded = false
  /** Resolves the wait of an async stage from this very thread. */
  #wakeLocal: (() => void) | undefined
  #isWoken = false

  readonly #maxParkMs: number
  readonly #beforeWait: () => void

  constructor(given: {
    plan: Plan
    worker: WorkerPlan
    memory: Memory
    stage: Stage
    clock: Clock
    /** Called once, when a source has made all and all is acked. */
    onEnded: () => void
    /** Called when there is no more progress. */
    beforeWait: () => void
    maxParkMs?: number
  }) {
    const { plan, worker, memory } = given
    this.#stage = given.stage
    this.#clock = given.clock
    this.#memory = memory
    this.#doorbell = new Doorbell(memory.words, worker.control.doorbell)
    this.#phase = plan.control.offset / 4 + PHASE
    this.#control = worker.control.offset / 4
    this.#onEnded = given.onEnded
    this.#maxParkMs = given.maxParkMs ?? MAX_PARK_MS
    this.#beforeWait = given.beforeWait
    this.#yieldedAt = given.clock.now
  }

  /** Something happened in this thread: an async handler has answered. */
  readonly wake = (): void => {
    this.#isWoken = true
    this.#wakeLocal?.()
  }

  async run(): Promise<void> {
    // `waitAsync` keeps no event loop alive; a timer does.
    const held = setInterval(() => undefined, 1 << 30)
    while (load(this.#memory.words, this.#phase) < STOPPING) {
      const step = this.#step()
      if (step === PROGRESS) {
        if (this.#mustYield()) await this.#yield()
        continue
      }
      this.#beforeWait()
      if (this.#stage.isAsync) await this.#waitAsync()
      else if (!this.#spin()) {
        this.#park()
        if (this.#mustYield()) await this.#yield()
      }
    }
    clearInterval(held)
    this.#clock.read()
    this.#clock.enter(BUSY)
  }

  #step(): Step {
    this.#beat = (this.#beat + 1) | 0
    // Plain on purpose: a watchdog reads it, and nothing is ordered by it.
    this.#memory.words[this.#control + BEAT] = this.#beat
    this.#clock.begin()
    const step = this.#stage.step()
    this.#clock.enter(TIME_OF[step]!)
    if (step === ENDED && !this.#hasEnded) {
      this.#hasEnded = true
      this.#onEnded()
    }
    return step
  }

  /** Looks for work for a short while; where two threads answer each other, this spares them the parking. */
  #spin(): boolean {
    for (let i = 0; i < this.#spins; i++) {
      if (this.#step() !== PROGRESS) continue
      this.#spins = Math.min(MAX_SPINS, this.#spins * 2)
      return true
    }
    this.#spins = Math.max(1, this.#spins >> 1)
    return false
  }

  #park(): void {
    this.#doorbell.announce()
    if (this.#step() !== PROGRESS && !this.#isOver()) {
      this.#doorbell.park(this.#parkMs())
    }
    this.#doorbell.rise()
  }

  async #waitAsync(): Promise<void> {
    store(this.#memory.words, this.#control + ASYNC, 1)
    this.#isWoken = false
    // First the event loop: answers that are on their way arrive now, and come together in one step.
    await this.#yield()
    if (this.#isWoken) return
    this.#doorbell.announce()
    if (this.#step() !== PROGRESS && !this.#isOver() && !this.#isWoken) {
      const rung = this.#doorbell.parkAsync(this.#parkMs())
      const woken = new Promise<void>((resolve) => (this.#wakeLocal = resolve))
      if (rung !== undefined) await Promise.race([rung, woken])
      this.#wakeLocal = undefined
    }
    this.#doorbell.rise()
  }

  #parkMs(): number {
    const untilWake = this.#stage.wakeAt - monotonicMs()
    return Math.max(0, Math.min(this.#maxParkMs, untilWake))
  }

  #isOver(): boolean {
    return load(this.#memory.words, this.#phase) >= STOPPING
  }

  #mustYield(): boolean {
    if (this.#clock.now - this.#yieldedAt >= YIELD_EVERY_MS) return true
    return (load(this.#memory.words, this.#control + COMMAND) & ATTEND) !== 0
  }

  async #yield(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#yieldedAt = this.#clock.read()
  }
}

/** What a worker's time goes into after each outcome of a step. An open call of a handler is work, whoever does it. */
const TIME_OF: readonly number[] = [BUSY, STARVED_TIME, BLOCKED_TIME, LIMITED_TIME, BUSY, STARVED_TIME]
