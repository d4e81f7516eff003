import { MillraceError } from '../errors.ts'
import { RUN_OPTIONS } from '../options/index.ts'
import type { RunOptions } from '../supervisor/run-options.ts'
import { run } from '../supervisor/run.ts'
import type { FlowParams } from './call.ts'
import { Archive } from './archive.ts'
import { DEFAULT_REQUESTS } from './limits.ts'
import type { AnyFlow } from './flow.ts'
import { RunningFlow } from './running-flow.ts'
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

/** What a flow wants as `params`. */
type ParamsOf<F> = F extends { readonly reads: (params: infer Params) => void } ? Params : never

const MAX_KEPT = 10_000_000

/**
 * Runs a flow: starts its workers, and resolves when it takes requests.
 * @throws FLOW_INVALID with all problems; what `run` throws
 */
export async function runFlow<F extends AnyFlow>(
  flow: F,
  options: RunFlowOptions<ParamsOf<F>> = {},
): Promise<RunningFlow<InputOf<F>, AnswerOf<F>>> {
  const { params, keepRequests = 1_000, keepMs = Infinity, keepBytes = Infinity, store, ...rest } = options
  if (flow.problems.length > 0) throw new MillraceError('FLOW_INVALID', { flow: flow.name, problems: flow.problems })
  check(flow.name, keepRequests, { keepMs, keepBytes })
  const keeps = keepsSteps(flow)
  if (store !== undefined && !keeps) throw new MillraceError('STEPS_NOT_KEPT', { flow: flow.name })
  const { maxRequests = DEFAULT_REQUESTS } = flow.settings
  const table = RequestTable.of(maxRequests)
  const given: FlowParams = { table: table.memory, params: structuredClone(params) }
  const pipeline = await run(flow, { ...rest, params: given })
  const { deadlineMs = RUN_OPTIONS.deadlineMs.default } = options
  const archive = store === undefined ? undefined : new Archive(store, flow.name)
  const { hooks, undoable, itemEnds } = flow
  const kept = { keepRequests, keepMs, keepBytes, keepsSteps: keeps, archive }
  const running = new RunningFlow(pipeline, { table, maxRequests, deadlineMs, hooks, undoable, itemEnds, ...kept })
  try {
    await running.recover()
  } catch (error) {
    await pipeline.stop()
    throw error
  }
  return running as RunningFlow<InputOf<F>, AnswerOf<F>>
}

function check(flow: string, keepRequests: number, limits: Readonly<Record<'keepMs' | 'keepBytes', number>>): void {
  const wrong = (message: string): MillraceError => {
    const problem = { code: 'OPTION_OUT_OF_BOUNDS', message, fix: 'Correct it.' }
    return new MillraceError('OPTIONS_INVALID', { flow, problems: [problem] })
  }
  if (!Number.isInteger(keepRequests) || keepRequests < 0 || keepRequests > MAX_KEPT)
    throw wrong(`\`keepRequests\` must be an integer from 0 to ${MAX_KEPT}.`)
  for (const [name, limit] of Object.entries(limits))
    if (typeof limit !== 'number' || !(limit >= 0)) throw wrong(`\`${name}\` must be a number from 0 on.`)
}
