export * from './graph/index.ts'
export { ERROR_CODES, MillraceError, type ErrorCode, type ErrorData, type ErrorDetail } from './errors.ts'

export { centrality, type CentralityOptions, type NodeCentrality } from './analysis/centrality.ts'
export { check, type Check, type CheckOptions } from './analysis/check.ts'
export { coreNumbers, type CoreNumber } from './analysis/core-numbers.ts'
export { cutNodes, type CutNode } from './analysis/cut-nodes.ts'
export { type BeforeAfter, diff, type Difference, type GraphDiff } from './analysis/diff.ts'
export { buffers, type BufferFlow } from './analysis/flow/buffers.ts'
export { bottlenecks, maxRate, type Bottleneck, type MaxRate, type SourceMax } from './analysis/flow/capacity.ts'
export { forecast, type Forecast, type ForecastOptions, type NodeForecast } from './analysis/flow/forecast.ts'
export { availableCores } from './cores.ts'
export { availableMemory } from './memory-limit.ts'
export { graphFromJson } from './analysis/graph-from-json.ts'
export { latency, type Latency, type SinkLatency } from './analysis/flow/latency.ts'
export type { FlowOptions } from './analysis/flow/model.ts'
export type { Limit } from './analysis/flow/filling.ts'
export type { NamedLimit } from './analysis/flow/predict.ts'
export { retryLoops, type RetryLoop } from './analysis/flow/retries.ts'
export { overheadOf } from './analysis/live/overhead.ts'
export { edgeShares, type EdgeShare } from './analysis/flow/shares.ts'
export type { ClusterFlow } from './analysis/flow/clusters.ts'
export {
  simulate,
  type EdgeFlow,
  type NodeFlow,
  type NodeLimit,
  type Simulation,
  type SourceFlow,
} from './analysis/flow/simulate.ts'
export { sizing, type Sizing, type SizingOptions } from './analysis/flow/sizing.ts'
export { whatIf, type Changes, type NodeChange, type Overlay, type WhatIf } from './analysis/flow/what-if.ts'
export { blame, type Blame, type Cause, type StageState, type Wait } from './analysis/live/blame.ts'
export { drift, type Drift } from './analysis/live/drift.ts'
export { explain, type Explanation } from './analysis/live/explain.ts'
export { ledger, type Ledger, type LedgerEntry } from './analysis/live/ledger.ts'
export { compare, type Rehearsal, type RehearsedFigures } from './analysis/live/rehearsal.ts'
export { measuredGraph } from './analysis/live/measured.ts'
export { pathPercentiles, type PathPercentiles, type Percentiles } from './analysis/live/path-percentiles.ts'
export { deadlock, type Deadlock, type DeadlockOptions } from './analysis/loops/deadlock.ts'
export type { Enlargement, LoopVerdict } from './analysis/loops/verdict.ts'
export type { Reconvergence } from './analysis/loops/reconvergence.ts'
export { path, PATH_MEASURES, type Path, type PathMeasure, type PathOptions } from './analysis/path.ts'
export { PROBLEMS, type ProblemCode, type ProblemEntry } from './analysis/problems.ts'
export {
  cycles,
  deadEnds,
  hubs,
  impact,
  lineage,
  loopEdges,
  orphans,
  reachable,
  structure,
  topologicalOrder,
  unhandledErrors,
  type Hub,
  type Structure,
  type StructureOptions,
} from './analysis/structure.ts'
export { transitiveReduction, type TransitiveReduction } from './analysis/transitive-reduction.ts'
export type {
  Bucket,
  Cycle,
  Distributions,
  EdgeFilter,
  EdgeMeasurement,
  Measurements,
  NodeMeasurement,
  Problem,
  Severity,
  StageDistributions,
} from './analysis/types.ts'
export { validate } from './analysis/validate.ts'

export { toDot } from './render/dot.ts'
export type { Figures } from './render/figures.ts'
export type { Highlight } from './render/highlight.ts'
export { toMermaid } from './render/mermaid.ts'
export type { DrawOptions } from './render/picture.ts'
export { toSvg } from './render/svg.ts'
export type { PathStyle, Theme, ThemeOverrides } from './render/theme.ts'
export { theme, THEMES, type ThemeName } from './render/themes.ts'
export * as views from './render/views/views.ts'
export type { CollapseOptions, FocusOptions, View } from './render/views/views.ts'
export type { AckLaneLayout } from './memory/acks.ts'
export type { JournalLayout } from './memory/journal.ts'
export type { LaneLayout } from './memory/lane.ts'
export type { SlotsLayout } from './memory/slots.ts'
export type { StashLayout } from './memory/stash.ts'
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
export { plan, type PlanOptions } from './plan/plan.ts'
export type * from './plan/types.ts'
export { logEvents, type Logger } from './process/log-events.ts'
export { handleSignals, type Closable, type SignalHandler, type SignalOptions } from './process/signals.ts'
export type { DeadLetter, DeadLetters } from './supervisor/dead-letters.ts'
export { EVENTS, type EventName, type Events, type PipelineEvent } from './supervisor/events.ts'
export type { Pipeline } from './supervisor/pipeline.ts'
export type { Drop } from './supervisor/drops.ts'
export type { Report } from './supervisor/report.ts'
export type { PipelineState } from './supervisor/lifecycle.ts'
export { rehearse, run, type RunArguments, type RunOptions } from './supervisor/run.ts'
export type { EdgeFigure, HistogramKind, NodeCounter, NodeFigure, Time } from './figures.ts'
export type { NodeCounts } from './telemetry/counts.ts'
export type { TimeShares, WorkerTimes } from './telemetry/times.ts'
export type { HistogramSummary } from './telemetry/histogram-read.ts'
export { distributions } from './telemetry/distributions.ts'
export { measurements } from './telemetry/measurements.ts'
export type { EdgeSnapshot, LaneSnapshot, Snapshot, StageSnapshot, WorkerSnapshot } from './telemetry/snapshot.ts'
export type { PushOutcome, Receipt } from './worker/source/push.ts'
export type { HistogramCopy } from './telemetry/histogram-read.ts'
export type { Death } from './supervisor/history.ts'
export type { WorkerStatus } from './supervisor/worker-status.ts'
