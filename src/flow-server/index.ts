/** `millrace/flow/server`: flows over HTTP. */
export { flowApi, type FlowApiOptions } from './plugin.ts'
export type { ServedFlow } from './served-flow.ts'
export { serveFlows, type FlowServer, type ServeFlowsOptions } from './serve-flows.ts'
export type { FlowAnswer, FlowList, RequestAnswer, RequestList } from './schemas.ts'
