/** `millrace/plan`: what a run makes of a graph: its stages, workers and lanes, and where each lies in shared memory. */
export { plan, type PlanOptions } from './plan.ts'
export type { ScalePlan } from './scale-plan.ts'
export type { LimitPlan } from './limit-plan.ts'
export type { AckPlan, SourcePlan } from './source-plan.ts'
export type * from './types.ts'
