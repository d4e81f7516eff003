/** Where a pipeline is between its start and its end. */
export type PipelineState = 'starting' | 'running' | 'draining' | 'stopping' | 'ended'
