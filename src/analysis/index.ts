/** `millrace/analysis`: questions about a graph, and about what a run has measured. Pure functions; starts nothing. */
export { centrality, type CentralityOptions, type NodeCentrality } from './centrality.ts'
export { check, type Check, type CheckOptions } from './check.ts'
export { coreNumbers, type CoreNumber } from './core-numbers.ts'
export { cutNodes, type CutNode } from './cut-nodes.ts'
export { type BeforeAfter, diff, type Difference, type GraphDiff } from './diff.ts'
export { buffers, type BufferFlow } from './flow/buffers.ts'
export { bottlenecks, maxRate, type Bottleneck, type MaxRate, type SourceMax } from './flow/capacity.ts'
export { forecast, type Forecast, type ForecastOptions, type NodeForecast } from './flow/forecast.ts'
export { graphFromJson } from './graph-from-json.ts'
export { latency, type Latency, type SinkLatency } from './flow/latency.ts'
export type { FlowOptions } from './flow/model.ts'
export type { Limit } from './flow/filling.ts'
export type { NamedLimit } from './flow/predict.ts'
export { retryLoops, type RetryLoop } from './flow/retries.ts'
export { overheadOf } from './live/overhead.ts'
export { edgeShares, type EdgeShare } from './flow/shares.ts'
export type { ClusterFlow } from './flow/clusters.ts'
export {
  simulate,
  type EdgeFlow,
  type NodeFlow,
  type NodeLimit,
  type Simulation,
  type SourceFlow,
} from './flow/simulate.ts'
export { sizing, type Sizing, type SizingOptions } from './flow/sizing.ts'
export { whatIf, type Changes, type NodeChange, type Overlay, type WhatIf } from './flow/what-if.ts'
export { blame, type Blame, type Cause, type StageState, type Wait } from './live/blame.ts'
export { drift, type Drift } from './live/drift.ts'
export { explain, type Explanation } from './live/explain.ts'
export { ledger, type Ledger, type LedgerEntry } from './live/ledger.ts'
export { compare, type Rehearsal, type RehearsedFigures } from './live/rehearsal.ts'
export { measuredGraph } from './live/measured.ts'
export { pathPercentiles, type PathPercentiles, type Percentiles } from './live/path-percentiles.ts'
export { deadlock, type Deadlock, type DeadlockOptions } from './loops/deadlock.ts'
export type { Enlargement, LoopVerdict } from './loops/verdict.ts'
export type { Reconvergence } from './loops/reconvergence.ts'
export { alone } from './alone.ts'
export { divide } from './divide.ts'
export { type GraphPart, graphParts } from './parts.ts'
export { path, PATH_MEASURES, type Path, type PathMeasure, type PathOptions } from './path.ts'
export {
  type Objective,
  OBJECTIVE_FIGURES,
  type ObjectiveFigure,
  type ObjectiveOptions,
  type ObjectiveOutcome,
  objectives,
} from './objectives.ts'
export { type OptionProposal, proposals, proposed } from './proposals.ts'
export { PROBLEMS, type ProblemCode, type ProblemEntry } from './problems.ts'
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
} from './structure.ts'
export { transitiveReduction, type TransitiveReduction } from './transitive-reduction.ts'
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
} from './types.ts'
export { validate } from './validate.ts'
