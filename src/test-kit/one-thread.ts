import { MillraceError, errorText } from '../errors.ts'
import { DRAINING, LEFT, RUNNING, STATE } from '../memory/control.ts'
import { handBytes } from '../memory/hand.ts'
import { isVacant } from '../lane/seats.ts'
import type { WorkerPlan } from '../plan/types.ts'
import { enterPhase } from '../supervisor/phase.ts'
import { recoverWorker } from '../supervisor/recovery.ts'
import { BLOCKED, ENDED, PROGRESS, STARVED, type Step } from '../worker/stage.ts'
import type { RunClock } from './clock.ts'
import { type Course, STEP_NAMES } from './course.ts'
import { WorkerDeath, fuse } from './fuse.ts'
import { guarded } from './guard.ts'
import { Life, type Shared } from './life.ts'
import { AnswerQueue, type Seat } from './seat.ts'
import { Setups } from './setups.ts'

/**
 * A whole planned pipeline in one thread: the shipped stages, journal and recovery, stepped by a seeded scheduler. Each worker may die
 * at any of its instants, and its replacement goes on. The same seed gives the same run.
 */
export class OneThread {
  deaths = 0
  steps = 0
  readonly shared: Shared
  readonly #course: Course
  readonly #clock: RunClock
  readonly #setups: Setups
  readonly #fault: (what: string) => void
  /** By worker; a seat that nobody has is vacant. */
  readonly #seats: (Seat | undefined)[]
  readonly #answers = new AnswerQueue()
  /** Whose code runs now. */
  #running: Seat | undefined
  /**
   * The hand as it was at a death. What the dead one goes on to do, in a `catch` or a `finally`, is to reach nobody: it hands
   * nothing off, and its plain stores lie beyond what is committed, but for those to its hand.
   */
  #handAtDeath: Uint8Array | undefined
  #isDraining = false
  /** Workers that had nothing to do when they were last stepped, and why; nothing has happened since that concerns them. */
  readonly #idle = new Map<number, Step>()
  /** Nobody has anything to do, and each was asked twice: a step that ends in a wait may have given another one something. */
  #isSure = false

