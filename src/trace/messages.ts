import type { Plan } from '../plan/types.ts'
import type { TraceEvent } from './event.ts'
import type { KeptTrace } from './recent.ts'
import type { LifecycleFacts, TracerMetrics } from './tracer.ts'

/** What a tracer's thread is started with. */
export interface TracerTask {
  readonly memory: SharedArrayBuffer
  readonly plan: Plan
  /** Traces that are kept. */
  readonly recent: number
}

/** Messages to it. Those with a number are answered. */
export type ToTracer =
  | { readonly type: 'lifecycle'; readonly facts: LifecycleFacts }
  /** Events are wanted, or no more of them. */
  | { readonly type: 'subscribe'; readonly isWanted: boolean }
  /** The events that were told last are taken. */
  | { readonly type: 'taken' }
  | { readonly type: 'ask'; readonly id: number; readonly what: Question }

/** What can be asked. */
export type Question =
  | { readonly about: 'metrics' }
  | { readonly about: 'recent'; readonly most?: number | undefined }
  | { readonly about: 'trace'; readonly trace: string }
  | { readonly about: 'lifecycle' }
  /** Reads all that is published; the sinks have written it. */
  | { readonly about: 'flush' }

/** The answer to each. */
export interface Answers {
  readonly metrics: TracerMetrics
  readonly recent: readonly KeptTrace[]
  readonly trace: KeptTrace | undefined
  readonly lifecycle: readonly TraceEvent[]
  readonly flush: undefined
}

/** Messages from it. */
export type FromTracer =
  | { readonly type: 'events'; readonly events: readonly TraceEvent[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
