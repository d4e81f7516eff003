import { validateOptions } from '../../analysis/validate-options.ts'
import { MillraceError } from '../../errors.ts'
import { RUN_OPTIONS } from '../../options/index.ts'
import type { RunOptions } from '../../supervisor/run-options.ts'
import { run } from '../../supervisor/run.ts'
import type { FlowParams } from '../call.ts'
import type { AnyFlow } from '../flow.ts'
import { DEFAULT_REQUESTS } from '../limits.ts'
import type { SharedFlowStore, SharedLimits } from '../store/shared-store.ts'
import { RequestTable } from '../table.ts'
import { type FlowRole, SharedFlow } from './shared-flow.ts'
import { TakenRequests } from './taken-requests.ts'

interface SharedRun {
  readonly role: FlowRole
  readonly store: SharedFlowStore
  readonly leaseMs: number
  readonly limits: SharedLimits
  readonly options: RunOptions
}

/** Runs an instance of a flow that shares its requests with others. @throws what `run` throws, FLOW_STORE_UNUSABLE */
export async function runSharedFlow(flow: AnyFlow, given: SharedRun): Promise<SharedFlow> {
  const { role, store, leaseMs, limits, options } = given
  const { deadlineMs = RUN_OPTIONS.deadlineMs.default } = options
  const { hooks, undoable, itemEnds, settings } = flow
  const common = { role, store, itemEnds, limits, deadlineMs }
  if (role === 'api') {
    const problems = validateOptions(options, RUN_OPTIONS)
    if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { graph: flow.name, problems })
    return begun(new SharedFlow({ ...common, graph: flow, pipeline: undefined, taken: undefined }))
  }
  const { maxRequests = DEFAULT_REQUESTS } = settings
  const table = RequestTable.of(maxRequests)
  const params: FlowParams = { table: table.memory, params: structuredClone(options.params) }
  const pipeline = await run(flow, { ...options, params })
  const taken = new TakenRequests(pipeline, { store, leaseMs, table, maxRequests, hooks, undoable, itemEnds })
  return begun(new SharedFlow({ ...common, graph: pipeline.graph, pipeline, taken }))
}

async function begun(flow: SharedFlow): Promise<SharedFlow> {
  try {
    await flow.begin()
    return flow
  } catch (cause) {
    await flow.drain({ deadlineMs: 0 }).catch(() => undefined)
    await flow.pipeline?.stop()
    throw cause
  }
}
