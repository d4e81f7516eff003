import { load, store } from '#atomics'
import { Doorbell } from '../../lane/doorbell.ts'
import { DOZE_MS } from '../../memory/doorbell.ts'
import type { Memory } from '../../memory/memory.ts'
import { ASYNC, ATTEND, BEAT, COMMAND, DELAYED, NET, PHASE, STARTING, STOPPING } from '../../memory/control.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import { TIME } from '../../memory/counters.ts'
import type { Clock } from '../clock.ts'
import { ENDED, PROGRESS, type Stage, type Step } from '../stage.ts'
import { clearInterval, clearTimeout, monotonicMs, setImmediate, setInterval, setTimeout } from '../../time.ts'
import { LookThenPark, type WaitPolicy } from './wait.ts'

/** A stage that waits for a time that is over is stepped again after so long. */
export const OVERDUE_MS = 1
/** A busy stage lets the event loop run so often: timers, ports and promises of the user's own. */
const YIELD_EVERY_MS = 20

/**
 * Runs a stage until the pipeline stops: steps while there is progress, otherwise waits on the worker's doorbell.
 * A worker announces that it will wait, steps once more as its last look, and only then waits (`lane/doorbell.ts`). A sync
 * stage blocks its thread for a doze; for longer it waits as an async one does, so that the thread's own timers run.
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
  #seenPhase = STARTING
  #hasEnded = false
  /** Resolves the wait of an async stage from this very thread. */
  #wakeLocal: (() => void) | undefined
  #isWoken = false

  readonly #policy: WaitPolicy
  readonly #beforeWait: () => void
  readonly #onPhase: (phase: number) => void
  readonly #hasLeft: () => boolean
  readonly #onDelayed: () => void

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
    /** Called when the pipeline has come to another phase. */
    onPhase?: (phase: number) => void
    /** Whether the worker has lost its seat, and keeps nothing. */
    hasLeft?: () => boolean
    /** Called after each step that found work, while a probe slows this worker down. */
    onDelayed?: () => void
    policy?: WaitPolicy
  }) {
    const { plan, worker, memory } = given
    this.#stage = given.stage
    this.#clock = given.clock
    this.#memory = memory
    this.#doorbell = new Doorbell(memory.words, worker.control.doorbell)
    this.#phase = plan.control.offset / 4 + PHASE
    this.#control = worker.control.offset / 4
    this.#onEnded = given.onEnded
    this.#policy = given.policy ?? new LookThenPark(memory, plan, given.clock.now)
    this.#onPhase = given.onPhase ?? nothing
    this.#hasLeft = given.hasLeft ?? never
    this.#onDelayed = given.onDelayed ?? nothing
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
    while (!this.#isOver()) {
      if (this.#step() === PROGRESS) {
        this.#policy.found(this.#clock.now, 0)
        if (this.#mustYield()) await this.#yield()
        continue
      }
      this.#beforeWait()
      if (this.#stage.isAsync) await this.#waitAsync()
      else if (!this.#look()) await this.#wait()
    }
    // Its hand-offs have not told all readers yet.
    if (this.#hasLeft()) this.#beforeWait()
    this.#doorbell.leave()
    clearInterval(held)
    this.#clock.read()
    this.#clock.enter(TIME.busy)
  }

  #step(): Step {
    this.#beat = (this.#beat + 1) | 0
    // Plain on purpose: a watchdog reads it, and nothing is ordered by it.
    this.#memory.words[this.#control + BEAT] = this.#beat
    this.#clock.begin()
    const step = this.#stage.step()
    this.#clock.enter(TIME_OF[step]!)
    // Plain on purpose, as the beat.
    if (step === PROGRESS && (this.#memory.words[this.#control + COMMAND]! & DELAYED) !== 0) this.#onDelayed()
    if (step === ENDED && !this.#hasEnded) {
      this.#hasEnded = true
      this.#onEnded()
    }
    return step
  }

  /** Looks for work for a short while; where two threads answer each other, this spares them the parking. */
  #look(): boolean {
    const since = this.#clock.now
    for (let looks = 0; this.#policy.looksAgain(looks, since, this.#clock.now); looks++) {
      if (this.#step() !== PROGRESS) continue
      this.#policy.found(this.#clock.now, looks + 1)
      return true
    }
    return false
  }

  async #wait(): Promise<void> {
    const netMs = this.#policy.netMs(this.#clock.now)
    if (this.#waitMs(netMs) > DOZE_MS) return this.#sleep(netMs)
    this.#park(Math.min(DOZE_MS, netMs))
    if (this.#mustYield()) await this.#yield()
  }

  /** Blocks the thread. */
  #park(netMs: number): void {
    this.#doorbell.announce(netMs)
    if (this.#lastLook()) {
      const waitMs = this.#waitMs(netMs)
      this.#tellNet(waitMs)
      this.#doorbell.park(waitMs)
      this.#tellNet(0)
    }
    this.#doorbell.rise()
  }

  async #waitAsync(): Promise<void> {
    store(this.#memory.words, this.#control + ASYNC, 1)
    this.#isWoken = false
    // First the event loop: answers that are on their way arrive now, and come together in one step.
    await this.#yield()
    if (!this.#isWoken) await this.#sleep(this.#policy.netMs(this.#clock.now))
  }

  /** Lets the event loop run until there is a ring, an answer, or it is time. */
  async #sleep(netMs: number): Promise<void> {
    this.#isWoken = false
    if (netMs > DOZE_MS) this.#stage.beforeSleep?.()
    this.#doorbell.announce(netMs)
    if (this.#lastLook() && !this.#isWoken && this.#doorbell.parkAsync(this.wake)) {
      const waitMs = this.#waitMs(netMs)
      this.#tellNet(waitMs)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wakeLocal = resolve
        timer = setTimeout(resolve, waitMs)
      })
      clearTimeout(timer)
      this.#wakeLocal = undefined
      this.#tellNet(0)
      this.#yieldedAt = this.#clock.read()
    }
    this.#doorbell.rise()
  }

  /** The look between the announcement and the wait. @returns whether there is nothing, so that the wait is right */
  #lastLook(): boolean {
    if (this.#step() !== PROGRESS) return !this.#isOver()
    this.#policy.found(this.#clock.now, 0)
    return false
  }

  #waitMs(netMs: number): number {
    const { wakeAt } = this.#stage
    // What was due when the last step began, and brought nothing, waits for something else too: looking at once would be spinning.
    if (wakeAt <= this.#clock.stepAt) return Math.min(netMs, OVERDUE_MS)
    return Math.max(0, Math.min(netMs, wakeAt - monotonicMs()))
  }

  /** Plain on purpose, as the beat. */
  #tellNet(waitMs: number): void {
    this.#memory.words[this.#control + NET] = Math.ceil(waitMs)
  }

  #isOver(): boolean {
    const phase = load(this.#memory.words, this.#phase)
    if (phase !== this.#seenPhase) {
      this.#seenPhase = phase
      this.#onPhase(phase)
    }
    return phase >= STOPPING || this.#hasLeft()
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
const TIME_OF: readonly number[] = [TIME.busy, TIME.starved, TIME.blocked, TIME.limited, TIME.busy, TIME.starved]

function nothing(): void {
  // Who runs the loop need not care for the phases.
}

function never(): boolean {
  return false
}
