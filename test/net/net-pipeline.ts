/**
 * A pipeline on one thread (`src/test-kit`) in the net: its workers are killed after any number of their atomic stores or in the
 * middle of the user's code, at random, while it is flushed, resized and drained.
 */
import { isDeepStrictEqual } from 'node:util'
import { readLine } from '#src/worker/source/kept-line.js'
import { Progress } from '#src/worker/source/progress.js'
import { ASKED, COMMAND, DETACHED } from '#src/memory/control.js'
import { FLUSHED, SEQUENCE } from '#src/memory/progress.js'
import { SizingWords } from '#src/lane/sizing.js'
import { setVacant } from '#src/lane/seats.js'
import { isResized } from '#src/supervisor/resizes.js'
import type { StagePlan, WorkerPlan } from '#src/plan/types.js'
import { Books } from '#src/test-kit/books.js'
import type { VirtualClock } from '#src/test-kit/virtual-clock.js'
import { fuse } from '#src/test-kit/fuse.js'
import type { Shared } from '#src/test-kit/life.js'
import { OneThread } from '#src/test-kit/one-thread.js'
import type { Random } from '#src/test-kit/random.js'

export interface Wishes {
  readonly random: Random
  readonly clock: VirtualClock
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
  /** The stage of a node is detached for lives that begin between these steps. */
  readonly detached?: { readonly node: string; readonly from: number; readonly to: number } | undefined
  /** The books are balanced after each step. */
  readonly balances?: boolean
  /** Called now and then. */
  readonly tick?: (() => void) | undefined
}

/** More of them make a round slow, and show nothing new. */
const MOST_RESIZES = 100

export class NetPipeline {
  readonly #shared: Shared
  readonly #wishes: Wishes
  readonly #fault: (what: string) => void
  readonly #thread: OneThread
  readonly #books: Books
  /** The resize that is under way. */
  #resize: { readonly stage: StagePlan; readonly version: number; readonly leaving: readonly WorkerPlan[] } | undefined
  resizes = 0
  /** The last flush that was asked for and is not through: its number, and how far each source worker had come. */
  #flush: { readonly number: number; readonly sequences: Map<WorkerPlan, number> } | undefined
  /** How many flushes are through. */
  flushes = 0

  constructor(shared: Shared, wishes: Wishes, fault: (what: string) => void) {
    this.#shared = shared
    this.#wishes = wishes
    this.#fault = fault
    this.#books = new Books(shared, fault)
    const { random, clock, maxSteps, balances = false } = wishes
    const course = {
      random,
      clock,
      maxSteps,
      light: (by: 'step' | 'answer') => this.#light(by),
      act: () => this.#act(),
      isBusy: () => this.#resize !== undefined,
      ...(balances ? { look: () => this.#books.balance() } : {}),
    }
    this.#thread = new OneThread(shared, course, (what) => fault(`${what}${this.#sizes()}`))
  }

  get deaths(): number {
    return this.#thread.deaths
  }

  get steps(): number {
    return this.#thread.steps
  }

  /** For handlers: an answer that comes when the scheduler says so. */
  later<T>(act: () => T): Promise<T> {
    return this.#thread.later(act)
  }

  run(): Promise<void> {
    return this.#thread.run()
  }

  /** What is left in memory once all is over: nothing. */
  check(): void {
    const { memory, plan } = this.#shared
    const asked = memory.words[plan.control.offset / 4 + ASKED]!
    for (const index of plan.sources) {
      const flushed = memory.words[plan.workers[index]!.progress! / 4 + FLUSHED]!
      if (flushed !== asked) this.#fault(`worker ${index} is flushed up to ${flushed} of ${asked}`)
    }
    this.#checkWatermarks()
    this.#books.close()
  }

  /** All has ended, so each watermark is the last cursor that was handed on. */
  #checkWatermarks(): void {
    const { memory, plan } = this.#shared
    for (const { index, progress, keepsWatermark } of plan.workers) {
      if (keepsWatermark !== true) continue
      const { cursor } = new Progress(memory, progress!)
      const mark = readLine(memory, progress!)?.watermark
      if (!isDeepStrictEqual(mark, cursor))
        this.#fault(`worker ${index} has watermark ${String(mark)}, and went to ${String(cursor)}`)
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

  #light(by: 'step' | 'answer'): void {
    const { random, deathShare, maxDeaths } = this.#wishes
    if (this.deaths >= maxDeaths || !random.chance(deathShare)) return
    if (by === 'answer') fuse.light({ visits: random.between(0, 3) })
    else fuse.light(random.chance(0.7) ? { stores: random.between(0, 30) } : { visits: random.between(0, 30) })
  }

  async #act(): Promise<void> {
    const { random, clock, drainAfter, leapMs, flushShare = 0, flushAt = [] } = this.#wishes
    const { steps } = this.#thread
    if (steps >= drainAfter) this.#thread.drain()
    if (flushAt.includes(steps) || (flushShare > 0 && random.chance(flushShare))) this.#askForFlush()
    this.#checkFlush()
    if (steps % 64 === 0) this.#wishes.tick?.()
    this.#detach()
    await this.#beginResize()
    this.#endResize()
    if (leapMs > 0 && random.chance(0.0005)) await clock.advanceTo(clock.now + leapMs)
  }

  /** What the supervisor does when a stage gives up, and when it is attached again. */
  #detach(): void {
    const { detached } = this.#wishes
    const { steps } = this.#thread
    if (detached === undefined || (steps !== detached.from && steps !== detached.to)) return
    const { memory, plan } = this.#shared
    for (const { stage, control } of plan.workers)
      if (plan.stages[stage]!.node === detached.node) memory.words[control.offset / 4 + COMMAND]! ^= DETACHED
  }

