/**
 * What the tracer tells of one chunk at one hop, read from the rings: plain frozen values, as stores keep them, questions ask
 * them and exports write them. Times are milliseconds of the wall clock, with fractions; ids are hexadecimal digits.
 */
export interface TraceEvent {
  readonly kind: TraceKind
  /** Number of the event in its run: in the order in which the tracer read them. */
  readonly sequence: number
  /** Name of the pipeline, and of its run: 16 digits. */
  readonly pipeline: string
  readonly run: string
  /** Trace of the source chunk: 32 digits; a batch or join counts for several, the first one first. */
  readonly traces: readonly string[]
  /** The stage, which of its workers, and how often that one had been replaced. */
  readonly node: string
  readonly worker: number
  readonly epoch: number
  /** What the stage took; a batch has several. Empty where a source opens a slot. */
  readonly inputs: readonly TracedRecords[]
  /** Where a source opened a slot: the records that it made. What it sent of them may have ids of its own. */
  readonly made?: TracedRecords
  /** What it sent, by edge: the one by which it comes to the next stage. */
  readonly outputs: readonly TracedOutput[]
  /** Records that it is about, where that is not all of its inputs: of `open`, those that were made; of `end`, those that failed. */
  readonly records?: number
  /** Failed attempts before this one. */
  readonly attempt: number
  /** Taken from the lane, and handed off: the rest of the way between them is the worker's. */
  readonly takenAt: number
  readonly handedOffAt: number
  /** Time in the handler, for all records together. */
  readonly serviceMs: number
  readonly outcome: TraceOutcome
  readonly error?: { readonly code: string; readonly message: string }
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
  /** Records that were captured, redacted in the worker, as JSON text; by place among the inputs. */
  readonly content?: readonly { readonly index: number; readonly json: string }[]
  readonly checksum?: string
  /** An event of this chunk was dropped before: its chain may have a gap. */
  readonly isIncomplete: boolean
  /** Outputs of a hop that is not over yet: another event tells of the rest. */
  readonly isPart?: boolean
  /** Beside-the-event parts (origins, attributes, content) had no room. */
  readonly isTruncated: boolean
}

/**
 * `open`: a source made the chunk. `hop`: a stage took and sent. `batch`, `emit`: the same, n to m. `fail`, `retry`, `dead`,
 * `drop`, `filter`: what became of records that did not go on. `end`: all that came of a slot is done; the source says so.
 * The rest tells of workers and stages, and has no records.
 */
export type TraceKind =
  | 'open'
  | 'hop'
  | 'batch'
  | 'emit'
  | 'fail'
  | 'retry'
  | 'dead'
  | 'drop'
  | 'filter'
  | 'end'
  | 'created'
  | 'started'
  | 'died'
  | 'restarted'
  | 'resized'
  | 'paused'
  | 'resumed'
  | 'completed'
  | 'failed'

/** Attributes of our own: the fields of the first record that was taken, and of `open` the `traceparent` that its record continues. */
export const TYPE_ATTRIBUTE = 'millrace.type'
export const PARENT_ATTRIBUTE = 'millrace.traceparent'

/** How an event ended for the records that it is about. */
export type TraceOutcome = 'ok' | 'failed' | 'retried' | 'deadLettered' | 'dropped' | 'filtered' | 'died' | 'abandoned'

/** Records with ids made of one base: the i-th has the id `mix(base, first + i)` (`lane/ids.ts`). */
export interface TracedRecords {
  /** Edge over which they came: index into the graph's edges; undefined at their source. */
  readonly edge?: number
  /** 16 digits, as `formatId` writes them. */
  readonly base: string
  readonly first: number
  readonly count: number
  /** Time at which their frame was written, and its size. */
  readonly writtenAt?: number
  readonly bytes?: number
  /** Records on the lane when they were taken, themselves included. */
  readonly depth?: number
}

/** Records that were sent by one edge in one frame, and which of the inputs each came of. */
export interface TracedOutput extends TracedRecords {
  readonly edge: number
  /**
   * Place among all inputs of each record that was sent. Absent where ids tell (a record that keeps its id has its input's), and
   * of a `batch` whose outputs are not one for each input: every one came of all of them.
   * Run lengths: place, count, place, count, …
   */
  readonly origins?: readonly number[]
}
