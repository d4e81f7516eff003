import type { HistogramKind } from '../figures.ts'
import type {
  CodecName,
  Dispatch,
  BorrowedBytesCodec,
  NodeKind,
  PathType,
  StructCodec,
  WhenFull,
} from '../graph/types.ts'
import type { AckLaneLayout } from '../memory/acks.ts'
import type { JournalLayout } from '../memory/journal.ts'
import type { LaneLayout } from '../memory/lane.ts'
import type { SlotsLayout } from '../memory/slots.ts'
import type { StashLayout } from '../memory/stash.ts'
import type { TraceLayout } from '../memory/trace.ts'
import type { LimitPlan } from './limit-plan.ts'
import type { ScalePlan } from './scale-plan.ts'
import type { SourcePlan } from './source-plan.ts'
import type {
  BATCH_OPTIONS,
  BREAKER_OPTIONS,
  RESTART_OPTIONS,
  RETRY_OPTIONS,
  Resolved,
  WithoutHandlers,
  WorkOption,
} from '../options/index.ts'

/**
 * All that threads need, as plain data: it is printed, and sent to workers as it is. Offsets are bytes into the shared
 * memory; stages, workers, links and sources are named by their index.
 */
export interface Plan {
  readonly graph: string
  /** URL of the module that exports the graph. */
  readonly module?: string | undefined
  readonly stages: readonly StagePlan[]
  /** Those that run a node of the graph; the rest are the system's own. */
  readonly nodeStages: readonly StagePlan[]
  /** The stage that puts records in by hand; absent without the option `inject`. */
  readonly injection?: StagePlan | undefined
  readonly workers: readonly WorkerPlan[]
  readonly links: readonly LinkPlan[]
  readonly edges: readonly EdgePlan[]
  /** The source workers: `sources[n]` is the worker with source number n. */
  readonly sources: readonly number[]
  /** Bytes of the shared memory, allocated at the start. */
  readonly memoryBytes: number
  /** Bytes that are only reserved: each worker's place for records that are larger than a frame. */
  readonly reservedBytes: number
  readonly control: PipelineControl
  /** Absent where nothing can be traced. */
  readonly trace?: TracePlan
  readonly maxRecordBytes: number
  /** URL of the module that workers import first. */
  readonly workerModule?: string | undefined
  readonly loader: string
  /** The part of the graph that it runs; absent where that is all of it. */
  readonly part?: string | undefined
  /** Synthetic work takes the place of the handlers. */
  readonly rehearse: boolean
}

/** What is traced, where nothing else was said since the start, and where that is said (`memory/trace.ts`). */
export interface TracePlan {
  readonly offset: number
  readonly rate: number
  readonly every: number
  readonly tail: boolean
  /** Nodes: all that can pass there is traced; nothing is written there. */
  readonly always: readonly string[]
  readonly never: readonly string[]
  /** What events say of the records beside: a checksum of the first frame, the type of the first record. */
  readonly checksum: 'none' | 'crc32' | 'sha256'
  readonly types: boolean
}

/** Words that the supervisor writes for all workers. */
export interface PipelineControl {
  readonly offset: number
}

/** What a stage does with records. */
export type Work = WorkOption | 'output'

/** A stage: its workers, its work, and the nodes that they run inline. */
export interface StagePlan {
  readonly index: number
  /** The node that the stage runs; fused nodes and conditionals below it stand in `nodes`. */
  readonly node: string
  /** A node of the graph, or of the system's own: the source of injected records. */
  readonly role: 'node' | 'system'
  readonly kind: 'source' | 'transform' | 'sink'
  readonly work: Work
  /** Where its workers run: in a pool of their own, or in the thread that called `run`. */
  readonly host: 'pool' | 'embedder'
  /** Workers at the start: the first ones. */
  readonly concurrency: number
  /** Workers that it can have (`maxConcurrency`). */
  readonly seats: number
  /** One for each seat. */
  readonly workers: readonly number[]
  /** Where its number of workers lies (`memory/sizing.ts`); absent where that stays as it is. */
  readonly sizing?: number
  /** How its number of workers follows its load; absent where it does not. */
  readonly scale?: ScalePlan
  /** All nodes that its workers run, its own first. */
  readonly nodes: readonly NodePlan[]
  /** Source numbers from which records can come. */
  readonly sourcesAbove: readonly number[]
  /** All stages of the loop that it is on; absent where it is on none. */
  readonly loop?: readonly number[]
  readonly input?: InputPlan
  readonly source?: SourcePlan
  readonly limit: LimitPlan
  readonly restart: Resolved<typeof RESTART_OPTIONS>
  readonly resourceLimits: Readonly<Record<string, number>>
}

/** How a stage takes records. */
export interface InputPlan {
  readonly batch?: BatchPlan
  readonly maxInFlight: number
  /** Records that are looked up in one call of `preload`, at most; absent where there is none. */
  readonly preloads?: number
  readonly ordered: boolean
  /** Records have a key (`partitionBy`), and `ordered` means their order. */
  readonly keyed: boolean
  readonly retry: Resolved<typeof RETRY_OPTIONS>
  /** 0: no limit. */
  readonly timeoutMs: number
  readonly maxCrashes: number
  /** Failures come here, or what comes of them: it takes what has expired all the same. */
  readonly isBehindFailures: boolean
  /** Absent where no worker is held after failures. */
  readonly breaker?: Resolved<typeof BREAKER_OPTIONS>
  /** Undefined: as the run says. */
  readonly stashBytes?: number | undefined
}

