import { type AppServer, type Listening, serveApp } from '../control/serve.ts'
import type { AnyFlow } from '../flow/index.ts'
import { type RunFlowOptions, type RunningFlow, type SharedFlowOptions, runFlow } from '../flow/index.ts'
import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import { FLOW_SERVER_OPTIONS, SERVE_OPTIONS } from '../options/index.ts'
import { type FlowApiOptions, mounted } from './plugin.ts'
import type { ServedFlow } from './served-flow.ts'

/** Options of a server of flows: of its API, of where it listens, and of the runs of flows that do not run yet. */
export interface ServeFlowsOptions<Run = RunFlowOptions> extends FlowApiOptions, Listening {
  readonly run?: Run
}

/** A server of flows. */
export interface FlowServer<Served extends ServedFlow = RunningFlow<any, any>> extends AppServer {
  /** The flows that it serves, by name. */
  readonly flows: ReadonlyMap<string, Served>
}

/**
 * Serves flows over HTTP. Flows that do not run yet are run, and drained when the server closes; running ones go on.
 * @throws OPTIONS_INVALID with all problems, FLOW_NAME_TAKEN, ADDRESS_NEEDS_TOKEN, CONTROL_NOT_LISTENING, what `runFlow` throws
 */
export async function serveFlows(
  flows: readonly (AnyFlow | RunningFlow<any, any>)[],
  options?: ServeFlowsOptions,
): Promise<FlowServer>
export async function serveFlows(
  flows: readonly (AnyFlow | ServedFlow)[],
  options?: ServeFlowsOptions<RunFlowOptions | SharedFlowOptions>,
): Promise<FlowServer<ServedFlow>>
export async function serveFlows(
  flows: readonly (AnyFlow | ServedFlow)[],
  { run = {}, host, port, logger, ...api }: ServeFlowsOptions<RunFlowOptions | SharedFlowOptions> = {},
): Promise<FlowServer<ServedFlow>> {
  const listening = {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(logger === undefined ? {} : { logger }),
  }
  const problems = validateOptions({ ...api, ...listening }, { ...FLOW_SERVER_OPTIONS, ...SERVE_OPTIONS })
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  const names = flows.map(({ name }) => name)
  const taken = names.find((name, i) => names.indexOf(name) !== i)
  if (taken !== undefined) throw new MillraceError('FLOW_NAME_TAKEN', { flow: taken })
  const own: ServedFlow[] = []
  const end = async (): Promise<void> => void (await Promise.allSettled(own.map((flow) => flow.drain())))
  try {
    const served: ServedFlow[] = []
    for (const flow of flows) {
      if ('execute' in flow) served.push(flow)
      else {
        const started: ServedFlow = await runFlow(flow, run as never)
        own.push(started)
        served.push(started)
      }
    }
    const server = await serveApp(
      { ...listening, ...(api.token === undefined ? {} : { token: api.token }) },
      mounted(served, api, true),
    )
    const close = async (): Promise<void> => {
      await server.close()
      await end()
    }
    return { ...server, flows: new Map(served.map((flow) => [flow.name, flow])), close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await end()
    throw error
  }
}
