/** Plain data of a graph: what is drawn, analysed, planned and run. Handlers are the only part that is not data. */

/** What a node does. */
export type NodeKind = 'source' | 'transform' | 'buffer' | 'conditional' | 'merge' | 'sink'
/** All kinds of nodes. */
export const NODE_KINDS: readonly NodeKind[] = ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink']

/** What an edge is for. */
export type PathType = 'normal' | 'error' | 'retry' | 'dead_letter'
/** All path types. */
export const PATH_TYPES: readonly PathType[] = ['normal', 'error', 'retry', 'dead_letter']

/** How the records of an edge are spread over the workers of the next stage. */
export type Dispatch = 'demand' | 'partition' | 'broadcast' | 'roundRobin'
/** All ways to spread records over workers. */
export const DISPATCHES: readonly Dispatch[] = ['demand', 'partition', 'broadcast', 'roundRobin']

/** What a buffer does with a record when it is full. */
export type WhenFull = 'block' | 'dropNewest' | 'dropOldest'

/** A handler named by module and export, as a graph read from JSON must name it. */
export interface HandlerReference {
  readonly module: string
  readonly export: string
}

/** What the functions get that have no context of their own: keys, routes, selectors, `retry.when`. */
export interface RunContext<Params = unknown> {
  /** The option `params` of `run`. */
  readonly params: Params
}

/** What every handler gets beside its record. One object per worker, reused: read it during the call. */
export interface Context<State = unknown, Params = unknown> extends RunContext<Params> {
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
  /** Sends a further record to the edges whose `when` is `branch`. */
  readonly emit: (branch: string, record: unknown) => void
  /**
   * Batch handlers: fails one record of the batch that equals `record` (as a key of a `Map` does); the others go on. Each
   * further call with an equal record fails the next one. A call that finds none left fails nothing.
   */
  readonly fail: (record: unknown, reason: unknown) => void
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
  /** Records that this worker's earlier lives handed on. */
  readonly emitted: number
}

/** Why a source record failed, as `ack` learns it. */
export interface AckReason {
  /**
   * It failed at every attempt somewhere; a buffer dropped it, or some of what came of it, and nothing of it failed; or the
   * pipeline ended before it did.
   */
  readonly outcome: 'failed' | 'dropped' | 'abandoned'
}

/** What `ack` gets. */
export interface AckContext<State = unknown, Params = unknown> extends SourceContext<State, Params> {
  /** Of each of the failures, by index, why it is one. */
  readonly reasons: readonly AckReason[]
}

/** What `setup` gets; its result is `context.state` of every call in the same worker. */
export interface SetupContext<Params = unknown> extends RunContext<Params> {
  readonly node: string
  readonly worker: number
  readonly workers: number
  /** Which life of this worker: 0 at the start, one more after each death. */
  readonly epoch: number
  readonly signal: AbortSignal
}

/** How a failed record or batch is tried again. */
export interface RetryPolicy<Params = unknown> {
  readonly maxAttempts?: number
  readonly backoff?: 'constant' | 'linear' | 'exponential'
  readonly baseMs?: number
  readonly maxMs?: number
  /** Share of the delay that is random, from 0 to 1. */
  readonly jitter?: number
  /** Tells whether this error is worth another try. Default: every error is. */
  readonly when?: ((error: unknown, attempt: number, context: RunContext<Params>) => boolean) | HandlerReference
}

/** How a stage's dead workers are replaced. */
export interface RestartPolicy {
  readonly backoffMs?: number
  readonly maxBackoffMs?: number
  readonly maxRestarts?: number
  readonly withinMs?: number
  /** Share of the last 20 records in hand that may kill their worker; more stop the pipeline. */
  readonly maxPoison?: number
}

/** How a stage collects records before its handler gets them. */
export interface BatchPolicy<In = unknown, Params = unknown> {
  /** Most records in one batch. */
  readonly size?: number
  /** Longest time, in ms, that the first record of an open batch waits for the others. */
  readonly timeoutMs?: number
  /** Batches hold records of one key only. */
  readonly by?: ((record: In, context: RunContext<Params>) => string | number) | HandlerReference
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
}