/** The options of a batch (`worker/stages/trigger.ts` says what closes one), and what they are for whoever gathers it. */
export interface BatchPlan extends Resolved<WithoutHandlers<typeof BATCH_OPTIONS>> {
  /** Batches have keys. */
  readonly keyed: boolean
  /** Its records say how many it has (`batch.of`): nothing else closes it but its weight, and it ends as one. */
  readonly whole: boolean
  /** Records are weighed. */
  readonly weighed: boolean
  /** Index of the block of its triggers among the worker's counters. */
  readonly counters: number
}

/** A node within a stage: where its records go. */
export interface NodePlan {
  readonly node: string
  readonly kind: NodeKind | 'inject'
  readonly work?: Work | undefined
  /** Index of its block among the worker's counters. */
  readonly counters: number
  /** Edges without a branch. */
  readonly out: readonly PortPlan[]
  readonly branches: readonly { readonly when: string; readonly ports: readonly PortPlan[] }[]
  readonly error: readonly PortPlan[]
  readonly deadLetter: readonly PortPlan[]
  readonly retry: readonly PortPlan[]
  /** In a rehearsal: the work to be played. */
  readonly rehearsal?: RehearsedWork
}

/** What a node declares, as synthetic work needs it. Shares are records per record that the node takes. */
export interface RehearsedWork {
  readonly latencyMs: number
  /** It burns a core, and does not wait. */
  readonly cpu: boolean
  /** Its calls overlap (`maxInFlight`). */
  readonly overlaps: boolean
  /** Of a source: records per second of each worker; 0: as many as are taken. */
  readonly rate: number
  readonly selectivity: number
  /** In the order of `branches`. */
  readonly branches: readonly number[]
  /** Go to the retry edge; are given up. */
  readonly retried: number
  readonly failed: number
}

/** One edge out of a node: to a link (lanes), or to another node of the same stage. `edges` is the path, this edge first. */
export interface PortPlan {
  readonly edge: number
  readonly edges: readonly number[]
  readonly pathType: PathType
  /** Edges whose `selector` a record must pass, before it is known which worker gets it. */
  readonly selectors?: readonly number[]
  /** Of an error or dead-letter edge: what goes there is nacked too. */
  readonly nack?: boolean | undefined
  /** Index of the edge's block among the worker's counters. */
  readonly counters: number
  readonly link?: number | undefined
  /** Index in `StagePlan.nodes`. */
  readonly node?: number | undefined
}

/** All lanes from one stage to another by one path of edges. */
export interface LinkPlan {
  readonly index: number
  /** Stages, and the node of the latter. */
  readonly from: number
  readonly to: number
  readonly toNode: string
  /** Edges of the path: buffers, merges and conditionals lie between them. */
  readonly edges: readonly number[]
  readonly codec: CodecName | StructCodec | BorrowedBytesCodec
  readonly dispatch: Dispatch
  readonly whenFull: WhenFull
  /** Edge into the buffer that drops; absent where none does. */
  readonly dropEdge?: number | undefined
  /** What the path is for: that of its first edge that is not normal. */
  readonly pathType: PathType
  /** Records that each lane holds before `whenFull` counts. */
  readonly capacity: number
  /** Edge whose `selector` chooses the workers of a broadcast. */
  readonly selectorEdge?: number | undefined
  /** What traced events show of the records, and the edge that says so. */
  readonly capture?: { readonly edge: number; readonly bytes: number } | undefined
  /** Bytes of each ring where there are fewer lanes; absent where the plan made none of these smaller. */
  readonly narrowedFrom?: number | undefined
  /** `lanes[i][j]`: from worker i of the one stage to worker j of the other. */
  readonly lanes: readonly (readonly LaneLayout[])[]
}

/** An edge as the pipeline knows it: for counters and drawings. */
export interface EdgePlan {
  readonly from: string
  readonly to: string
  readonly pathType: PathType
  /** The links whose lanes hold what went over this edge and was not yet taken. */
  readonly links: readonly number[]
}

/** A worker: where its words and lanes lie. */
export interface WorkerPlan {
  readonly index: number
  readonly stage: number
  /** From 0 within the stage. */
  readonly ordinal: number
  /** Its source number, where it is a source worker. */
  readonly source?: number
  readonly control: WorkerControl
  readonly journal: JournalLayout
  readonly times: number
  /** By kind; a worker has those that its stage can measure. */
  readonly histograms: Readonly<Partial<Record<HistogramKind, number>>>
  readonly inputs: readonly LaneEnd[]
  readonly outputs: readonly LaneEnd[]
  /** To source workers, in the order of `StagePlan.sourcesAbove`. */
  readonly ackOutputs: readonly AckEnd[]
  /** From the workers below this source worker. */
  readonly ackInputs: readonly AckEnd[]
  readonly slots?: SlotsLayout
  readonly stash: StashLayout
  readonly trace?: TraceLayout
  readonly hand: HandLayout
  /** How far a source worker has come; see `progress.ts`. */
  readonly progress?: number
  /** The watermark of this source worker is kept on disk. */
  readonly keepsWatermark?: boolean
}

/** One lane as one of its two workers knows it. */
export interface LaneEnd {
  readonly link: number
  readonly layout: LaneLayout
  /** The worker at the other end. */
  readonly peer: number
  /** Of an input that drops its oldest records: index of the counter of those, among the worker's. */
  readonly dropped?: number | undefined
}

/** One ack lane as one of its two workers knows it. */
export interface AckEnd {
  readonly layout: AckLaneLayout
  readonly peer: number
}

/** A worker's control words and its doorbell. */
export interface WorkerControl {
  readonly offset: number
  readonly doorbell: number
}

/** Where a worker says what its handler works on, and the supervisor what it found after a death. */
export interface HandLayout {
  readonly offset: number
  /** Segments of a batch that fit. */
  readonly segments: number
}
