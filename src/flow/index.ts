/** `millrace/flow`: flows of steps that answer. */
export { Flow, flow, type AnyFlow } from './flow.ts'
export type { FlowSettings } from './data.ts'
export { FLOW_PROBLEMS, type FlowProblem, type FlowProblemCode } from './problems.ts'
export type { FlowRequest } from './request.ts'
export type { RequestState, RequestView } from './request-view.ts'
export { runFlow, type RunFlowOptions } from './run-flow.ts'
export type { RequestOptions, RunningFlow } from './running-flow.ts'
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
  OrderEdge,
  StepContext,
  StepFault,
  StepOptions,
} from './types.ts'
