/**
 * Every figure of a running pipeline, once: what is counted, timed and measured. The layout in shared memory, the snapshot,
 * the rates, the API, the metrics, the page and `docs/figures.md` follow from these tables, so a new figure is an entry here
 * and the line that counts it.
 */
export interface Figure {
  readonly unit: 'records' | 'bytes' | 'files' | 'calls' | 'ms'
  /** A counter only grows, so it has a rate; a gauge is what is there just now. */
  readonly kind: 'counter' | 'gauge'
  /** Name in the text of Prometheus, behind `millrace_`; absent where it is not exported. */
  readonly metric?: string
  /** A word or two, for tables and the page. */
  readonly label: string
  readonly text: string
}

/** What each worker counts of each of its nodes, in the order in which the counters lie in memory. */
export const COUNTERS = {
  in: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_in_total',
    label: 'in',
    text: 'Records taken; for a source, records made.',
  },
  done: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_done_total',
    label: 'done',
    text: 'Records processed; for a source, records acked.',
  },
  filtered: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_filtered_total',
    label: 'filtered',
    text: 'Records filtered out.',
  },
  failed: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_failed_total',
    label: 'failed',
    text: 'Records nacked after the last attempt; for a source, all records nacked.',
  },
  deadLettered: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_dead_lettered_total',
    label: 'dead-lettered',
    text: 'Records sent to an error or dead-letter edge after the last attempt.',
  },
  retried: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_retried_total',
    label: 'retried',
    text: 'Attempts after the first.',
  },
  crashed: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_crashed_total',
    label: 'crashed',
    text: 'Records that failed because they crashed their worker too often.',
  },
  expired: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_expired_total',
    label: 'expired',
    text: 'Records that failed because they came after their `expiresAt`.',
  },
} as const satisfies Readonly<Record<string, Figure>>

/** What follows from the counters of a node and of its edges. */
const DERIVED = {
  out: {
    unit: 'records',
    kind: 'counter',
    metric: 'node_records_out_total',
    label: 'out',
    text: 'Records sent, all edges together.',
  },
  inFlight: {
    unit: 'records',
    kind: 'gauge',
    metric: 'node_records_in_flight',
    label: 'in flight',
    text: 'Records taken and not yet processed: in the handler, in an open batch, waiting for a retry; for a source, not yet acked.',
  },
  injected: {
    unit: 'records',
    // Reckoned from counters and lanes that are read one after the other, so it may step back by a few.
    kind: 'gauge',
    label: 'injected',
    text: 'Of the records taken: those that `inject` put in.',
  },
} as const satisfies Readonly<Record<string, Figure>>

/** What each worker counts of each edge out of it, in the order in which the counters lie in memory. */
export const EDGE_COUNTERS = {
  records: {
    unit: 'records',
    kind: 'counter',
    metric: 'edge_records_total',
    label: 'records',
    text: 'Records sent over the edge.',
  },
  dropped: {
    unit: 'records',
    kind: 'counter',
    metric: 'edge_dropped_records_total',
    label: 'dropped',
    text: 'Records that the buffer behind the edge dropped by its policy.',
  },
  bytes: {
    unit: 'bytes',
    kind: 'counter',
    metric: 'edge_bytes_total',
    label: 'bytes',
    text: 'Encoded bytes sent over the edge.',
  },
} as const satisfies Readonly<Record<string, Figure>>

/** What the lanes behind an edge say. */
const EDGE_GAUGES = {
  queued: {
    unit: 'records',
    kind: 'gauge',
    metric: 'edge_queued_records',
    label: 'queued',
    text: 'Records on the lanes behind the edge.',
  },
  capacity: {
    unit: 'records',
    kind: 'gauge',
    metric: 'edge_capacity_records',
    label: 'capacity',
    text: 'Records that the lanes behind the edge can hold.',
  },
} as const satisfies Readonly<Record<string, Figure>>

/** What the ingress journal of a durable run says. */
export const JOURNAL_FIGURES = {
  bytes: { unit: 'bytes', kind: 'gauge', metric: 'journal_bytes', label: 'bytes', text: 'Size of its files.' },
  segments: {
    unit: 'files',
    kind: 'gauge',
    metric: 'journal_segments',
    label: 'segments',
    text: 'Number of its files.',
  },
  records: {
    unit: 'records',
    kind: 'gauge',
    metric: 'journal_records',
    label: 'records',
    text: 'Records that were accepted and have not ended.',
  },
  waiting: {
    unit: 'records',
    kind: 'gauge',
    metric: 'journal_waiting_records',
    label: 'waiting',
    text: 'Records that wait until they are on the disk.',
  },
  syncs: {
    unit: 'calls',
    kind: 'counter',
    metric: 'journal_syncs_total',
    label: 'syncs',
    text: 'Calls of `fdatasync` since the start.',
  },
  syncMs: { unit: 'ms', kind: 'gauge', label: 'last sync', text: 'How long the last of them took.' },
  restored: {
    unit: 'records',
    kind: 'gauge',
    metric: 'journal_restored_records',
    label: 'restored',
    text: 'Records of an earlier process that the start has delivered again.',
  },
  tornBytes: {
    unit: 'bytes',
    kind: 'gauge',
    metric: 'journal_torn_bytes',
    label: 'torn',
    text: 'Bytes of a group that an earlier process had not finished writing: cut off at the start, and never accepted.',
  },
} as const satisfies Readonly<Record<string, Figure>>

