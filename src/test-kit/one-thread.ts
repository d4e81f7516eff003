/**
 * A whole planned pipeline in one thread: the shipped stages, journal and recovery, stepped by a seeded scheduler, each of
 * them killed after any number of its atomic stores or in the middle of the user's code. The same seed gives the same run.
 */
import { Progress } from '../worker/source/progress.ts'
import { Stash } from '../lane/stash.ts'
import { ASKED, DRAINING, PHASE, RUNNING } from '../memory/control.ts'
import { FLUSHED, SEQUENCE } from '../memory/progress.ts'
import { handBytes } from '../memory/hand.ts'
import { SizingWords } from '../lane/sizing.ts'
import { isVacant, setVacant } from '../lane/seats.ts'
import { isResized } from '../supervisor/resizes.ts'
import { recoverWorker } from '../supervisor/recovery.ts'
import { readSnapshot } from '../telemetry/snapshot.ts'
import { BLOCKED, ENDED, PROGRESS, STARVED, type Step } from '../worker/stage.ts'
import type { StagePlan, WorkerPlan } from '../plan/types.ts'
import type { Random } from './random.ts'
import { Death, fuse } from './fuse.ts'
import { Life, type Shared } from './life.ts'
import { settled, time } from './virtual-time.ts'

/** A call of a handler that has not answered yet. */
interface Open {
  readonly life: Life
  readonly answer: () => void
}

export interface Wishes {
  readonly random: Random
  /** Of the steps, this share is one at which the worker may die. */
  readonly deathShare: number
  readonly maxDeaths: number
  /** The pipeline is drained after so many steps; Infinity: its sources come to their end. */
  readonly drainAfter: number
  /** Of the steps, this share is one before which a flush is asked for; and those before which one is, by their number. */
  readonly flushShare?: number
  readonly flushAt?: readonly number[]
  /** Now and then the time leaps by so much. */
  readonly leapMs: number
  readonly maxSteps: number
  /** Of the steps, this share is one at which a resize begins. */
  readonly resizeShare?: number
  /** Called now and then. */
  readonly tick?: (() => void) | undefined
}

/** More of them make a round slow, and show nothing new. */
const MOST_RESIZES = 100

export class NetPipeline {
  deaths = 0
  steps = 0
  readonly #shared: Shared
  readonly #wishes: Wishes
  readonly #fault: (what: string) => void
  /** By worker; a seat that nobody has holds none. */
  readonly #seats: (Life | undefined)[]
  /** The resize that is under way. */
  #resize: { readonly stage: StagePlan; readonly version: number; readonly leaving: readonly number[] } | undefined
  resizes = 0
  readonly #open: Open[] = []
  /** The life whose code runs now. */
  #running: Life | undefined
  /**
   * The hand as it was at a death. What the dead one goes on to do, in a `catch` or a `finally`, is to reach nobody: its atomic
   * stores throw, and its plain ones lie beyond what is committed, but for those to its hand.
   */
  #handAtDeath: Uint8Array | undefined
  #isDraining = false
  /** The last flush that was asked for and is not through: its number, and how far each source worker had come. */
  #flush: { readonly number: number; readonly sequences: Map<WorkerPlan, number> } | undefined
  /** Workers that had nothing to do when they were last stepped, and why; nothing has happened since that concerns them. */
  readonly #idle = new Map<number, Step>()

