/** `millrace/flow/server`: flows over HTTP. */
export { flowApi, type FlowApiOptions, type ServedFlow } from './plugin.ts'
export { serveFlows, type FlowServer, type ServeFlowsOptions } from './serve-flows.ts'
export type { FlowAnswer, FlowList, RequestAnswer, RequestList } from './schemas.ts'
