/**
 * `millrace`: graphs, and their runs. Each worker loads it with the module of its graph, so it loads little: `run` imports
 * the rest when it is called, and questions about a graph, pictures and plans have entry points of their own. Here are
 * their types.
 */
export * from './graph/index.ts'
export { ERROR_CODES, MillraceError, type ErrorCode, type ErrorData, type ErrorDetail } from './errors.ts'

export type * from './analysis/index.ts'
export { availableCores } from './cores.ts'
export { availableMemory } from './memory-limit.ts'

export type * from './render/index.ts'
export type { AckLaneLayout } from './memory/acks.ts'
export type { JournalLayout } from './memory/journal.ts'
export type { LaneLayout } from './memory/lane.ts'
export type { ReasonsLayout } from './memory/reasons.ts'
export type { HeadsLayout } from './memory/heads.ts'
export type { SlotsLayout } from './memory/slots.ts'
export type { StashLayout } from './memory/stash.ts'
export type { TraceLayout } from './memory/trace.ts'
export type {
  DependentDefault,
  Given,
  OptionDefault,
  OptionsFor,
  OptionSpec,
  OptionTable,
  Resolved,
  WithoutHandlers,
  WorkOption,
} from './options/index.ts'
export type { WorkerState } from './memory/control.ts'
export type * from './plan/index.ts'
export { logEvents, type Logger } from './process/log-events.ts'
export { handleSignals, type Closable, type SignalHandler, type SignalOptions } from './process/signals.ts'
export type { DeadLetter, DeadLetters } from './supervisor/dead-letters.ts'
export { EVENTS, type EventName, type Events, type PipelineEvent } from './supervisor/events.ts'
export type { DrainOptions, Pipeline, WhatIfOptions } from './supervisor/pipeline.ts'
export type { PushMarks, PushOptions } from './supervisor/host/host-workers.ts'
export type { DrainStatus } from './supervisor/drain-progress.ts'
export type { Drop } from './supervisor/drops.ts'
export type { Report } from './supervisor/report.ts'
export type { Degradation } from './supervisor/waits-outside.ts'
export type { PipelineState } from './supervisor/lifecycle.ts'
export { pipelines } from './supervisor/running.ts'
export { rehearse, run } from './supervisor/run.ts'
export type { RunArguments, RunOptions } from './supervisor/run-options.ts'
export type {
  KeptTrace,
  SinkCounts,
  TraceEvent,
  TraceKind,
  TraceOutcome,
  TraceRates,
  TraceSink,
  TracedOutput,
  TracedRecords,
  TracerMetrics,
  TraceRange,
  TraceRun,
  TraceSource,
  TraceStore,
  StoreStats,
  Tracing,
} from './trace/index.ts'
export type {
  BatchTrigger,
  EdgeFigure,
  HistogramKind,
  JournalFigure,
  NodeCounter,
  NodeFigure,
  Time,
} from './figures.ts'
export type { NodeCounts } from './telemetry/counts.ts'
export type { TimeShares, WorkerTimes } from './telemetry/times.ts'
export type { HistogramSummary } from './telemetry/histogram-read.ts'
export { distributions } from './telemetry/distributions.ts'
export { measurements } from './telemetry/measurements.ts'
export type {
  BooksSnapshot,
  EdgeSnapshot,
  JournalSnapshot,
  LaneSnapshot,
  Snapshot,
  StageSnapshot,
  WorkerSnapshot,
} from './telemetry/snapshot.ts'
export type { PushOutcome, Receipt } from './worker/source/push.ts'
export type { HistogramCopy } from './telemetry/histogram-read.ts'
export type { Death } from './supervisor/history.ts'
export type { Probe, ProbeOptions } from './supervisor/probe/prober.ts'
export type { ScaleStatus } from './supervisor/scale/scaler.ts'
export type { ScaleReason } from './analysis/live/scale/decide.ts'
export type { WorkerStatus } from './supervisor/worker-status.ts'
