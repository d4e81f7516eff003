/** Plain data of a graph: what is drawn, analysed, planned and run. Handlers are the only part that is not data. */
import type {
  BATCH_OPTIONS,
  CLUSTER_OPTIONS,
  EDGE_OPTIONS,
  Given,
  LIMIT_OPTIONS,
  NODE_OPTIONS,
  OptionsFor,
  RESTART_OPTIONS,
  RETRY_OPTIONS,
  WithoutHandlers,
} from '../options/index.ts'
import type { BatchTrigger } from '../figures.ts'
import type { HandlerReference, NodeKind } from '../options/values.ts'
import type { Hop } from './broker.ts'

export {
  type BorrowedBytesCodec,
  CODEC_NAMES,
  type CodecName,
  type Dispatch,
  DISPATCHES,
  type Handler,
  type HandlerReference,
  NODE_KINDS,
  type NodeKind,
  PATH_TYPES,
  type PathType,
  STRUCT_TYPES,
  type StructCodec,
  type StructType,
  TECHNOLOGIES,
  type Technology,
  type Via,
  type WhenFull,
} from '../options/values.ts'

/** What the functions get that have no context of their own: keys, routes, selectors, `retry.when`. */
export interface RunContext<Params = unknown> {
  /** The option `params` of `run`. */
  readonly params: Params
}

/** What every handler gets beside its record. One object per worker, reused: read it during the call. */
export interface Context<State = unknown, Params = unknown, Preloaded = unknown> extends RunContext<Params> {
  /** Node id of the handler. */
  readonly node: string
  /** Index of this worker in its stage, from 0, and how many the stage has. */
  readonly worker: number
  readonly workers: number
  /** 1 at the first try of this record or batch; one more after each failure, time-out or death. */
  readonly attempt: number
  /** Stable id of the record in hand, 16 hexadecimal digits: the same at every try, so side effects can be deduped by it. */
  readonly id: string
  /** Aborted when the record's `timeoutMs` passes, or when the pipeline stops. */
  readonly signal: AbortSignal
  /** What `setup` returned in this worker. */
  readonly state: State
  /** What `preload` gave for this record; undefined where the node has none. */
  readonly preloaded: Preloaded
  /** What the source marked the record with that this one comes of: a copy, as JSON holds it. Of a batch, that of its first record. */
  readonly meta: unknown
  /** Sends a further record to the edges whose `when` is `branch`. */
  readonly emit: (branch: string, record: unknown) => void
  /**
   * Batch handlers: fails one record of the batch that equals `record` (as a key of a `Map` does); the others go on. Each
   * further call with an equal record fails the next one. A call that finds none left fails nothing. Handlers of single
   * records: fails the record, as if they threw `reason`; what they return and emit is not sent.
   */
  readonly fail: (record: unknown, reason: unknown) => void
  /** The same by the index of the record in the batch. @throws FAIL_INDEX_INVALID */
  readonly failAt: (index: number, reason: unknown) => void
  /**
   * The source counts the record in hand as done from the hand-off of this call on, whatever becomes later of it, or of what comes of it:
   * `ack` is told so. It stays within the window until all of it has ended. Batch handlers: one record that equals `record`, or all of them.
   * Takes effect if the call ends well. @throws RELEASE_REFUSED where a source above has a `chunk` above 1
   */
  readonly release: (record?: unknown) => void
  /**
   * Says something of the record in hand to the `ack` of its source: plain data of at most 1,024 bytes as JSON. Of several notes on one
   * record `ack` is given the last that came. Batch handlers: of all records of the batch. Takes effect if the call ends well, or is the
   * last attempt. @throws NOTE_INVALID
   */
  readonly note: (value: unknown) => void
  /** Batch handlers: the batch. */
  readonly batch: BatchFacts | undefined
  /**
   * Says something of the records in hand, in the event that tells of them, where they are traced: a short text, a finite number or
   * a boolean by a short name; the last one of a name stands. What is refused is counted. Does nothing where they are not traced.
   */
  readonly attribute: (name: string, value: string | number | boolean) => void
  /** The span of the records in hand, for spans of one's own; undefined where they are not traced. */
  readonly trace: TraceContext | undefined
}

