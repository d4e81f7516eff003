import type { ACK_RETRY_OPTIONS, Resolved } from '../options/index.ts'

/** How a source's `ack` is called. */
export interface AckPlan {
  readonly inFlight: number
  readonly retry: Resolved<typeof ACK_RETRY_OPTIONS>
}

/** How a source makes records. */
export interface SourcePlan {
  readonly window: number
  readonly chunk: number
  /** Chunks that each worker may have on their way. */
  readonly slots: number
  /** How outcomes are told; absent where nobody asks. */
  readonly ack?: AckPlan | undefined
  /** Words of the ring of reasons beside each of its ack lanes; 0: it asks for none. */
  readonly reasonWords: number
  /** Room for the `meta` of a record; absent where its records have no heads. */
  readonly metaBytes?: number | undefined
  readonly maxCrashes: number
  /** Most records that one call of `poll` is asked for, and the pause after an empty answer. */
  readonly pollSize: number
  readonly pollMs: number
}
