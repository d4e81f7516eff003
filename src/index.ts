export * from './graph/graph.ts'
export * from './graph/types.ts'
export { ERROR_CODES, MillraceError, type ErrorCode, type ErrorDetail } from './errors.ts'

export { PROBLEMS, type ProblemCode, type ProblemEntry } from './analysis/problems.ts'
export { edgeShares, type EdgeShare } from './analysis/shares.ts'
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
export type {
  Cycle,
  EdgeFilter,
  EdgeMeasurement,
  Measurements,
  NodeMeasurement,
  Problem,
  Severity,
} from './analysis/types.ts'
export { validate } from './analysis/validate.ts'
export { plan, type PlanOptions } from './plan/plan.ts'
export type { Plan } from './plan/types.ts'
export { EVENTS, type EventName, type PipelineEvent } from './supervisor/events.ts'
export type { Pipeline } from './supervisor/pipeline.ts'
export type { Report } from './supervisor/report.ts'
export { rehearse, run, type RunOptions } from './supervisor/run.ts'
export type { Snapshot } from './telemetry/snapshot.ts'
export type { Receipt } from './worker/push.ts'