/** Options that every node takes; they name and draw it. */
export interface CommonNodeOptions {
  readonly label?: string
  readonly description?: string
  /** Id of the cluster that holds this node. */
  readonly cluster?: string
  readonly shape?: string
  readonly fillcolor?: string
  readonly fontcolor?: string
  readonly style?: string
  readonly penwidth?: number
  readonly image?: string
}

/** Options of nodes that get threads. */
export interface StageOptions {
  /** Workers (threads) of this stage. */
  readonly concurrency?: number
  /** Declared service time of one record, in ms; the analysis and the rehearsal use it. */
  readonly latencyMs?: number
  /** Declared service rate of the whole stage, in records per second; instead of `latencyMs`. */
  readonly serviceRate?: number
  /** True where the handler burns a core, false where it waits. */
  readonly cpu?: boolean
  readonly restart?: RestartPolicy
  /** Heap limits of each worker, as `worker_threads` takes them. */
  readonly resourceLimits?: {
    readonly maxOldGenerationSizeMb?: number
    readonly maxYoungGenerationSizeMb?: number
    readonly codeRangeSizeMb?: number
    readonly stackSizeMb?: number
  }
}

/** Options of stages that take records. */
export interface InputOptions<In, Params = unknown> {
  /** Async handlers: calls that one worker may have open at once. */
  readonly maxInFlight?: number
  /** Keeps the order of the input (of each key, with `partitionBy`) even where handlers are async or retried. */
  readonly ordered?: boolean
  readonly dispatch?: Dispatch
  /** Key of a record: records of one key visit the same worker. Implies `dispatch: 'partition'`. */
  readonly partitionBy?: ((record: In, context: RunContext<Params>) => string | number) | HandlerReference
  readonly batch?: BatchPolicy<In, Params>
  readonly retry?: RetryPolicy<Params>
  /** Longest time that one call of the handler may take. */
  readonly timeoutMs?: number
  /** A record in hand at so many deaths of its worker is given up. */
  readonly maxCrashes?: number
}

/** Options of a source. */
export interface SourceOptions<Out, State, Params = unknown> extends CommonNodeOptions, StageOptions {
  /** Declared rate in records per second, for analysis and rehearsal. It limits nothing. */
  readonly rate?: number
  /** Most records per second that this stage hands on, all its workers together: one takes what another leaves. */
  readonly rateLimit?: number
  /** Source records of each worker that may be on their way at once. */
  readonly window?: number
  /** Source records that share a slot, at most. 1 acks each record by itself. */
  readonly granule?: number
  readonly produce?:
    | ((context: SourceContext<State, Params>) => Iterable<Out | Marked<Out>> | AsyncIterable<Out | Marked<Out>>)
    | HandlerReference
  /** Returns at most `demand` records, none where there are none just now, or `null` at the end. */
  readonly poll?:
    | ((demand: number, context: SourceContext<State, Params>) => PolledBatch<Out> | Promise<PolledBatch<Out>>)
    | HandlerReference
  /** A record that has killed its source so often, by what it does when it is sent, is given up. */
  readonly maxCrashes?: number
  /** Most records that one call of `poll` is asked for. */
  readonly pollSize?: number
  /** Pause before `poll` is called again after an empty answer, in ms. */
  readonly pollMs?: number
  /** Fed by `pipeline.push` of the embedding thread. */
  readonly push?: boolean
  /** Learns the receipts of source records that ended well, and of those that failed. */
  readonly ack?:
    | ((
        successes: readonly unknown[],
        failures: readonly unknown[],
        context: AckContext<State, Params>,
      ) => void | Promise<void>)
    | HandlerReference
  readonly setup?: ((context: SetupContext<Params>) => State | Promise<State>) | HandlerReference
  readonly teardown?: ((state: State, context: SetupContext<Params>) => void | Promise<void>) | HandlerReference
}

/**
 * What `poll` returns: records, or `null` at the end. An array is copied; a typed array of numbers is not, and must not be
 * changed before the next call.
 */
