import { load } from '#atomics'
import type { Journal } from '../../lane/journal.ts'
import { movedPartitions } from '../../lane/partitions.ts'
import type { Gate, LaneReader } from '../../lane/reader.ts'
import { SizingWords } from '../../lane/sizing.ts'
import { ring } from '../../lane/doorbell.ts'
import { RELEASED } from '../../memory/control.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan, StagePlan, WorkerPlan } from '../../plan/types.ts'

/** A lane into a worker whose stage may be resized. */
interface GatedLane {
  readonly reader: LaneReader
  /** Nobody has the seat of the writer. */
  readonly isVacant: boolean
}

/**
 * Which keys a worker has while its stage is resized (docs/protocol.md, Z1 to Z3). Whoever loses some, or its seat, takes all that was
 * sent to it before the switch of each lane, ends what it keeps, and releases them with a
 * hand-off once the stages below have taken what it has sent. Whoever gains some reads no
 * frame behind a switch before all that lose them to it have released them.
 */
export class Tenure implements Gate {
  /** Takes no more records, so that it comes to keep nothing. */
  isClosed = false
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #stage: StagePlan
  readonly #worker: WorkerPlan
  readonly #sizing: SizingWords
  readonly #isPartitioned: boolean
  /** The last version that was looked at, and whether this worker loses something by it. */
  #version: number
  #isLosing = false
  #isLeaving = false
  /** By lane: all that came before the switch is taken. */
  #hasReached: boolean[] = []
  #released: number
  #stagedReleased: number
  /** The last version by which this worker has all that is its own. */
  #settled = 0
  /** Those who lose keys to this worker by a version. */
  #losers: { readonly version: number; readonly workers: readonly WorkerPlan[] } = { version: 0, workers: [] }

  constructor(memory: Memory, plan: Plan, stage: StagePlan, worker: WorkerPlan) {
    this.#memory = memory
    this.#plan = plan
    this.#stage = stage
    this.#worker = worker
    this.#sizing = new SizingWords(memory, stage.sizing!)
    this.#isPartitioned = plan.links.some(({ to, dispatch }) => to === stage.index && dispatch === 'partition')
    this.#released = this.#stagedReleased = load(memory.words, worker.control.offset / 4 + RELEASED)
    this.#version = -1
  }

  /** Its stage was resized. */
  get isResized(): boolean {
    return this.#sizing.version > 0
  }

  /** The last resize by which this worker has taken up all that is its own. */
  get settled(): number {
    return this.#settled
  }

  /** What this worker has sent of a key comes before what the next one sends. */
  get keepsOrder(): boolean {
    return this.#isPartitioned
  }

  /** It has lost its seat, and keeps nothing. */
  get hasLeft(): boolean {
    return this.#isLeaving && this.#stagedReleased === this.#version
  }

  mayPass(version: number): boolean {
    if (version <= this.#settled) return true
    // A version that is over: another one could not have begun.
    if (version === this.#sizing.version && !this.#isReleasedBy(version)) return false
    this.#settled = version
    return true
  }

  /** At the start of a step: whether this worker loses something, and has taken all that was sent to it before. */
  look(lanes: readonly GatedLane[]): void {
    // A version is followed by another one only once all that lose by it have released that: so what was read of it stands if it is
    // still the last one, or if this worker loses nothing by it.
    while (this.#sizing.version !== this.#version) this.#begin(this.#sizing.version, lanes.length)
    if (!this.#isLosing || this.isClosed) return
    let reached = true
    lanes.forEach((lane, i) => {
      this.#hasReached[i] ||= lane.isVacant || lane.reader.hasReachedSwitch(this.#version)
      reached &&= this.#hasReached[i]
    })
    this.isClosed = reached
  }

  /** Nothing is kept here any more. @returns whether that is to be handed off */
  release(): boolean {
    if (!this.isClosed || !this.#isLosing) return false
    this.#released = this.#version
    this.#isLosing = false
    return true
  }

  stage(journal: Journal): void {
    // RELEASE: pairs with the load in #isReleasedBy. What was kept here has ended, or is on the lanes below.
    if (this.#released !== this.#stagedReleased) journal.set(this.#worker.control.offset / 4 + RELEASED, this.#released)
  }

  /** After the hand-off: those that wait for the release go on, and so does this worker unless it has lost its seat. */
  wakePeers(): void {
    if (this.#released === this.#stagedReleased) return
    this.#stagedReleased = this.#released
    this.isClosed = this.hasLeft
    for (const index of this.#stage.workers) ring(this.#memory.words, this.#plan.workers[index]!.control.doorbell)
  }

  #begin(version: number, lanes: number): void {
    this.#version = version
    this.#isLeaving = this.#worker.ordinal >= this.#sizing.workers(version)
    this.#isLosing = this.#released !== version && this.#loses(version)
    this.#hasReached = new Array<boolean>(lanes).fill(false)
    this.isClosed = false
  }

  #loses(version: number): boolean {
    const { ordinal } = this.#worker
    if (this.#isLeaving) return ordinal < this.#sizing.workers(version - 1)
    return this.#moved(version).some(({ from }) => from === ordinal)
  }

  #isReleasedBy(version: number): boolean {
    if (this.#losers.version !== version) this.#losers = { version, workers: this.#losersBy(version) }
    const { words } = this.#memory
    return this.#losers.workers.every(({ control }) => load(words, control.offset / 4 + RELEASED) === version)
  }

  #losersBy(version: number): WorkerPlan[] {
    const moved = this.#moved(version).filter(({ to }) => to === this.#worker.ordinal)
    return [...new Set(moved.map(({ from }) => from))].map((from) => this.#plan.workers[this.#stage.workers[from]!]!)
  }

  /** The partitions that a version moves from one worker to another. */
  #moved(version: number): { readonly from: number; readonly to: number }[] {
    if (!this.#isPartitioned || version === 0) return []
    return movedPartitions(this.#sizing.workers(version - 1), this.#sizing.workers(version))
  }
}
