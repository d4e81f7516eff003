import type { RequestFilter, RequestView, RunningFlow, SharedFlow } from '../flow/index.ts'
import type { GraphData } from '../graph/types.ts'
import type { FlowAnswer } from './schemas.ts'

/** A running flow, whatever it takes and answers: alone, or one of several instances. */
export type ServedFlow = RunningFlow<any, any> | SharedFlow<any, any>

export async function flowView(flow: ServedFlow): Promise<FlowAnswer> {
  const { name, pipeline } = flow
  const { open, queued } = 'role' in flow ? await flow.load() : flow
  const steps = flowGraph(flow).nodes.filter(({ kind }) => kind === 'transform')
  // An instance that runs nothing is there as long as its server is.
  return { name, state: pipeline?.state ?? 'running', open, queued, steps: steps.map(({ id }) => id) }
}

export function flowGraph(flow: ServedFlow): GraphData {
  return flow.pipeline?.graph ?? (flow as SharedFlow).graph
}

/** Known requests, newest first, so many of them from the one at `offset` on, and how many there are. */
export async function listedRequests(
  flow: ServedFlow,
  { state, from, to }: RequestFilter,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<{ readonly views: readonly RequestView[]; readonly total: number }> {
  if ('role' in flow) {
    const filter = { state, from, to }
    const [views, total] = await Promise.all([flow.list({ ...filter, limit, offset }), flow.count(filter)])
    return { views, total }
  }
  const found = flow
    .list({ limit: Infinity, ...(state === undefined ? {} : { state }) })
    .filter(({ createdAt }) => createdAt >= (from ?? -Infinity) && createdAt < (to ?? Infinity))
  return { views: found.slice(offset, offset + limit), total: found.length }
}
