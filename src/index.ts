export * from './graph/graph.ts'
export * from './graph/types.ts'
export { ERROR_CODES, MillraceError, type ErrorCode, type ErrorDetail } from './errors.ts'

export { PROBLEMS, type ProblemCode, type ProblemEntry } from './analysis/problems.ts'
export { edgeShares, type EdgeShare } from './analysis/flow/shares.ts'
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
