import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData, GraphMaker, Parametrised } from '../graph/types.ts'
import { RUN_OPTIONS } from '../options/index.ts'
// A bundle is the entry of its workers' threads: this starts them there, so it must be loaded at once.
import '../worker/thread/boot.ts'
import { handOver } from '../worker/thread/find-graph.ts'
import type { Pipeline } from './pipeline.ts'
import type { RunArguments, RunOptions } from './run-options.ts'

/**
 * Runs a graph: plans it, starts its workers, and resolves when all of them are ready. Where a function is given, it is called
 * with `params` here and in each worker, and what it makes is run; its module exports it under its own name.
 *
 * Where a worker loads a module that calls `run` with the worker's own graph, the worker takes the graph, and the call never
 * returns: so graph and `run` may stand in one file.
 * @throws GRAPH_INVALID and OPTIONS_INVALID with all problems, HANDLER_MISSING, PLAN_TOO_LARGE, MODULE_MISSING, RUN_WHILE_LOADING,
 * MAKER_INVALID, GRAPH_DIFFERS, START_FAILED, START_TIMEOUT, and the reason of a signal that aborts before the workers are ready;
 * then nothing runs
 */
export function run<Params = unknown>(
  graph: Parametrised<Params> | GraphMaker<Params>,
  ...[options = {}]: RunArguments<Params>
): Promise<Pipeline> {
  return launched(graph, options, false)
}

/**
 * Runs a graph with synthetic work in place of its handlers: rates, latencies, ratios, selectivity, concurrency and batches as
 * declared. Sources never end by themselves. @throws what `run` throws
 */
export function rehearse<Params = unknown>(
  graph: Parametrised<Params> | GraphMaker<Params>,
  ...[options = {}]: RunArguments<Params>
): Promise<Pipeline> {
  return launched(graph, options, true)
}

async function launched(what: GraphData | GraphMaker, given: RunOptions, isRehearsal: boolean): Promise<Pipeline> {
  if (handOver(what)) return new Promise(() => undefined)
  const problems = validateOptions(given, RUN_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { graph: what.name, problems })
  // Now: what the caller changes later does not reach a worker.
  const params: unknown = structuredClone(given.params)
  // Not before: each worker imports the module of its graph, and with it all that this file imports at once.
  const { launch } = await import('./launch.ts')
  return launch({ what, given, params, isRehearsal })
}