export type PolledBatch<Out> = readonly (Out | Marked<Out>)[] | NumberArray<Out> | null
/** Records that are plain numbers may come in typed arrays. */
export type NumberArray<Out> = [Out] extends [number] ? Int32Array | Uint32Array | Float64Array : never

/** A source record with its cursor (where to go on after it) and its receipt (what `ack` is given for it). */
export class Marked<T> {
  readonly value: T
  readonly cursor: unknown
  readonly receipt: unknown
  /** Whether there is any in this thread: most sources mark nothing, so nothing need be looked through. */
  static isUsed = false
  constructor(value: T, cursor: unknown, receipt: unknown) {
    Marked.isUsed = true
    this.value = value
    this.cursor = cursor
    this.receipt = receipt
  }
}

/** Marks a source record with a cursor, and with a receipt where `ack` needs more than the cursor. */
export function mark<T>(value: T, marks: { cursor?: unknown; receipt?: unknown }): Marked<T> {
  return new Marked(value, marks.cursor, marks.receipt)
}

/**
 * Options of a transform; one of its handlers is given. What a handler returns belongs to the pipeline from then on: it is
 * written to the lanes later, so it must be a new object each time, or one that nobody changes.
 */
export interface TransformOptions<In, Out, State, Params = unknown>
  extends CommonNodeOptions, StageOptions, InputOptions<In, Params> {
  /** Declared outputs per input. */
  readonly selectivity?: number
  readonly map?: ((record: In, context: Context<State, Params>) => Out | Promise<Out>) | HandlerReference
  readonly flatMap?:
    | ((record: In, context: Context<State, Params>) => Iterable<Out> | AsyncIterable<Out> | Promise<Iterable<Out>>)
    | HandlerReference
  readonly filter?: ((record: In, context: Context<State, Params>) => boolean | Promise<boolean>) | HandlerReference
  readonly mapBatch?:
    | ((records: In[], context: Context<State, Params>) => Iterable<Out> | Promise<Iterable<Out>>)
    | HandlerReference
  readonly setup?: ((context: SetupContext<Params>) => State | Promise<State>) | HandlerReference
  readonly teardown?: ((state: State, context: SetupContext<Params>) => void | Promise<void>) | HandlerReference
}

/** Options that all sinks take. */
export interface SinkOptions<In, State, Params = unknown>
  extends CommonNodeOptions, StageOptions, InputOptions<In, Params> {
  readonly setup?: ((context: SetupContext<Params>) => State | Promise<State>) | HandlerReference
  readonly teardown?: ((state: State, context: SetupContext<Params>) => void | Promise<void>) | HandlerReference
}

/** Options of a sink whose `write` gets single records. */
export interface SinkWriteOptions<In, State, Params = unknown> extends SinkOptions<In, State, Params> {
  readonly batch?: never
  /** Without `batch`: called for each record. Without `write`: the records are read by `pipeline.output(node)`. */
  readonly write?: ((record: In, context: Context<State, Params>) => void | Promise<void>) | HandlerReference
}

/** Options of a sink whose `write` gets batches. */
export interface SinkBatchOptions<In, State, Params = unknown> extends SinkOptions<In, State, Params> {
  readonly batch: BatchPolicy<In, Params>
  /** With `batch`: called for each batch. */
  readonly write?: ((records: In[], context: Context<State, Params>) => void | Promise<void>) | HandlerReference
}

/** Options of a buffer. */
export interface BufferOptions extends CommonNodeOptions {
  /** Records that the buffer holds. */
  readonly capacity?: number
  readonly whenFull?: WhenFull
  readonly latencyMs?: number
}

/** Options of a conditional. */
export interface ConditionalOptions<In, Params = unknown> extends CommonNodeOptions {
  /** Names the branch that a record takes: the edges with that `when`. */
  readonly route?: ((record: In, context: RunContext<Params>) => string) | HandlerReference
}

/** Options of a merge. */
export type MergeOptions = CommonNodeOptions

