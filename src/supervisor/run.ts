import { hasHandlers } from '../analysis/checks/handlers.ts'
import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import { RUN_OPTIONS, resolve } from '../options.ts'
import { plan } from '../plan/plan.ts'
import { rehearsable } from '../plan/rehearsable.ts'
import type { RestartPolicy } from '../graph/types.ts'
import { bindHandlers, handlersOf } from '../worker/load-handlers.ts'
import { isLoadingGraph } from '../worker/load.ts'
import type { Pipeline } from './pipeline.ts'

/** Options of `run`; `docs/options.md` says what each is for. */
export interface RunOptions {
  readonly deadlineMs?: number
  readonly startDeadlineMs?: number
  readonly maxDemand?: number
  readonly laneBytes?: number
  readonly stashBytes?: number
  readonly maxRecordBytes?: number
  readonly restart?: RestartPolicy
  readonly stallMs?: number
  readonly inject?: boolean
  readonly deadLetters?: number
  readonly deadLetterBytes?: number
  readonly loader?: string
  readonly signal?: AbortSignal
}

/**
 * Runs a graph: plans it, starts its workers, and resolves when all of them are ready.
 * @throws GRAPH_INVALID and OPTIONS_INVALID with all problems, HANDLER_MISSING, PLAN_TOO_LARGE, MODULE_MISSING, RUN_WHILE_LOADING,
 * START_FAILED, START_TIMEOUT, and the reason of a signal that aborts before the workers are ready; then nothing runs
 */
export function run(graph: GraphData, options: RunOptions = {}): Promise<Pipeline> {
  return start(graph, options, false)
}

/**
 * Runs a graph with synthetic work in place of its handlers: rates, latencies, ratios, selectivity, concurrency and batches as
 * declared. Sources never end by themselves. @throws what `run` throws
 */
export function rehearse(graph: GraphData, options: RunOptions = {}): Promise<Pipeline> {
  return start(graph, options, true)
}

/**
 * Of a rehearsal: room for all records that credit allows on a lane, each in a frame of its own. A ring that is full of bytes
 * goes on in eighths of it, which makes slow flows come in gusts.
 */
const ROOMY_LANE_BYTES = 2 * RUN_OPTIONS.laneBytes.default

async function start(declared: GraphData, given: RunOptions, isRehearsal: boolean): Promise<Pipeline> {
  if (isLoadingGraph()) throw new MillraceError('RUN_WHILE_LOADING', { graph: declared.name })
  const problems = validateOptions(given, RUN_OPTIONS)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { graph: declared.name, problems })
  const { signal } = given
  signal?.throwIfAborted()
  const graph = isRehearsal ? rehearsable(declared) : declared
  const made = plan(graph, isRehearsal ? { laneBytes: ROOMY_LANE_BYTES, ...given } : given, isRehearsal)
  if (!isRehearsal && !hasHandlers(graph)) {
    const reason = 'none of its nodes has a handler; `rehearse` and `millrace rehearse` run it with synthetic work'
    throw new MillraceError('HANDLER_MISSING', { graph: graph.name, reason })
  }
  const handlers = isRehearsal ? [] : handlersOf(graph)
  if (handlers.length > 0 && graph.module === undefined)
    throw new MillraceError('MODULE_MISSING', { graph: graph.name })
  const embedded = made.stages.filter(({ host }) => host === 'embedder')
  const bound = embedded.map(async (stage) => [stage.index, await bindHandlers(made, stage, graph)] as const)
  const { deadlineMs, startDeadlineMs, stallMs, deadLetters, deadLetterBytes } = resolve(RUN_OPTIONS, given)
  // Only now: each worker imports the module of its graph, and with it all that this one imports at once.
  const [{ Supervisor }, { Pipeline }] = await Promise.all([import('./supervisor.ts'), import('./pipeline.ts')])
  const supervisor = new Supervisor(made, {
    graph: withoutFunctions(graph),
    hasFunctions: handlers.some((handler) => typeof handler === 'function'),
    embedded: new Map(await Promise.all(bound)),
    deadlineMs,
    startDeadlineMs,
    stallMs,
    deadLetters,
    deadLetterBytes,
  })
  await supervisor.start(signal)
  return new Pipeline(supervisor)
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
