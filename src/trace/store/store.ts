import type { TraceEvent } from '../event.ts'
import type { TraceRun, TraceSource } from '../source.ts'

/**
 * Keeps events. What writes is never held up or broken by a store: a store that cannot be written counts what it loses, and
 * goes on when it can.
 */
export interface TraceStore extends TraceSource {
  /** Notes a run before its events come. */
  begin(run: TraceRun): Promise<void>
  /** Never throws, and never waits: what there is no room for is counted as dropped. */
  write(events: readonly TraceEvent[]): void
  /** Resolves when all that was written before is kept or counted as dropped. */
  flush(): Promise<void>
  stats(): StoreStats
  /** Flushes, and gives everything back. */
  close(): Promise<void>
}

/** What a store did so far. */
export interface StoreStats {
  /** Events that are kept, or were. */
  readonly written: number
  /** Events that are lost: the store could not be written, or was too slow. */
  readonly dropped: number
  /** Events that retention took away, where the store can tell. */
  readonly expired: number
  /** Bytes that were written. */
  readonly bytes: number
  /** Blocks or batches that could not be written. */
  readonly failures: number
  /** Why the last one could not. */
  readonly lastFailure?: string
}

export function emptyStats(): { -readonly [K in keyof StoreStats]: StoreStats[K] } {
  return { written: 0, dropped: 0, expired: 0, bytes: 0, failures: 0 }
}