  constructor(shared: Shared, wishes: Wishes, fault: (what: string) => void) {
    this.#shared = shared
    this.#wishes = wishes
    this.#fault = fault
    const { memory, plan } = shared
    memory.words[plan.control.offset / 4 + PHASE] = RUNNING
    fuse.onDeath = (): void => this.#freeze()
    this.#seats = plan.workers.map((worker) =>
      isVacant(memory, worker.control.offset) ? undefined : this.#born(worker),
    )
  }

  /** For handlers: an answer that comes when the scheduler says so. */
  later<T>(act: () => T): Promise<T> {
    const life = this.#running!
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        try {
          resolve(act())
        } catch (error) {
          reject(error)
        }
      }
      this.#open.push({ life, answer })
    })
  }

  /** Runs until every source has ended and nothing moves any more. */
  async run(): Promise<void> {
    const { random, drainAfter, maxSteps, leapMs, flushShare = 0, flushAt = [] } = this.#wishes
    const idle = this.#idle
    while (!this.#isOver(idle)) {
      if (++this.steps > maxSteps) return this.#fault(`not over after ${maxSteps} steps: ${this.#describe(idle)}`)
      if (this.steps >= drainAfter) this.#drain()
      if (flushAt.includes(this.steps) || (flushShare > 0 && random.chance(flushShare))) this.#askForFlush()
      this.#checkFlush()
      if (this.steps % 64 === 0) this.#wishes.tick?.()
      this.#beginResize()
      this.#endResize()
      if (leapMs > 0 && random.chance(0.0005)) time.now += leapMs
      // Mostly the one that has something to do; now and then an answer or a timer comes before that.
      const mustWait = idle.size === this.#lives.length
      if (mustWait || random.chance(0.05)) {
        if (await this.#happen(mustWait)) {
          idle.clear()
          continue
        }
        if (mustWait) {
          if (!this.#advance()) return this.#fault(`stands still: ${this.#describe(idle)}`)
          idle.clear()
        }
      }
      const candidates = this.#lives.filter(({ worker }) => !idle.has(worker.index))
      const life = random.pick(candidates)
      const { burnt } = fuse
      const step = this.#step(life)
      // A step that ends in a wait may have handed something off before.
      if (step === PROGRESS || step === undefined || fuse.burnt > burnt) idle.clear()
      if (step !== PROGRESS && step !== undefined) idle.set(life.worker.index, step)
      if (this.#open.length > 0 || this.#isAsync(life)) await this.#settle(life)
      time.now += 0.002
    }
  }

  /** What is left in memory once all is over: nothing. */
  check(): void {
    const { memory, plan } = this.#shared
    const asked = memory.words[plan.control.offset / 4 + ASKED]!
    for (const index of plan.sources) {
      const flushed = memory.words[plan.workers[index]!.progress! / 4 + FLUSHED]!
      if (flushed !== asked) this.#fault(`worker ${index} is flushed up to ${flushed} of ${asked}`)
    }
    const snapshot = readSnapshot(memory, plan, 0)
    for (const [id, counts] of Object.entries(snapshot.nodes)) {
      const { in: taken, done, filtered, failed, deadLettered, inFlight } = counts
      const ended = done + filtered + failed + deadLettered
      if (taken !== ended || inFlight !== 0) this.#fault(`the account of ${id}: ${JSON.stringify(counts)}`)
    }
    for (const lane of snapshot.lanes)
      if (lane.queued !== 0 || lane.usedBytes !== 0) this.#fault(`a lane that is not empty: ${JSON.stringify(lane)}`)
    for (const { index, slots, journal, stash } of plan.workers) {
      if (memory.words[journal.offset / 4] !== 0) this.#fault(`a hand-off of worker ${index} that is not finished`)
      if (!new Stash(memory, stash).isEmpty) this.#fault(`a stash of worker ${index} that is not empty`)
      for (let slot = 0; slot < (slots?.slots ?? 0); slot++) {
        const [low, high, , open] = memory.words.subarray(slots!.offset / 4 + 8 * slot)
        if (low !== 0 || high !== 0 || open !== 0) this.#fault(`slot ${slot} of worker ${index} that has not ended`)
      }
    }
  }

  /** Records that each source worker has handed on. */
  emitted(): { node: string; ordinal: number; records: number }[] {
    const { memory, plan } = this.#shared
    return plan.workers
      .filter(({ progress }) => progress !== undefined)
      .map(({ stage, ordinal, progress }) => ({
        node: plan.stages[stage]!.node,
        ordinal,
        records: new Progress(memory, progress!).emitted,
      }))
  }

  /** Runs code as that of a life: timers that it sets, and calls that it opens, are the life's. */
  #as<T>(life: Life | undefined, act: () => T): T {
    this.#running = life
    time.owner = life
    return act()
  }

  /** A new life: its constructor already does things, timers and calls included. */
  #born(worker: WorkerPlan): Life {
    const place = {} as Life
    const wake = (): unknown => this.#idle.delete(worker.index)
    const life = this.#as(place, () => new Life(this.#shared, worker, wake))
    // What it has opened while it was made is its own.
    for (const [i, { life: owner, answer }] of this.#open.entries())
      if (owner === place) this.#open[i] = { life, answer }
    time.pass(place, life)
    if (this.#isDraining) life.drain()
    return life
  }

  get #lives(): Life[] {
    return this.#seats.filter((life) => life !== undefined)
  }

  /** What the supervisor does to resize a stage: new workers first, then the new version. */
  #beginResize(): void {
    const { random, resizeShare = 0 } = this.#wishes
    const { memory, plan } = this.#shared
    if (this.#resize !== undefined || this.#isDraining || this.resizes >= MOST_RESIZES) return
    if (resizeShare === 0 || !random.chance(resizeShare)) return
    const stages = plan.stages.filter(({ sizing }) => sizing !== undefined)
    if (stages.length === 0) return
    const stage = random.pick(stages)
    const sizing = new SizingWords(memory, stage.sizing!)
    const from = sizing.workers(sizing.version)
    const to = random.between(1, stage.seats)
    if (from === to) return
    for (const index of stage.workers.slice(from, to)) setVacant(memory, plan.workers[index]!.control.offset, false)
    this.#resize = { stage, version: sizing.resize(to), leaving: stage.workers.slice(to, from) }
    for (const index of stage.workers.slice(from, to)) this.#seats[index] = this.#born(plan.workers[index]!)
    this.#idle.clear()
    this.resizes++
  }

  /** The version is over, and those that lost their seats have left. */
  #endResize(): void {
    if (this.#resize === undefined) return
    const { stage, version, leaving } = this.#resize
    const { memory, plan } = this.#shared
    if (!isResized(memory, plan, stage, version) || !leaving.every((index) => this.#seats[index]!.hasLeft)) return
    for (const index of leaving) {
      setVacant(memory, plan.workers[index]!.control.offset, true)
      this.#seats[index] = undefined
      this.#idle.delete(index)
    }
    this.#resize = undefined
    this.#idle.clear()
  }

  #step(life: Life): Step | undefined {
    this.#light(life)
    life.steppedAt = time.now
    try {
      const step = life.hasLeft ? STARVED : this.#as(life, () => life.stage.step())
      if (!fuse.isDead) return step
    } catch (error) {
      if (!fuse.isDead) {
        this.#fault(`a step of ${life.node} threw ${String((error as Error).stack ?? error)}`)
        throw error
      }
      // Whoever catches a death has a `try` that holds more than the user's code.
      if (!(error instanceof Death))
        this.#fault(`a death in ${life.node} came out as ${String((error as Error).stack)}`)
    } finally {
      if (!fuse.isDead) fuse.takeOut()
    }
    this.#bury(life)
    return undefined
  }

  #light(life: Life): void {
    const { random, deathShare, maxDeaths } = this.#wishes
    if (!life.canDie || this.deaths >= maxDeaths || !random.chance(deathShare)) return
    fuse.light(random.chance(0.7) ? { stores: random.between(0, 30) } : { visits: random.between(0, 20) })
  }

  /** All that follows from what just happened, before anything else does. */
  async #settle(life: Life): Promise<void> {
    const before = this.#seats.includes(life) ? life : this.#seats[life.worker.index]!
    this.#as(before, () => undefined)
    await settled()
    if (fuse.isDead) this.#bury(before)
    fuse.takeOut()
  }

  /** One answer or timer comes. False where there is none. */
  async #happen(mustWait: boolean): Promise<boolean> {
    const { random } = this.#wishes
    const timer = time.due()
    if (timer !== undefined) {
      const life = timer.owner as Life
      if (life.isDead) return true
      this.#as(life, timer.call)
      await this.#settle(life)
      return true
    }
    if (this.#open.length === 0 || (!mustWait && !random.chance(0.5))) return false
    const { life, answer } = this.#open.splice(random.between(0, this.#open.length - 1), 1)[0]!
    if (life.isDead) return true
    if (random.chance(this.#wishes.deathShare) && this.deaths < this.#wishes.maxDeaths && life.canDie)
      fuse.light({ visits: random.between(0, 2) })
    this.#as(life, answer)
    await this.#settle(life)
    return true
  }

  /** Nothing can happen at this time: goes on to the next one at which something can. */
  #advance(): boolean {
    const next = Math.min(time.nextTimerAt, ...this.#lives.map(({ wakeAt }) => wakeAt))
    if (next === Infinity) return false
    time.now = Math.max(time.now + 0.001, next)
    return true
  }

  #freeze(): void {
    this.#handAtDeath = Buffer.from(this.#handOf(this.#running!))
  }

  #handOf({ worker: { hand } }: Life): Buffer {
    return this.#shared.memory.bytes.subarray(hand.offset, hand.offset + handBytes(hand.segments))
  }

  /** What the supervisor does once a thread is gone. */
  #bury(life: Life): void {
    const { memory, plan } = this.#shared
    fuse.takeOut()
    this.deaths++
    this.#handOf(life).set(this.#handAtDeath!)
    life.isDead = true
    time.drop(life)
    for (let i = this.#open.length - 1; i >= 0; i--) if (this.#open[i]!.life === life) this.#open.splice(i, 1)
    recoverWorker(memory, plan, life.worker)
    this.#seats[life.worker.index] = this.#born(life.worker)
  }

  /** How many flushes are through. */
  flushes = 0

  #askForFlush(): void {
    const { memory, plan } = this.#shared
    const number = ++memory.words[plan.control.offset / 4 + ASKED]!
    this.#idle.clear()
    if (this.#flush !== undefined) return
    const sources = plan.workers.filter(({ progress }) => progress !== undefined)
    const sequences = new Map(sources.map((worker) => [worker, memory.words[worker.progress! / 4 + SEQUENCE]!]))
    this.#flush = { number, sequences }
  }

  /** M3: a source that says that a flush is through has closed what was open when it was asked for. */
  #checkFlush(): void {
    if (this.#flush === undefined) return
    const { memory } = this.#shared
    const { number, sequences } = this.#flush
    for (const [worker, sequence] of sequences) {
      const { index, progress, slots } = worker
      if (memory.words[progress! / 4 + FLUSHED]! < number) continue
      // What is closed stays closed.
      sequences.delete(worker)
      for (let slot = 0; slot < slots!.slots; slot++) {
        const [, , , count, own] = memory.words.subarray(slots!.offset / 4 + 8 * slot)
        if (count !== 0 && own! < sequence)
          this.#fault(`worker ${index} is flushed, and granule ${own} of it has not ended`)
      }
    }
    if (sequences.size > 0) return
    this.flushes++
    this.#flush = undefined
  }

  #drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    const { memory, plan } = this.#shared
    memory.words[plan.control.offset / 4 + PHASE] = DRAINING
    for (const life of this.#lives) this.#as(life, () => life.drain())
  }

  #isAsync({ stage }: Life): boolean {
    return stage.isAsync
  }

  #isOver(idle: ReadonlyMap<number, Step>): boolean {
    if (this.#resize !== undefined) return false
    return this.#lives.every(({ worker }) => {
      const step = idle.get(worker.index)
      return worker.source === undefined ? step !== undefined && step !== BLOCKED : step === ENDED
    })
  }

  #describe(idle: ReadonlyMap<number, Step>): string {
    const { memory, plan } = this.#shared
    const steps = this.#lives.map(
      ({ node, worker, stage }) => `${node}.${worker.ordinal} ${idle.get(worker.index)} until ${stage.wakeAt}`,
    )
    const { nodes, lanes } = readSnapshot(memory, plan, 0)
    const inFlight = Object.entries(nodes).map(([id, each]) => `${id} ${each.in}-${each.inFlight}`)
    const sizes = plan.stages
      .filter(({ sizing }) => sizing !== undefined)
      .map(({ node, sizing }) => {
        const { version } = new SizingWords(memory, sizing!)
        return `${node} has ${new SizingWords(memory, sizing!).workers(version)} workers by version ${version}`
      })
    const queued = lanes.filter((lane) => lane.usedBytes > 0).map((lane) => JSON.stringify(lane))
    return [`now ${time.now}`, `open ${this.#open.length}`, ...steps, ...inFlight, ...queued, ...sizes].join('\n    ')
  }
}
