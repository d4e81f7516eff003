import { MillraceError } from '../errors.ts'
import { RUN_OPTIONS } from '../options/index.ts'
import type { RunOptions } from '../supervisor/run-options.ts'
import { run } from '../supervisor/run.ts'
import type { FlowParams } from './call.ts'
import { Archive } from './archive.ts'
import { DEFAULT_REQUESTS } from './limits.ts'
import type { AnyFlow } from './flow.ts'
import { RunningFlow } from './running-flow.ts'
import { runSharedFlow } from './instances/run-shared-flow.ts'
import type { FlowRole, SharedFlow } from './instances/shared-flow.ts'
import type { SharedFlowStore, SharedLimits } from './store/shared-store.ts'
import type { FlowStore } from './store/store.ts'
import { RequestTable } from './table.ts'
import type { AnswerOf, InputOf } from './types.ts'
import { keepsSteps } from './wiring.ts'

/** How a flow is run: as `run` takes it, and what concerns requests. */
export interface RunFlowOptions<Params = unknown> extends Omit<RunOptions, 'params'> {
  readonly params?: Params
  /** Requests that have ended and are still known, with their answers, in the memory of this thread. Default: 1,000. */
  readonly keepRequests?: number
  /** How long they are known, at most, in ms. Default: as long as there are no more than `keepRequests`. */
  readonly keepMs?: number
  /**
   * How many bytes they may take in all, their inputs, answers and steps as `v8.serialize` has them: older ones are forgotten for newer
   * ones, also in the store. Default: no limit.
   */
  readonly keepBytes?: number
  /** Where requests outlive the process; whoever opened it closes it. The flow needs `keepSteps`. Default: none. */
  readonly store?: FlowStore
}

/** How one of several instances of a flow is run, whose requests are in a store that they share. */
export interface SharedFlowOptions<Params = unknown> extends Omit<RunFlowOptions<Params>, 'store'> {
  /** What this instance does: it takes requests from callers (`api`), runs them (`worker`), or both (`all`). */
  readonly role: FlowRole
  /** Opened by `openFlowStore(address, { shared: true })`; whoever opened it closes it. */
  readonly store: SharedFlowStore
  /** The requests of an instance that is not heard of for this time are taken by others, in ms. Default: 30,000. */
  readonly leaseMs?: number
}

/** What a flow wants as `params`. */
type ParamsOf<F> = F extends { readonly reads: (params: infer Params) => void } ? Params : never

const MAX_KEPT = 10_000_000

const ROLES: readonly FlowRole[] = ['all', 'api', 'worker']
const DEFAULT_LEASE_MS = 30_000
const [MIN_LEASE_MS, MAX_LEASE_MS] = [500, 3_600_000]

/**
 * Runs a flow: starts its workers, and resolves when it takes requests. With a `role`, it is one of several instances, in any number of
 * processes, that share requests in a store.
 * @throws FLOW_INVALID with all problems, STEPS_NOT_KEPT, FLOW_STORE_NOT_SHARED, FLOW_ROLE_MISSING; what `run` throws
 */
export async function runFlow<F extends AnyFlow>(
  flow: F,
  options?: RunFlowOptions<ParamsOf<F>>,
): Promise<RunningFlow<InputOf<F>, AnswerOf<F>>>
export async function runFlow<F extends AnyFlow>(
  flow: F,
  options: SharedFlowOptions<ParamsOf<F>>,
): Promise<SharedFlow<InputOf<F>, AnswerOf<F>>>
export async function runFlow<F extends AnyFlow>(
  flow: F,
  options: RunFlowOptions<ParamsOf<F>> | SharedFlowOptions<ParamsOf<F>> = {},
): Promise<RunningFlow<InputOf<F>, AnswerOf<F>> | SharedFlow<InputOf<F>, AnswerOf<F>>> {
  const { keepRequests = 1_000, keepMs = Infinity, keepBytes = Infinity, store, ...rest } = options
  const limits = { keepRequests, keepMs, keepBytes }
  if (flow.problems.length > 0) throw new MillraceError('FLOW_INVALID', { flow: flow.name, problems: flow.problems })
  check(flow.name, keepRequests, { keepMs, keepBytes })
  if (store !== undefined && !keepsSteps(flow)) throw new MillraceError('STEPS_NOT_KEPT', { flow: flow.name })
  if ('role' in rest && rest.role !== undefined) {
    const { role, leaseMs = DEFAULT_LEASE_MS, ...run } = rest
    checkRole(flow.name, role, leaseMs)
    if (!isShared(store)) throw new MillraceError('FLOW_STORE_NOT_SHARED', { flow: flow.name, role })
    const shared = await runSharedFlow(flow, { role, store, leaseMs, limits, options: run })
    return shared as SharedFlow<InputOf<F>, AnswerOf<F>>
  }
  if (isShared(store)) throw new MillraceError('FLOW_ROLE_MISSING', { flow: flow.name })
  const running = await runAlone(flow, { store, limits, options: rest })
  return running as RunningFlow<InputOf<F>, AnswerOf<F>>
}

interface LoneRun {
  readonly store: FlowStore | undefined
  readonly limits: SharedLimits
  readonly options: RunOptions
}

async function runAlone(flow: AnyFlow, { store, limits, options }: LoneRun): Promise<RunningFlow> {
  const { maxRequests = DEFAULT_REQUESTS } = flow.settings
  const table = RequestTable.of(maxRequests)
  const given: FlowParams = { table: table.memory, params: structuredClone(options.params) }
  const pipeline = await run(flow, { ...options, params: given })
  const { deadlineMs = RUN_OPTIONS.deadlineMs.default } = options
  const archive = store === undefined ? undefined : new Archive(store, flow.name)
  const { hooks, undoable, itemEnds } = flow
  const kept = { ...limits, keepsSteps: keepsSteps(flow), archive }
  const running = new RunningFlow(pipeline, { table, maxRequests, deadlineMs, hooks, undoable, itemEnds, ...kept })
  try {
    await running.recover()
  } catch (error) {
    await pipeline.stop()
    throw error
  }
  return running
}

function isShared(store: FlowStore | SharedFlowStore | undefined): store is SharedFlowStore {
  return store !== undefined && 'isShared' in store
}

function checkRole(flow: string, role: unknown, leaseMs: unknown): void {
  if (!ROLES.includes(role as FlowRole)) throw wrong(flow, `\`role\` must be one of ${ROLES.join(', ')}.`)
  if (typeof leaseMs !== 'number' || !(leaseMs >= MIN_LEASE_MS && leaseMs <= MAX_LEASE_MS))
    throw wrong(flow, `\`leaseMs\` must be a number from ${MIN_LEASE_MS} to ${MAX_LEASE_MS}.`)
}

function check(flow: string, keepRequests: number, limits: Readonly<Record<'keepMs' | 'keepBytes', number>>): void {
  if (!Number.isInteger(keepRequests) || keepRequests < 0 || keepRequests > MAX_KEPT)
    throw wrong(flow, `\`keepRequests\` must be an integer from 0 to ${MAX_KEPT}.`)
  for (const [name, limit] of Object.entries(limits))
    if (typeof limit !== 'number' || !(limit >= 0)) throw wrong(flow, `\`${name}\` must be a number from 0 on.`)
}

function wrong(flow: string, message: string): MillraceError {
  const problem = { code: 'OPTION_OUT_OF_BOUNDS', message, fix: 'Correct it.' }
  return new MillraceError('OPTIONS_INVALID', { flow, problems: [problem] })
}
