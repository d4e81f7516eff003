/** Plain data that the analysis takes and gives. Rates are records per second, times are ms unless the name says seconds. */
import type { PathType } from '../graph/types.ts'

/** An error keeps a graph from running; a warning does not. */
export type Severity = 'error' | 'warning'

/** One finding of the validation. `code` is stable; `message` names the place; `fix` is a way out. */
export interface Problem {
  readonly code: string
  readonly severity: Severity
  readonly message: string
  readonly fix: string
  readonly node?: string
  /** Index into `graph.edges`. */
  readonly edge?: number
  readonly cluster?: string
  readonly option?: string
}

/** The one edge filter of all analysis functions: edges of other path types count as absent. Default: all edges. */
export interface EdgeFilter {
  readonly paths?: readonly PathType[]
}

/** One elementary cycle: `nodes[i]` is left by `edges[i]`, the last edge leads back to `nodes[0]`. */
export interface Cycle {
  readonly nodes: readonly string[]
  /** Indices into `graph.edges`. */
  readonly edges: readonly number[]
  readonly paths: readonly PathType[]
  /** It contains a retry edge: somebody meant it. */
  readonly intended: boolean
  /** Of the records at one of its nodes, the share that comes round by this way: the product of the shares of its edges. */
  readonly gain: number
  /** The fewest attempts that a stage on it allows where it leaves that stage by a retry edge; absent where none says it. */
  readonly maxAttempts?: number
}

/** What a running stage did since its start (or since the last snapshot). Counts are records. */
export interface NodeMeasurement {
  readonly workers: number
  /** Records taken from above (of a source: made), and records handed on to all edges together. */
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly failed: number
  readonly deadLettered: number
  readonly dropped: number
  /** Further attempts, beyond the first one of each record. */
  readonly retried: number
  /** Records in this stage at the moment of the snapshot: in hand, waiting for a retry, in an open batch. */
  readonly inFlight: number
  /** The same at the snapshot before, where these are measurements since that one. Default: 0. */
  readonly inFlightBefore?: number
  /** Inputs that this stage is done with: what came of them went on, or there was nothing to send. */
  readonly done: number
  /** Of the records taken: those that were put in by hand and came over no edge. Default: 0. */
  readonly injected?: number
  /**
   * Shares of the workers' time, 0 to 1, averaged over the workers: in the handler (where calls overlap: of the calls that may
   * be open, those that are); without records; without credit below, or, of a source, without room in its window; held by
   * the rate limit.
   */
  readonly busy: number
  readonly starved: number
  readonly blocked: number
  readonly limited: number
  /**
   * What one record costs a worker: mean, median, 99th percentile. Of a batch handler, its time by the records of the batch;
   * where calls overlap, their time by the calls that may be open.
   */
  readonly serviceMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * What went over one edge. Where nodes without threads lie between two stages, every edge on the way counts the records that
 * took it; what belongs to the lane itself (`queued`, `capacity`) stands on its last edge, into the stage that reads, the
 * writer's waiting (`blockedShare`) on its first, out of the stage that writes, and what was dropped (`dropped`) on the edge
 * into the buffer that drops.
 */
export interface EdgeMeasurement {
  /** Index into `graph.edges`. */
  readonly index: number
  readonly records: number
  readonly dropped: number
  /** Records that wait, and records that there is room for, on all lanes of the edge together at the moment of the snapshot. */
  readonly queued: number
  readonly capacity: number
  /** Records that waited at the snapshot before, where these are measurements since that one. Default: 0. */
  readonly queuedBefore?: number
  /** Share of the writing workers' time, 0 to 1, in which they waited for credit on this edge. */
  readonly blockedShare: number
}

/** What a run measured, over `seconds`. Nodes without threads may be missing. */
export interface Measurements {
  readonly seconds: number
  readonly nodes: Readonly<Record<string, NodeMeasurement>>
  readonly edges: readonly EdgeMeasurement[]
}

/** So many values lay between these two, both included: one bucket of a histogram of times. */
export interface Bucket {
  readonly fromMs: number
  readonly toMs: number
  readonly count: number
}

/** The times that a stage measured. */
export interface StageDistributions {
  /** Of a call of its handler, by record. */
  readonly service?: readonly Bucket[]
  /** From the hand-off of the stage before until the records have left the lane. */
  readonly lane?: readonly Bucket[]
  /** From the hand-off of the source until the records have left the lane. */
  readonly endToEnd?: readonly Bucket[]
  /** Records leave the lane when they were served, so that `lane` holds `service`; else before. Default: false. */
  readonly isServedOnLane?: boolean
}

/** The times of all stages, by node. */
export type Distributions = Readonly<Record<string, StageDistributions>>