/** Options of an edge. */
export interface EdgeOptions<Payload = unknown, Params = unknown> {
  readonly pathType?: PathType
  /** The branch (of a conditional's `route`, or of `context.emit`) whose records take this edge. */
  readonly when?: string
  /** What the edge carries, in words; a label of the drawing. */
  readonly dataType?: string
  readonly label?: string
  /** Declared rate in records per second; an annotation, checked against the simulation. */
  readonly rate?: number
  /** Declared share of the node's records that take this edge, from 0 to 1. */
  readonly ratio?: number
  /** Declared time that the edge itself adds, in ms; the critical path counts it. */
  readonly weight?: number
  readonly codec?: CodecName | StructCodec | BorrowedBytesCodec
  /** Records on each lane of this edge at once, and the level at which the reader grants more. */
  readonly maxDemand?: number
  readonly minDemand?: number
  /** Bytes of each lane's ring. */
  readonly laneBytes?: number
  /** With `dispatch: 'broadcast'`: whether this worker of the next stage gets the record. */
  readonly selector?: ((record: Payload, worker: number, context: RunContext<Params>) => boolean) | HandlerReference
  /** Runs the next node in this node's workers, without a lane between them. */
  readonly fuse?: boolean
}

/** The codecs that need no layout. */
export type CodecName = 'shape' | 'msgpack' | 'json' | 'bytes'
/** All codecs that need no layout. */
export const CODEC_NAMES: readonly CodecName[] = ['shape', 'msgpack', 'json', 'bytes']

/**
 * A fixed layout for numeric streams: one type, for records that are plain numbers, or fields with their types.
 * With `view`, handlers get what is valid only during the call: one object per record that reads the lane in place; where
 * records are plain numbers, batches as an `Int32Array` (i32), `Uint32Array` (u32) or `Float64Array` (f64).
 */
export interface StructCodec {
  readonly struct: StructType | Readonly<Record<string, StructType>>
  readonly view?: boolean
}
/** A type of a struct’s field. */
export type StructType = 'i32' | 'u32' | 'f64' | 'bool'
/** All types of fields. */
export const STRUCT_TYPES: readonly StructType[] = ['i32', 'u32', 'f64', 'bool']

/** Binary records without a copy: what handlers get lies in the lane, and is valid only during the call. */
export interface BorrowedBytesCodec {
  readonly bytes: 'borrow'
}

/** Options of a cluster. */
export interface ClusterOptions {
  readonly label?: string
  /** Id of the cluster that holds this one. */
  readonly parent?: string
  readonly style?: string
  readonly fillcolor?: string
  readonly color?: string
}

/** A function of the user, or its name. */
export type Handler = ((...args: never[]) => unknown) | HandlerReference

/** One node, whatever its kind: the options as they were given. Which option fits which kind is said in `options.ts`. */
export interface GraphNode
  extends CommonNodeOptions, StageOptions, Omit<InputOptions<unknown>, 'partitionBy' | 'batch' | 'retry'> {
  readonly id: string
  readonly kind: NodeKind
  readonly rate?: number
  readonly rateLimit?: number
  readonly window?: number
  readonly granule?: number
  readonly pollSize?: number
  readonly pollMs?: number
  readonly push?: boolean
  readonly selectivity?: number
  readonly capacity?: number
  readonly whenFull?: WhenFull
  readonly partitionBy?: Handler
  readonly batch?: { readonly size?: number; readonly timeoutMs?: number; readonly by?: Handler }
  readonly retry?: Omit<RetryPolicy, 'when'> & { readonly when?: Handler }
  readonly produce?: Handler
  readonly poll?: Handler
  readonly ack?: Handler
  readonly map?: Handler
  readonly flatMap?: Handler
  readonly filter?: Handler
  readonly mapBatch?: Handler
  readonly route?: Handler
  readonly write?: Handler
  readonly setup?: Handler
  readonly teardown?: Handler
}

/** One edge: the options as they were given. */
export interface GraphEdge extends Omit<EdgeOptions, 'selector'> {
  readonly from: string
  readonly to: string
  readonly selector?: Handler
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
