import type { TraceEvent } from './event.ts'

/**
 * Where the tracer's events go: recent memory, a store, subscribers, an exporter. The tracer waits for none of them: each has a
 * bounded queue of its own (`feed.ts`), and what comes while that is full is dropped for this sink only, and counted.
 */
export interface TraceSink {
  /** For its counters, and for what is told of its errors. */
  readonly name: string
  /**
   * Takes events, in the order in which the tracer read them; the array is the sink's own. While a promise of it is pending, it
   * is given no more. Where it throws or rejects, those events count as dropped by error, and it is given the next ones.
   */
  write(events: readonly TraceEvent[]): void | Promise<void>
  /** Everything that was given is written down, as far as this sink can. */
  flush?(): void | Promise<void>
  /** Nothing comes any more. */
  close?(): void | Promise<void>
}

/** What became of the events that were meant for one sink. */
export interface SinkCounts {
  readonly name: string
  /** Given, and no error came of it. */
  readonly written: number
  /** In its queue, or being written. */
  readonly waiting: number
  /** Its queue was full. */
  readonly droppedFull: number
  /** `write` threw or rejected. */
  readonly droppedByError: number
  /** The last error's message. */
  readonly lastError?: string
}
