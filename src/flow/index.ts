/** `millrace/flow`: flows of steps that answer. */
export { Flow, flow, type AnyFlow } from './flow.ts'
export type { FlowSettings } from './data.ts'
export { FLOW_PROBLEMS, type FlowProblem, type FlowProblemCode } from './problems.ts'
export type { FlowRequest } from './flow-request.ts'
export type { ItemAnswer } from './collected-items.ts'
export type { RequestState, RequestView, StepView } from './request-view.ts'
export { MemoryFlowStore } from './store/memory-store.ts'
export { openFlowStore } from './store/open-store.ts'
export type { FlowStore, StoreChange, StoredRequest } from './store/store.ts'
export { runFlow, type RunFlowOptions, type SharedFlowOptions } from './run-flow.ts'
export type { FlowRole, SharedFlow } from './instances/shared-flow.ts'
export type {
  NewRequest,
  OwnedChange,
  RequestCommand,
  RequestFilter,
  SharedFlowStore,
  SharedLimits,
  SharedRequest,
  StoreNews,
} from './store/shared-store.ts'
export { schedule, type FlowSchedule, type ScheduleOptions } from './schedule.ts'
export type { RequestOptions } from './request-options.ts'
export type { RunningFlow } from './running-flow.ts'
export type {
  AnswerOf,
  BranchAnswers,
  BranchOptions,
  ChangingEdge,
  ForEachOptions,
  InputOf,
  ItemAnswers,
  ItemOutcome,
  Joined,
  JoinOptions,
  QuorumOptions,
  OrderEdge,
  StepContext,
  StepFault,
  StepOptions,
} from './types.ts'
