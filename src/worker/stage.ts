import type { HistogramKind } from '../figures.ts'
import type { AckReader } from '../lane/acks.ts'
import type { Memory } from '../memory/memory.ts'
import type { Slots } from '../lane/slots.ts'
import type { Journal } from '../lane/journal.ts'
import type { GranuleHeader } from '../lane/writer.ts'
import type { Plan, StagePlan, WorkerPlan } from '../plan/types.ts'
import { HANDOFFS } from '../memory/counters.ts'
import type { Histogram } from '../telemetry/histogram.ts'
import type { Clock } from './clock.ts'
import type { WorkerFacts } from './context.ts'
import type { Desk } from './desk.ts'
import type { End } from './end.ts'
import type { Hand } from './hand.ts'
import type { Handlers } from './handlers.ts'
import type { Inlet } from './inlet.ts'
import type { Outlet } from './outlet.ts'
import type { Progress } from './progress.ts'
import type { Supply } from './supply.ts'
import type { Settlement } from './settlement.ts'

/** How a step of a stage ended, and so what the worker's time goes into if it now waits. */
export const PROGRESS = 0
/** No input. */
export const STARVED = 1
/** No credit or room below, or no room for acks. */
export const BLOCKED = 2
/** The rate limit. */
export const LIMITED = 3
/** An async handler that is called and has not answered. */
export const WAITING = 4
/** A source that makes no more records, and all of them are acked. */
export const ENDED = 5
export type Step = typeof PROGRESS | typeof STARVED | typeof BLOCKED | typeof LIMITED | typeof WAITING | typeof ENDED

/** What a worker runs. `step` does one bounded piece of work and never waits; the loop waits, as the outcome says. */
export interface Stage {
  step(): Step
  /** When the stage wants to be stepped again though nothing happens, in ms of the shared clock; Infinity: never. */
  readonly wakeAt: number
  /** True once a handler has answered with a promise: the loop must let the event loop run while it waits. */
  readonly isAsync: boolean
  /** The loop is about to wait for long: from now on, whatever concerns the stage has to ring its doorbell. */
  beforeSleep?(): void
}

/** The parts of one worker, made from the plan; see `parts.ts`. */
export interface Parts {
  readonly plan: Plan
  readonly stage: StagePlan
  readonly worker: WorkerPlan
  readonly memory: Memory
  readonly journal: Journal
  readonly handlers: Handlers
  readonly inlet: Inlet
  readonly end: End
  readonly outlet: Outlet
  readonly settlement: Settlement
  readonly desk: Desk
  readonly hand: Hand
  readonly clock: Clock
  readonly facts: WorkerFacts
  /** Aborted when the pipeline stops, and when it drains. */
  readonly stopped: AbortSignal
  readonly draining: AbortSignal
  /** What only a source has. */
  readonly source: SourceSide | undefined
  /** Where a source's records come from, if not from its handlers. */
  readonly supply: Supply | undefined
  /** Those that its stage measures. */
  readonly histograms: StageHistograms
  /** Tells the loop that something happened in this thread: an async handler has answered. */
  readonly wake: () => void
  /** The pipeline drains: batches do not wait for more, sources make no more. */
  readonly isDraining: () => boolean
  readonly report: (event: WorkerEvent) => void
}

/** A source's side of the acks: its slots, and how far it has come. */
export interface SourceSide {
  readonly slots: Slots
  readonly acks: readonly AckReader[]
  readonly progress: Progress
}

/** Every stage measures its handler. */
export type StageHistograms = Readonly<Partial<Record<HistogramKind, Histogram>>> & { readonly service: Histogram }

/** What a worker tells the supervisor about records; telemetry, not control. */
export interface WorkerEvent {
  readonly name: 'record.retried' | 'record.failed' | 'record.deadLettered' | 'ack.failed'
  readonly node: string
  /** The record's stable id, as its handler sees it in `context.id`; absent where it was one of a batch. */
  readonly recordId?: string
  readonly attempts: number
  readonly error: {
    readonly name: string
    readonly message: string
    readonly stack?: string
    readonly code?: string | undefined
  }
  /** Events like this one that were not told since the last one that was: a storm of failures costs counters only. */
  readonly suppressed?: number
  /** The record that was given up, for the list of dead letters. It is no part of what listeners are told. */
  readonly input?: unknown
}