  /** What the supervisor does to resize a stage: new workers first, then the new version. */
  async #beginResize(): Promise<void> {
    const { random, resizeShare = 0 } = this.#wishes
    const { memory, plan } = this.#shared
    if (this.#resize !== undefined || this.#thread.isDraining || this.resizes >= MOST_RESIZES) return
    if (resizeShare === 0 || !random.chance(resizeShare)) return
    const stages = plan.stages.filter(({ sizing }) => sizing !== undefined)
    if (stages.length === 0) return
    const stage = random.pick(stages)
    const sizing = new SizingWords(memory, stage.sizing!)
    const from = sizing.workers(sizing.version)
    const to = random.between(1, stage.seats)
    if (from === to) return
    const workers = stage.workers.map((index) => plan.workers[index]!)
    for (const { control } of workers.slice(from, to)) setVacant(memory, control.offset, false)
    this.#resize = { stage, version: sizing.resize(to), leaving: workers.slice(to, from) }
    for (const worker of workers.slice(from, to)) await this.#thread.seat(worker)
    this.#thread.stir()
    this.resizes++
  }

  /** The version is over, and those that lost their seats have left. */
  #endResize(): void {
    if (this.#resize === undefined) return
    const { stage, version, leaving } = this.#resize
    const { memory, plan } = this.#shared
    if (!isResized(memory, plan, stage, version) || !leaving.every((worker) => this.#thread.hasLeft(worker))) return
    for (const worker of leaving) {
      setVacant(memory, worker.control.offset, true)
      this.#thread.unseat(worker)
    }
    this.#resize = undefined
    this.#thread.stir()
  }

  #askForFlush(): void {
    const { memory, plan } = this.#shared
    const number = ++memory.words[plan.control.offset / 4 + ASKED]!
    this.#thread.stir()
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
          this.#fault(`worker ${index} is flushed, and chunk ${own} of it has not ended`)
      }
    }
    if (sequences.size > 0) return
    this.flushes++
    this.#flush = undefined
  }

  #sizes(): string {
    const { memory, plan } = this.#shared
    return plan.stages
      .filter(({ sizing }) => sizing !== undefined)
      .map(({ node, sizing }) => {
        const { version } = new SizingWords(memory, sizing!)
        return `\n    ${node} has ${new SizingWords(memory, sizing!).workers(version)} workers by version ${version}`
      })
      .join('')
  }
}
