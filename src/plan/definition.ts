/**
 * What threads see of the definition: the data that their handlers are found in, and what handlers are given. Workers know
 * the plan only, so the plan hands these on.
 */
export {
  Marked,
  type Context,
  type Dispatch,
  type Failure,
  type GraphData,
  type GraphNode,
  type Handler,
  type SetupContext,
  type SourceContext,
} from '../graph/types.ts'
