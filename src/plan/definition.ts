/**
 * What threads see of the definition: the data that their handlers are found in, and what handlers are given. Workers know
 * the plan only, so the plan hands these on.
 */
export { divide, isOfBroker } from '../analysis/divide.ts'
export { brokerOf, type Broker, type Hop, type HopHandlers } from '../graph/broker.ts'
export { moduleUrl } from '../graph/module-url.ts'
export { lookOutFor, seenGraph, serialOf } from '../graph/serial.ts'
export {
  Marked,
  mark,
  type AckContext,
  type AckReason,
  type BatchFacts,
  type Context,
  type Dispatch,
  type Failure,
  type GraphData,
  type GraphMaker,
  type GraphNode,
  type Handler,
  type RunContext,
  type SetupContext,
  type SourceContext,
  type TraceContext,
} from '../graph/types.ts'