  /** @param fault something is not as it must be */
  constructor(shared: Shared, course: Course, fault: (what: string) => void) {
    this.shared = shared
    this.#course = course
    this.#clock = course.clock
    this.#setups = new Setups(shared, course.clock, fault)
    this.#fault = fault
    fuse.takeOut()
    fuse.visits = 0
    fuse.onDeath = (): void => void (this.#handAtDeath = Buffer.from(this.#handOf(this.#running!)))
    this.#seats = shared.plan.workers.map(() => undefined)
  }

  /** Runs until every source has ended and nothing moves any more. */
  async run(): Promise<void> {
    const { memory, plan } = this.shared
    const { random, maxSteps } = this.#course
    for (const worker of plan.workers) if (!isVacant(memory, worker.control.offset)) await this.seat(worker)
    enterPhase(memory, plan, RUNNING)
    const idle = this.#idle
    while (!this.#isOver()) {
      if (++this.steps > maxSteps) return this.#fault(`not over after ${maxSteps} steps: ${this.describe()}`)
      const acting = this.#course.act?.()
      if (acting !== undefined) await acting
      // Mostly the one that has something to do; now and then an answer or a timer comes before that.
      const mustWait = idle.size === this.#lives.length
      if (mustWait && !this.#isSure) {
        this.stir()
        this.#isSure = true
        continue
      }
      if (mustWait || random.chance(0.05)) {
        if (await this.#happen(mustWait)) {
          this.stir()
          continue
        }
        if (mustWait) {
          if (!(await this.#advance())) return this.#fault(`stands still: ${this.describe()}`)
          this.stir()
        }
      }
      const seat = random.pick(this.#lives.filter(({ worker }) => !idle.has(worker.index)))
      await this.#take(seat)
      this.#course.look?.()
      this.#clock.tick()
    }
    await this.#leave()
  }

  /** Takes a seat from a worker that has left. */
  unseat({ index }: WorkerPlan): void {
    this.#seats[index] = undefined
    this.#idle.delete(index)
  }

  hasLeft({ index }: WorkerPlan): boolean {
    return this.#seats[index]?.life?.hasLeft === true
  }

  /** Something has happened that may concern anyone. */
  stir(): void {
    this.#idle.clear()
    this.#isSure = false
  }

  /** Sources make no more, and batches do not wait for more. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    enterPhase(this.shared.memory, this.shared.plan, DRAINING)
    for (const seat of this.#lives) this.#as(seat, () => seat.life!.drain())
    this.stir()
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** For code that runs in a worker: an answer that comes when the scheduler says so. */
  later<T>(act: () => T): Promise<T> {
    const seat = this.#running!
    return new Promise((resolve, reject) =>
      seat.queue(() => {
        try {
          resolve(act())
        } catch (error) {
          if (error instanceof WorkerDeath) throw error
          reject(error)
        }
      }),
    )
  }

  /** Who waits for what. */
  describe(): string {
    const steps = this.#lives.map(
      ({ worker, life }) =>
        `${life!.node}.${worker.ordinal} ${STEP_NAMES[this.#idle.get(worker.index) ?? PROGRESS]} until ${life!.stage.wakeAt}`,
    )
    return [`now ${this.#clock.now}`, `answers ${this.#answers.count}`, ...steps].join('\n    ')
  }

  /** Seats with somebody in them. */
  get #lives(): Seat[] {
    const seats: Seat[] = []
    for (const seat of this.#seats) if (seat?.life !== undefined) seats.push(seat)
    return seats
  }

  /** Gives a worker its seat: a new life. */
  async seat(worker: WorkerPlan, epoch = 0): Promise<void> {
    const state = await this.#setups.setUp(worker, epoch)
    const seat: Seat = {
      worker,
      epoch,
      state,
      isDead: false,
      life: undefined,
      enter: () => {
        if (!seat.isDead) this.#running = this.#clock.owner = seat
        return !seat.isDead
      },
      queue: (act) => {
        if (!seat.isDead) this.#answers.add({ seat, act })
      },
    }
    this.#seats[worker.index] = seat
    const wake = (): void => {
      this.#idle.delete(worker.index)
      this.#isSure = false
    }
    const guard = (handler: Parameters<typeof guarded>[0]): ReturnType<typeof guarded> => guarded(handler, seat)
    // What it does while it is made, timers and calls included, is its own.
    seat.life = this.#as(seat, () => new Life(this.shared, worker, { epoch, state, wake, guard }))
    if (this.#isDraining) seat.life.drain()
    this.stir()
  }

  /** Runs code as that of a life: timers that it sets, and calls that it opens, are the life's. */
  #as<T>(seat: Seat | undefined, act: () => T): T {
    this.#running = this.#clock.owner = seat
    return act()
  }

  async #take(seat: Seat): Promise<void> {
    const life = seat.life!
    const { handoffs } = life
    if (life.canDie) this.#course.light?.('step')
    const step = this.#step(seat)
    if (this.#answers.count > 0 || life.stage.isAsync) await this.#clock.settle()
    await this.#end()
    if (step === PROGRESS || step === undefined || life.handoffs > handoffs) this.stir()
    if (step !== PROGRESS && step !== undefined && !seat.isDead) this.#idle.set(seat.worker.index, step)
  }

  /** @returns undefined where it has died */
  #step(seat: Seat): Step | undefined {
    const life = seat.life!
    life.steppedAt = this.#clock.now
    try {
      const step = life.hasLeft ? STARVED : this.#as(seat, () => life.stage.step())
      return fuse.isDead ? undefined : step
    } catch (error) {
      if (!fuse.isDead) {
        const { node, worker } = life
        const detail = { node, worker: worker.ordinal, epoch: seat.epoch, reason: errorText(error).message }
        throw new MillraceError('WORKER_DIED', detail, { cause: error })
      }
      // Whoever catches a death has a `try` that holds more than the user's code.
      if (!(error instanceof WorkerDeath))
        this.#fault(`a crash in ${life.node} was thrown as ${String((error as Error).stack)}`)
      return undefined
    }
  }

  /** What just happened is over: who died of it is replaced. */
  async #end(): Promise<void> {
    const { isDead } = fuse
    const seat = this.#running
    fuse.takeOut()
    if (isDead) await this.#replace(seat!)
  }

  /** One answer or timer comes. False where there is none. */
  async #happen(mustWait: boolean): Promise<boolean> {
    const { random } = this.#course
    const timer = this.#clock.due()
    if (timer !== undefined) {
      const seat = timer.owner as Seat | undefined
      if (seat?.isDead !== true) await this.#come(seat, timer.call)
      return true
    }
    if (this.#answers.count === 0 || (!mustWait && !random.chance(0.5))) return false
    const { seat, act } = this.#answers.take(random)
    if (seat.isDead) return true
    if (seat.life?.canDie === true) this.#course.light?.('answer')
    await this.#come(seat, act)
    return true
  }

  /** All that follows from what comes, before anything else does. */
  async #come(seat: Seat | undefined, act: () => void): Promise<void> {
    try {
      this.#as(seat, act)
    } catch (error) {
      if (!(error instanceof WorkerDeath)) throw error
    }
    if (!fuse.isDead) await this.#clock.settle()
    await this.#end()
  }

  /** Nothing can happen at this time: goes on to the next one at which something can. */
  async #advance(): Promise<boolean> {
    const before = this.#answers.count
    await this.#clock.settleAll()
    await this.#end()
    if (this.#answers.count > before || this.#idle.size < this.#lives.length) return true
    const next = Math.min(this.#clock.nextTimerAt, ...this.#lives.map(({ life }) => life!.wakeAt))
    return this.#clock.advanceTo(next)
  }

  #handOf({ worker: { hand } }: Seat): Buffer {
    return this.shared.memory.bytes.subarray(hand.offset, hand.offset + handBytes(hand.segments))
  }

  /** What the supervisor does once a thread is gone. */
  async #replace(seat: Seat): Promise<void> {
    const { memory, plan } = this.shared
    const { worker } = seat
    this.deaths++
    this.#handOf(seat).set(this.#handAtDeath!)
    seat.isDead = true
    this.#clock.drop(seat)
    this.#answers.drop(seat)
    recoverWorker(memory, plan, worker)
    await this.seat(worker, seat.epoch + 1)
  }

  /** The pipeline is over: workers leave. */
  async #leave(): Promise<void> {
    for (const { worker, epoch, state, life } of this.#lives) {
      await this.#setups.tearDown(worker, epoch, state)
      this.shared.memory.words[worker.control.offset / 4 + STATE] = LEFT
      life!.stop()
    }
  }

  #isOver(): boolean {
    const lives = this.#lives
    if (this.#idle.size < lives.length || this.#course.isBusy?.() === true) return false
    return lives.every(({ worker }) => {
      const step = this.#idle.get(worker.index)
      return worker.source === undefined ? step !== BLOCKED : step === ENDED
    })
  }
}