/** What `preload` gets beside its records. */
export interface PreloadContext<State = unknown, Params = unknown> extends RunContext<Params> {
  readonly node: string
  readonly worker: number
  readonly workers: number
  /** Aborted when `timeoutMs` passes, or when the pipeline stops. */
  readonly signal: AbortSignal
  readonly state: State
}

/** Looks several records up before their calls: one value for each, in their order. */
export type PreloadHandler<In, Preloaded, State, Params> =
  | ((
      records: readonly In[],
      context: PreloadContext<State, Params>,
    ) => readonly Preloaded[] | Promise<readonly Preloaded[]>)
  | HandlerReference

/** A batch, as its handler sees it. */
export interface BatchFacts {
  /** With `batch.by`: the key of its records. */
  readonly key: string | number | undefined
  readonly size: number
  /** With `batch.weigh`: what its records weigh together. */
  readonly weight: number | undefined
  /** What completed it. */
  readonly trigger: BatchTrigger
  /** How long it was open, in ms; 0 if its worker has crashed since. */
  readonly openMs: number
  /** Stable id of one of its records, during the call; undefined where there is none. The first one of a batch costs a look at all its records. */
  idAt(index: number): string | undefined
  /** `meta` of one of its records. */
  metaAt(index: number): unknown
}

/** The span that tells what becomes of the records in hand, as OpenTelemetry knows it. */
export interface TraceContext {
  /** Of the trace: 32 hexadecimal digits. */
  readonly id: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Both of them, as the header `traceparent` of a request has it. */
  readonly traceparent: string
}

/** What a source's handlers get. */
export interface SourceContext<State = unknown, Params = unknown> extends RunContext<Params> {
  readonly node: string
  readonly worker: number
  readonly workers: number
  /** Aborted when the pipeline drains or stops: a source that waits should return then. */
  readonly signal: AbortSignal
  readonly state: State
  /** The last cursor that was handed on before this start, or `undefined` at the first start. */
  readonly cursor: unknown
  /** With `ack`: the cursor below which every record has ended, or `undefined` before the first one has. */
  readonly watermark: unknown
  /**
   * Records that this worker's earlier lives handed on; in `finish`, all that it handed on before. A `poll` without cursors that
   * makes its records again goes on behind them. One that never reads this takes its records from elsewhere: what its worker had half
   * sent when it crashed fails.
   */
  readonly emitted: number
  /**
   * With `ack`, at the start: receipts of the records of this worker's earlier lives that are in flight, or whose end `ack`
   * was not told. `ack` learns of them; they are not to be made again.
   */
  readonly receipts: readonly unknown[]
}

/** Why a source record failed, as `ack` learns it. */
export interface AckReason {
  /**
   * It failed at every attempt somewhere; a buffer dropped it, or some of what came of it, and nothing of it failed; or the
   * pipeline ended before it did.
   */
  readonly outcome: 'failed' | 'dropped' | 'abandoned'
  /**
   * Where it failed first, the error of the handler there (its message up to 512 bytes), and how often it was called. Absent where
   * nothing failed, and where there was no room to say so (`reasonBytes`). Where a chunk has several records, they share one reason.
   */
  readonly node?: string
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly attempts?: number
  /** What a handler said of it by `context.note`. */
  readonly note?: unknown
}

/** What `ack` gets. */
export interface AckContext<State = unknown, Params = unknown> extends SourceContext<State, Params> {
  /** Of each of the failures, by index, why it is one. */
  readonly reasons: readonly AckReason[]
  /** Of each of the successes, by index, what a handler said of it by `context.note`. */
  readonly notes: readonly unknown[]
}

/** What `setup` gets; its result is `context.state` of every call in the same worker. */
export interface SetupContext<Params = unknown> extends RunContext<Params> {
  readonly node: string
  readonly worker: number
  readonly workers: number
  /** Which life of this worker: 0 at the start, one more after each death. */
  readonly epoch: number
  readonly signal: AbortSignal
  /** Says that this worker waits for something outside, and why; undefined: it waits no more. `GET /health` shows it. */
  readonly degraded: (reason: string | undefined) => void
}

/** How a failed record or batch is tried again. */
export interface RetryPolicy<Params = unknown> extends Given<WithoutHandlers<typeof RETRY_OPTIONS>> {
  /** Tells whether this error is worth another try. Default: every error is. */
  readonly when?: ((error: unknown, attempt: number, context: RunContext<Params>) => boolean) | HandlerReference
}

