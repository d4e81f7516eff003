import { MillraceError } from '../errors.ts'
import { RUN_OPTIONS } from '../options/index.ts'
import type { RunOptions } from '../supervisor/run-options.ts'
import { run } from '../supervisor/run.ts'
import type { FlowParams } from './call.ts'
import { DEFAULT_REQUESTS } from './compile.ts'
import type { AnyFlow } from './flow.ts'
import { RunningFlow } from './running-flow.ts'
import { RequestTable } from './table.ts'
import type { AnswerOf, InputOf } from './types.ts'

/** How a flow is run: as `run` takes it, and what concerns requests. */
export interface RunFlowOptions<Params = unknown> extends Omit<RunOptions, 'params'> {
  readonly params?: Params
  /** Requests that have ended and are still known, with their answers, in the memory of this thread. Default: 1,000. */
  readonly keepRequests?: number
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
  const { params, keepRequests = 1_000, ...rest } = options
  if (flow.problems.length > 0) throw new MillraceError('FLOW_INVALID', { flow: flow.name, problems: flow.problems })
  if (!Number.isInteger(keepRequests) || keepRequests < 0 || keepRequests > MAX_KEPT) {
    const message = `\`keepRequests\` must be an integer from 0 to ${MAX_KEPT}.`
    const problem = { code: 'OPTION_OUT_OF_BOUNDS', message, fix: 'Correct it.' }
    throw new MillraceError('OPTIONS_INVALID', { flow: flow.name, problems: [problem] })
  }
  const { maxRequests = DEFAULT_REQUESTS } = flow.settings
  const table = RequestTable.of(maxRequests)
  const given: FlowParams = { table: table.memory, params: structuredClone(params) }
  const pipeline = await run(flow, { ...rest, params: given })
  const { deadlineMs = RUN_OPTIONS.deadlineMs.default } = options
  return new RunningFlow(pipeline, { table, maxRequests, keepRequests, deadlineMs, hooks: flow.hooks }) as RunningFlow<
    InputOf<F>,
    AnswerOf<F>
  >
}