/** What a worker's time goes into, in the order in which the times lie in memory. Each is a share of its time, from 0 to 1. */
export const TIMES = {
  busy: { label: 'busy', text: 'In the handler.' },
  starved: { label: 'starved', text: 'Waiting for records.' },
  blocked: { label: 'blocked', text: 'Waiting for credit from below; for a source, also for room in its window.' },
  limited: { label: 'limited', text: 'Waiting for the rate limit, or paused.' },
} as const satisfies Readonly<Record<string, Pick<Figure, 'label' | 'text'>>>

/** Where a stage stands: a source, a stage that records leave by lanes, or one where they end. */
export type StagePosition = 'source' | 'inner' | 'last'

interface HistogramFigure {
  readonly unit: 'ns' | 'records'
  /** The stages that have one. */
  readonly stages: readonly StagePosition[]
  /** Name in the text of Prometheus, behind `millrace_`; times are in seconds there. */
  readonly metric: string
  /** Upper bounds of its buckets in the text of Prometheus, in the unit that stands in its name. */
  readonly bounds: readonly number[]
  readonly label: string
  readonly text: string
}

/** Seconds: 1, 2.5 and 5 of each power of ten from a microsecond to fifty seconds. */
const TIME_BOUNDS: readonly number[] = Array.from({ length: 8 }, (_, i) => i - 6).flatMap((power) =>
  [1, 2.5, 5].map((step) => Number(`${step}e${power}`)),
)
/** Records: powers of two up to 65,536. */
const SIZE_BOUNDS: readonly number[] = Array.from({ length: 17 }, (_, i) => 2 ** i)

/** What each worker measures, in the order in which the histograms lie in memory. */
export const HISTOGRAMS = {
  service: {
    unit: 'ns',
    stages: ['source', 'inner', 'last'],
    metric: 'service_seconds',
    bounds: TIME_BOUNDS,
    label: 'service time',
    text: 'Time of a call of the handler; for a batch handler, divided by the records of the batch.',
  },
  lane: {
    unit: 'ns',
    stages: ['inner', 'last'],
    metric: 'lane_seconds',
    bounds: TIME_BOUNDS,
    label: 'time on the lane',
    text: 'Time that records spend on the lane to a stage, including calls that run while the records are still on it.',
  },
  batch: {
    unit: 'records',
    stages: ['inner', 'last'],
    metric: 'batch_size_records',
    bounds: SIZE_BOUNDS,
    label: 'batch size',
    text: 'Records in a batch.',
  },
  ack: {
    unit: 'ns',
    stages: ['source'],
    metric: 'ack_seconds',
    bounds: TIME_BOUNDS,
    label: 'time to ack',
    text: 'Time from making a source record to its ack or nack.',
  },
  endToEnd: {
    unit: 'ns',
    stages: ['last'],
    metric: 'end_to_end_seconds',
    bounds: TIME_BOUNDS,
    label: 'end to end',
    text: 'Time from making a source record to the stage where it ends.',
  },
} as const satisfies Readonly<Record<string, HistogramFigure>>

/** What may complete a batch, in the order in which a worker counts it. */
export const TRIGGERS = {
  size: { label: 'size', text: 'It reached `size` records.' },
  weight: { label: 'weight', text: 'Its records reached `weight`, or the next one would have exceeded `maxWeight`.' },
  timeout: { label: 'timeout', text: 'Its first record had waited for `timeoutMs`.' },
  idle: { label: 'idle', text: 'No record was added for `idleMs`.' },
  flush: { label: 'flush', text: 'A flush completed it.' },
  evict: { label: 'evict', text: 'Too many batches were open, and this one had not grown for the longest time.' },
  pressure: { label: 'pressure', text: 'Open batches took the room that other records waited for.' },
  end: { label: 'end', text: 'The sources had ended.' },
  drain: { label: 'drain', text: 'The pipeline was draining.' },
  whole: { label: 'whole', text: 'All records that belong together had arrived (`batch.of`).' },
  single: {
    label: 'single',
    text: 'A record by itself: it failed or crashed its worker in another batch, or is too large to be collected.',
  },
} as const satisfies Readonly<Record<string, Pick<Figure, 'label' | 'text'>>>

export const NODE_FIGURES = { ...COUNTERS, ...DERIVED } as const
export const EDGE_FIGURES = { ...EDGE_COUNTERS, ...EDGE_GAUGES } as const

/** What each worker counts of a node. */
export type NodeCounter = keyof typeof COUNTERS
/** What is told of a node: what is counted, and what follows from it. */
export type NodeFigure = keyof typeof NODE_FIGURES
/** What is told of an edge. */
export type EdgeFigure = keyof typeof EDGE_FIGURES
/** What is told of an ingress journal. */
export type JournalFigure = keyof typeof JOURNAL_FIGURES
/** What a worker's time goes into. */
export type Time = keyof typeof TIMES
/** What completed a batch. */
export type BatchTrigger = keyof typeof TRIGGERS
/** What a worker measures. */
export type HistogramKind = keyof typeof HISTOGRAMS

/** The names of a table's entries, in its order. */
export function namesOf<T extends object>(table: T): readonly (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[]
}