/** How many records per second go; all of them together. */
export interface LimitOptions extends Omit<Given<WithoutHandlers<typeof LIMIT_OPTIONS>>, 'keys'> {}

/** The same where each key has a limit. */
export interface LimitPolicy<In = unknown, Params = unknown> extends Given<WithoutHandlers<typeof LIMIT_OPTIONS>> {
  /** Key of a record. */
  readonly by?: ((record: In, context: RunContext<Params>) => string | number) | HandlerReference
}

/** How a stage's dead workers are replaced. */
export interface RestartPolicy extends Given<typeof RESTART_OPTIONS> {}

/** How a stage collects records before its handler gets them. */
export interface BatchPolicy<In = unknown, Params = unknown> extends Given<WithoutHandlers<typeof BATCH_OPTIONS>> {
  /** Batches hold records of one key only. */
  readonly by?: ((record: In, context: RunContext<Params>) => string | number) | HandlerReference
  /** How many records the batch of this record has: it waits for all of them, and ends as one. */
  readonly of?: ((record: In, context: RunContext<Params>) => number | undefined) | HandlerReference
  /** With `of`: a small record in the place of one for which the stash has no room. */
  readonly instead?: ((record: In, error: Error, context: RunContext<Params>) => In) | HandlerReference
  /** Weight of a record, for `weight` and `maxWeight`. */
  readonly weigh?: ((record: In, context: RunContext<Params>) => number) | HandlerReference
}

/** What arrives on an error or dead-letter edge when a handler gave a record up. */
export interface Failure<In = unknown> {
  readonly input: In
  readonly error: { readonly name: string; readonly message: string; readonly stack: string; readonly code?: string }
  /** Node that gave up, how often it tried, and the times of the first and the last failure (ms since 1970). */
  readonly node: string
  readonly attempts: number
  readonly firstFailedAt: number
  readonly failedAt: number
  /** `context.meta` of the record. */
  readonly meta?: unknown
}

type Table = typeof NODE_OPTIONS
/** Options of nodes as `options/node.ts` says them; those that hold functions of the user get their types below. */
type Data<Names extends keyof Table> = Given<WithoutHandlers<Pick<Table, Names>>>
type OfStages = OptionsFor<Table, 'source'> & OptionsFor<Table, 'transform'> & OptionsFor<Table, 'sink'>
type OfInputs = Exclude<OptionsFor<Table, 'transform'> & OptionsFor<Table, 'sink'>, OfStages>

/** Options that every node takes; they name and draw it. */
export interface CommonNodeOptions extends Data<OptionsFor<Table, never>> {}

/** Options of nodes that get threads. */
export interface StageOptions extends Data<OfStages> {
  readonly rateLimit?: number | LimitOptions
}

/** Options of stages that take records. */
export interface InputOptions<In, Params = unknown> extends Data<OfInputs> {
  /** Key of a record: records of one key visit the same worker. Implies `dispatch: 'partition'`. */
  readonly partitionBy?: ((record: In, context: RunContext<Params>) => string | number) | HandlerReference
  readonly batch?: BatchPolicy<In, Params>
  readonly retry?: RetryPolicy<Params>
  readonly rateLimit?: number | LimitPolicy<In, Params>
}

/** What is called at the start and at the end of each worker. */
interface Lifecycle<State, Params> {
  readonly setup?: ((context: SetupContext<Params>) => State | Promise<State>) | HandlerReference
  readonly teardown?: ((state: State, context: SetupContext<Params>) => void | Promise<void>) | HandlerReference
}

/** Options of a source. */
export interface SourceOptions<Out, State, Params = unknown>
  extends Data<OptionsFor<Table, 'source'>>, Lifecycle<State, Params> {
  readonly rateLimit?: number | LimitOptions
  readonly produce?:
    | ((context: SourceContext<State, Params>) => Iterable<Out | Marked<Out>> | AsyncIterable<Out | Marked<Out>>)
    | HandlerReference
  /** Returns at most `demand` records, none where there are none just now, or `null` at the end. */
  readonly poll?:
    | ((demand: number, context: SourceContext<State, Params>) => PolledBatch<Out> | Promise<PolledBatch<Out>>)
    | HandlerReference
  /** Makes the last records when the pipeline drains; `context.signal` is aborted by then. */
  readonly finish?:
    | ((context: SourceContext<State, Params>) => LastRecords<Out> | Promise<LastRecords<Out>>)
    | HandlerReference
  /** Whether the chunk of a record is traced, or the chance that it is; where the run has the option `trace`. */
  readonly trace?: ((record: NoInfer<Out>) => boolean | number) | HandlerReference
  /** Group of a receipt: `ack` is called for each group apart. */
  readonly ackBy?: ((receipt: unknown, context: RunContext<Params>) => string | number) | HandlerReference
  /** Learns the receipts of source records that ended well, and of those that failed. */
  readonly ack?:
    | ((
        successes: readonly unknown[],
        failures: readonly unknown[],
        context: AckContext<State, Params>,
      ) => void | Promise<void>)
    | HandlerReference
}

