import { hasHandlers } from '../analysis/checks/handlers.ts'
import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import { availableMemory } from '../memory-limit.ts'
import { isModuleUrl, moduleUrl } from '../graph/module-url.ts'
import { serialOf } from '../graph/serial.ts'
import type { GraphData, GraphMaker, Handler, Parametrised } from '../graph/types.ts'
import { type Given, RUN_OPTIONS, resolve } from '../options/index.ts'
import { plan } from '../plan/plan.ts'
import { rehearsable } from '../plan/rehearsable.ts'
import { bundleUrl, hasLostUrls } from '../worker/thread/boot.ts'
import { graphOf, handOver } from '../worker/thread/find-graph.ts'
import { bindHandlers, handlersOf } from '../worker/thread/load-handlers.ts'
import type { Pipeline } from './pipeline.ts'

/** Options of `run`; `docs/options.md` says what each is for. */
export interface RunOptions<Params = unknown> extends Omit<Given<typeof RUN_OPTIONS>, 'params'> {
  readonly params?: Params
}

/** The options of a run; `params` may be left out only where the graph does without. */
export type RunArguments<Params> = undefined extends Params
  ? [options?: RunOptions<Params>]
  : [options: RunOptions<Params> & { readonly params: Params }]

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
  return start(graph, options, false)
}

/**
 * Runs a graph with synthetic work in place of its handlers: rates, latencies, ratios, selectivity, concurrency and batches as
 * declared. Sources never end by themselves. @throws what `run` throws
 */
export function rehearse<Params = unknown>(
  graph: Parametrised<Params> | GraphMaker<Params>,
  ...[options = {}]: RunArguments<Params>
): Promise<Pipeline> {
  return start(graph, options, true)
}

/**
 * Of a rehearsal: room for all records that credit allows on a lane, each in a frame of its own. A ring that is full of bytes
 * goes on in eighths of it, which makes slow flows come in gusts.
 */
const ROOMY_LANE_BYTES = 2 * RUN_OPTIONS.laneBytes.default

/** Of what the process may use, the part that shared memory may take: the rest is for the heaps of its threads. */
const MEMORY_SHARE = 0.5

async function start(what: GraphData | GraphMaker, given: RunOptions, isRehearsal: boolean): Promise<Pipeline> {
  if (handOver(what)) return new Promise(() => undefined)
  const problems = validateOptions(given, RUN_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { graph: what.name, problems })
  // What the caller changes later does not reach a successor.
  const params: unknown = structuredClone(given.params)
  const maker = typeof what === 'function' ? what : undefined
  const declared = typeof what === 'function' ? graphOf(what, params) : what
  const { signal } = given
  signal?.throwIfAborted()
  const graph = isRehearsal ? rehearsable(declared) : declared
  const maxMemoryBytes = Math.min(RUN_OPTIONS.maxMemoryBytes.max, Math.floor(availableMemory() * MEMORY_SHARE))
  const options = { maxMemoryBytes, ...(isRehearsal ? { laneBytes: ROOMY_LANE_BYTES } : {}), ...given }
  const planned = plan(graph, options, isRehearsal)
  // A bundle is its own module, also where it has lost the names of those that it was made of.
  const made =
    bundleUrl && (graph.module === undefined || hasLostUrls) ? { ...planned, module: bundleUrl.href } : planned
  if (!isRehearsal && !hasHandlers(graph)) {
    const reason = 'none of its nodes has a handler; `rehearse` and `millrace rehearse` run it with synthetic work'
    throw new MillraceError('HANDLER_MISSING', { graph: graph.name, reason })
  }
  const handlers = isRehearsal ? [] : handlersOf(graph)
  if (graph.module === undefined && bundleUrl === undefined && handlers.some(needsModule))
    throw new MillraceError('MODULE_MISSING', { graph: graph.name })
  const embedded = made.stages.filter(({ host }) => host === 'embedder')
  const bound = embedded.map(async (stage) => [stage.index, await bindHandlers(made, stage, graph, params)] as const)
  const { deadlineMs, startDeadlineMs, stallMs, deadLetters, deadLetterBytes, trace } = resolve(RUN_OPTIONS, given)
  // Only now: each worker imports the module of its graph, and with it all that this one imports at once.
  const [{ Supervisor }, { Pipeline }, { isExported }] = await Promise.all([
    import('./supervisor.ts'),
    import('./pipeline.ts'),
    import('./given-graph.ts'),
  ])
  let isSame: Promise<boolean> | undefined
  const supervisor = new Supervisor(made, {
    graph: withoutFunctions(graph),
    hasFunctions: handlers.some((handler) => typeof handler === 'function'),
    found: {
      serial: serialOf(declared),
      maker: maker && { name: maker.name, text: String(maker) },
      params,
    },
    isExported: () => (isSame ??= isExported(graph, maker).then((verdict) => verdict ?? warned(graph))),
    embedded: new Map(await Promise.all(bound)),
    deadlineMs,
    startDeadlineMs,
    stallMs,
    deadLetters,
    deadLetterBytes,
    recentTraces: trace.recent,
  })
  await supervisor.start(signal)
  return new Pipeline(supervisor)
}

/** Functions are found in the module of the graph, and a module that is named by its relative path beside it. */
function needsModule(handler: Handler): boolean {
  return typeof handler === 'function' || !isModuleUrl(moduleUrl(handler.module)!)
}

/** It cannot be told whether workers have found the graph that was given: another loader has loaded its module, say. */
function warned({ name, module }: GraphData): true {
  const text = `Workers may have found another graph than was given to \`run\` as ${name} of ${module}: run what the module exports.`
  process.emitWarning(text, 'MillraceWarning')
  return true
}

/** The graph as it crosses threads: functions stay behind, and are found again in the module. */
function withoutFunctions({ name, module, nodes, edges, clusters }: GraphData): GraphData {
  const strip = <T>(value: T): T => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(strip) as T
    const entries = Object.entries(value).filter(([, field]) => typeof field !== 'function')
    return Object.fromEntries(entries.map(([key, field]) => [key, strip(field) as unknown])) as T
  }
  return { name, module, nodes: strip(nodes), edges: strip(edges), clusters: strip(clusters) }
}