/** Records after which a hand-off is due, if the input has not paused before. */
const HANDOFF_RECORDS = 128
/** Time after which a hand-off is due. */
const HANDOFF_MS = 1
/** Time between two rounds of waking readers, while hand-offs follow each other. */
const WAKE_EVERY_MS = 0.1

/** Gathers steps into hand-offs. */
export class Handoff {
  readonly #parts: Parts
  readonly #others: readonly { stage(journal: Journal): void }[]
  #records = 0
  #since = 0
  #wokeAt = 0
  /** The granule that was half sent is wholly sent: that must be known before another one is taken. */
  #mustCommit = false

  /** @param others further parts that take part, beside those that all stages have */
  constructor(parts: Parts, others: readonly { stage(journal: Journal): void }[] = []) {
    this.#parts = parts
    this.#others = others
  }

  /** So many more records are ready to be handed off. */
  add(records: number): void {
    if (this.#records === 0) this.#since = this.#parts.clock.now
    this.#records += records
  }

  /** Enough has come together, or has waited long enough. */
  get isDue(): boolean {
    return (
      this.#mustCommit ||
      this.#parts.hand.hasMetSuspect ||
      this.#records >= HANDOFF_RECORDS ||
      (this.#records > 0 && this.#parts.clock.now - this.#since >= HANDOFF_MS)
    )
  }

  get isDirty(): boolean {
    const { inlet, outlet, journal } = this.#parts
    return this.#records > 0 || inlet.isDirty || outlet.hasUncommitted || !journal.isEmpty
  }

  /**
   * Where nothing can come any more and nothing is left here, says so to those below.
   * @returns whether that is to be handed off
   */
  passEnd(): boolean {
    const { end, desk, outlet } = this.#parts
    return desk.stash.isEmpty && end.hasCome && outlet.end()
  }

  /** What came of a granule is on the lanes, and the granule itself ends. */
  end(granule: GranuleHeader): void {
    this.#parts.settlement.toggle(granule)
    this.closed()
  }

  /** What came of a granule is on the lanes; it does not end here. */
  closed(): void {
    if (this.#parts.hand.isResuming) this.#mustCommit = true
  }

  /** Hands off. False where the ack lanes have no room: nothing has happened then. */
  commit(): boolean {
    const { journal, inlet, outlet, settlement, desk, hand } = this.#parts
    if (!settlement.hasRoom()) return false
    journal.counters[HANDOFFS]!++
    // Other things may be handed off while a successor waits for the records of what was half sent.
    if (this.#mustCommit) hand.clearResume(journal)
    this.#mustCommit = false
    hand.hasMetSuspect = false
    settlement.stage(journal)
    // A source's slots stand here: they are open before anyone can see what is in them.
    for (const other of this.#others) other.stage(journal)
    inlet.stage(journal)
    outlet.stage(journal)
    desk.stage(journal)
    journal.commit()
    this.#wakeReaders()
    inlet.wakePeers()
    settlement.wakePeers()
    this.#records = 0
    desk.tidy()
    return true
  }

  /**
   * Waking a thread costs as much as many records, so a worker that hands off without a pause wakes its readers now and then
   * only, but for those that sleep. The loop wakes them too before it waits (`Outlet.wakePeers`).
   */
  #wakeReaders(): void {
    const { clock, outlet } = this.#parts
    const isTime = clock.now - this.#wokeAt >= WAKE_EVERY_MS
    if (isTime) this.#wokeAt = clock.now
    outlet.wakePeers(isTime)
  }

  /** In the middle of a granule whose outputs do not all fit: lets the reader see those that do. */
  commitPart(granule: GranuleHeader): boolean {
    if (!this.isDirty) return true
    if (!this.#parts.settlement.hasRoom()) return false
    const { outlet, hand, journal } = this.#parts
    outlet.markResume()
    hand.markResume(granule, journal)
    return this.commit()
  }
}