/**
 * What `poll` returns: records, or `null` at the end. An array is copied; a typed array of numbers is not, and must not be
 * changed before the next call.
 */
export type PolledBatch<Out> = readonly (Out | Marked<Out>)[] | NumberArray<Out> | null
/** What `finish` makes: records, or nothing. */
export type LastRecords<Out> = Iterable<Out | Marked<Out>> | AsyncIterable<Out | Marked<Out>> | null | void
/** Records that are plain numbers may come in typed arrays. */
export type NumberArray<Out> = [Out] extends [number] ? Int32Array | Uint32Array | Float64Array : never

/** What a source says of a record. */
export interface RecordMarks {
  readonly cursor?: unknown
  readonly receipt?: unknown
  readonly error?: unknown
  readonly flush?: boolean | undefined
  readonly id?: string | number | undefined
  readonly traceparent?: string | undefined
  readonly alone?: boolean | undefined
  readonly meta?: unknown
  readonly expiresAt?: number | undefined
}

/**
 * A source record with its cursor (where to go on after it), its receipt (what `ack` is given for it), the error with which it
 * failed before it was a record, whether it flushes, whether it travels alone, and its head: its meta and when it expires.
 */
export class Marked<T> {
  readonly value: T
  readonly cursor: unknown
  readonly receipt: unknown
  readonly error: unknown
  readonly flush: boolean
  readonly id: string | number | undefined
  readonly traceparent: string | undefined
  readonly alone: boolean
  readonly meta: unknown
  readonly expiresAt: number | undefined
  /** Whether there is any in this thread: most sources mark nothing, so nothing need be looked through. */
  static isUsed = false
  constructor(value: T, marks: RecordMarks) {
    const { cursor, receipt, error, flush = false, id, traceparent, alone = false, meta, expiresAt } = marks
    Marked.isUsed = true
    this.value = value
    this.cursor = cursor
    this.receipt = receipt
    this.error = error
    this.flush = flush
    this.id = id
    this.traceparent = traceparent
    this.alone = alone
    this.meta = meta
    this.expiresAt = expiresAt
  }
}

/**
 * Marks a source record with a cursor, and with a receipt where `ack` needs more than the cursor. A record with an `error` has
 * failed already (what arrived cannot be read, say): no handler is called with it, it takes the dead-letter edge of its source.
 * With `flush`, open batches that it comes to, or that hold records from before it, do not wait for more. `id` names the record at
 * its origin (a message id, a number in a stream): the record then has one id in every process, whichever worker takes it; whole
 * numbers that follow each other travel together. `traceparent` is the span that it continues, where it is traced. One that goes
 * `alone` shares its chunk, and so its ack, with no other.
 *
 * With `metaBytes` of the source, all that comes of a record has its `meta`, plain data that JSON holds, as `context.meta`. After
 * `expiresAt`, in ms since 1970, no handler is called with what comes of it: it fails with RECORD_EXPIRED. Both go alone.
 */
export function mark<T>(value: T, marks: RecordMarks): Marked<T> {
  return new Marked(value, marks)
}

/**
 * Options of a transform; one of its handlers is given. What a handler returns belongs to the pipeline from then on: it is
 * written to the lanes later, so it must be a new object each time, or one that nobody changes.
 */
