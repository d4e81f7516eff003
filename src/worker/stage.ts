import type { HistogramKind } from '../figures.ts'
import type { AckReader } from '../lane/acks.ts'
import type { Memory } from '../memory/memory.ts'
import type { Slots } from '../lane/slots.ts'
import type { Plan, StagePlan, WorkerPlan } from '../plan/types.ts'
import type { Histogram } from '../telemetry/histogram.ts'
import type { CallBreaker } from './limit/breaker.ts'
import type { CallLimit } from './limit/rate-limit.ts'
import type { WorkerFacts } from './call/context.ts'
import type { Handlers } from './call/handlers.ts'
import type { Participants } from './handoff.ts'
import type { OpenChunks } from './source/open-chunks.ts'
import type { Progress } from './source/progress.ts'
import type { SlotReasons } from './source/slot-reasons.ts'
import type { Supply } from './source/supply.ts'

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
export interface Parts extends Participants {
  readonly plan: Plan
  readonly stage: StagePlan
  readonly worker: WorkerPlan
  readonly memory: Memory
  readonly handlers: Handlers
  readonly facts: WorkerFacts
  /** No life of this worker came before. */
  readonly isFirstLife: boolean
  /** Aborted when the pipeline stops, and when it drains. */
  readonly stopped: AbortSignal
  readonly draining: AbortSignal
  /** The rate limit of the stage, where it has one. */
  readonly limit: CallLimit
  /** What holds the worker after failures, where it has one. */
  readonly breaker: CallBreaker | undefined
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
  /** Absent where nobody asks how far its records have ended. */
  readonly openChunks: OpenChunks | undefined
  /** Absent where it asks for none. */
  readonly reasons: SlotReasons | undefined
}

/** Every stage measures its handler. */
export type StageHistograms = Readonly<Partial<Record<HistogramKind, Histogram>>> & { readonly service: Histogram }

/** What a worker tells the supervisor about records; telemetry, not control. */
export interface WorkerEvent {
  readonly name:
    | 'record.retried'
    | 'record.failed'
    | 'record.deadLettered'
    | 'breaker.opened'
    | 'breaker.closed'
    | 'ack.failed'
    | 'trace.failed'
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