export interface TransformOptions<In, Out, State, Params = unknown, Preloaded = any>
  extends Data<OptionsFor<Table, 'transform'>>, InputOptions<In, Params>, Lifecycle<State, Params> {
  readonly preload?: PreloadHandler<In, Preloaded, State, Params>
  readonly map?: ((record: In, context: Context<State, Params, Preloaded>) => Out | Promise<Out>) | HandlerReference
  readonly flatMap?:
    | ((
        record: In,
        context: Context<State, Params, Preloaded>,
      ) => Iterable<Out> | AsyncIterable<Out> | Promise<Iterable<Out>>)
    | HandlerReference
  readonly filter?:
    | ((record: In, context: Context<State, Params, Preloaded>) => boolean | Promise<boolean>)
    | HandlerReference
  readonly mapBatch?:
    | ((records: In[], context: Context<State, Params>) => Iterable<Out> | Promise<Iterable<Out>>)
    | HandlerReference
  /** As `mapBatch`, with one record for each: the i-th comes of the i-th, and fails or is acked by itself from here on. */
  readonly mapEach?:
    | ((records: In[], context: Context<State, Params>) => Iterable<Out> | Promise<Iterable<Out>>)
    | HandlerReference
}

/** Options that all sinks take. */
export interface SinkOptions<In, State, Params = unknown>
  extends Data<OptionsFor<Table, 'sink'>>, InputOptions<In, Params>, Lifecycle<State, Params> {}

/** Options of a sink whose `write` gets single records. */
export interface SinkWriteOptions<In, State, Params = unknown, Preloaded = any> extends SinkOptions<In, State, Params> {
  readonly batch?: never
  readonly preload?: PreloadHandler<In, Preloaded, State, Params>
  /** Without `batch`: called for each record. Without `write`: the records are read by `pipeline.output(node)`. */
  readonly write?: ((record: In, context: Context<State, Params, Preloaded>) => void | Promise<void>) | HandlerReference
}

/** Options of a sink whose `write` gets batches. */
export interface SinkBatchOptions<In, State, Params = unknown> extends SinkOptions<In, State, Params> {
  readonly batch: BatchPolicy<In, Params>
  /** With `batch`: called for each batch. */
  readonly write?: ((records: In[], context: Context<State, Params>) => void | Promise<void>) | HandlerReference
}

/** Options of a buffer. */
export interface BufferOptions extends Data<OptionsFor<Table, 'buffer'>> {}

/** Options of a conditional. */
export interface ConditionalOptions<In, Params = unknown> extends Data<OptionsFor<Table, 'conditional'>> {
  /** Names the branch that a record takes: the edges with that `when`. */
  readonly route?: ((record: In, context: RunContext<Params>) => string) | HandlerReference
}

/** Options of a merge. */
export interface MergeOptions extends Data<OptionsFor<Table, 'merge'>> {}

/** Options of an edge. */
export interface EdgeOptions<Payload = unknown, Params = unknown> extends Given<WithoutHandlers<typeof EDGE_OPTIONS>> {
  /** Whether the record takes this edge; with `dispatch: 'broadcast'`, whether this worker of the next stage gets it. `worker` is else 0. */
  readonly selector?: ((record: Payload, worker: number, context: RunContext<Params>) => boolean) | HandlerReference
  /** With `capture`: what may be seen of a record. */
  readonly redact?: ((record: Payload, context: RunContext<Params>) => unknown) | HandlerReference
}

/** Options of a cluster. */
export interface ClusterOptions extends Given<typeof CLUSTER_OPTIONS> {}

/** One node, whatever its kind: the options as they were given. Which option fits which kind is said in `options/node.ts`. */
export interface GraphNode extends Given<Table> {
  readonly id: string
  readonly kind: NodeKind
  /** Of a graph as it runs: the buffer with `via` that this node is one end of. */
  readonly hop?: Hop
}

/** One edge: the options as they were given. */
export interface GraphEdge extends Given<typeof EDGE_OPTIONS> {
  readonly from: string
  readonly to: string
}

/** One cluster: the options as they were given. */
export interface GraphCluster extends ClusterOptions {
  readonly id: string
}

/** A graph whose handlers read `context.params` as `Params`. */
export interface Parametrised<Params> extends GraphData {
  /** For the compiler only. */
  readonly takes?: (params: Params) => void
}

/** A function that makes a graph of the `params` of a run. */
export type GraphMaker<Params = any> = (params: Params) => GraphData

/** A graph as data. `module` is the URL of the module that exports it, from which workers load its handlers. */
export interface GraphData {
  readonly name: string
  readonly module?: string | undefined
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly clusters: readonly GraphCluster[]
}
