import { divide } from '../analysis/divide.ts'
import { hasHandlers } from '../analysis/checks/handlers.ts'
import { MillraceError } from '../errors.ts'
import { availableMemory } from '../memory-limit.ts'
import { availableCores } from '../cores.ts'
import { withCores } from '../graph/cores.ts'
import { withStageDefaults } from '../graph/defaults.ts'
import { isModuleUrl, moduleUrl } from '../graph/module-url.ts'
import { serialOf } from '../graph/serial.ts'
import type { GraphData, GraphMaker, Handler } from '../graph/types.ts'
import { RUN_OPTIONS, resolve } from '../options/index.ts'
import { plan } from '../plan/plan.ts'
import { refuse } from '../plan/refuse.ts'
import { rehearsable } from '../plan/rehearsable.ts'
import { bundleUrl, hasLostUrls } from '../worker/thread/boot.ts'
import { graphOf } from '../worker/thread/find-graph.ts'
import { bindHandlers, handlersOf } from '../worker/thread/load-handlers.ts'
import { makeStore } from '../trace/store/open-store.ts'
import { isExported } from './given-graph.ts'
import { openJournal } from './open-journal.ts'
import { Pipeline } from './pipeline.ts'
import { listed } from './running.ts'
import type { RunOptions } from './run-options.ts'
import { Supervisor } from './supervisor.ts'
import { workerModuleUrl } from './worker-module.ts'

/**
 * Of a rehearsal: room for all records that credit allows on a lane, each in a frame of its own. A ring that is full of bytes
 * goes on in eighths of it, which makes slow flows come in gusts.
 */
const ROOMY_LANE_BYTES = 2 * RUN_OPTIONS.laneBytes.default

/** Of what the process may use, the part that shared memory may take: the rest is for the heaps of its threads. */
const MEMORY_SHARE = 0.5

export interface Launch {
  readonly what: GraphData | GraphMaker
  readonly given: RunOptions
  /** A copy of the given ones: what the caller changes later does not reach a successor. */
  readonly params: unknown
  readonly isRehearsal: boolean
}

/** Plans a graph, starts its workers, and resolves when all of them are ready. @throws what `run` throws */
export async function launch({ what, given, params, isRehearsal }: Launch): Promise<Pipeline> {
  const maker = typeof what === 'function' ? what : undefined
  const made = typeof what === 'function' ? graphOf(what, params) : what
  refuse(made)
  const declared = withCores(withStageDefaults(made, given.defaults), availableCores())
  const { signal } = given
  signal?.throwIfAborted()
  const { part } = given
  // What is no graph is refused by the plan.
  const toPlan = isRehearsal ? rehearsable(declared, part) : declared
  const maxMemoryBytes = Math.min(RUN_OPTIONS.maxMemoryBytes.max, Math.floor(availableMemory() * MEMORY_SHARE))
  const options = { maxMemoryBytes, ...(isRehearsal ? { laneBytes: ROOMY_LANE_BYTES } : {}), ...given }
  const planned = plan(toPlan, isRehearsal ? { ...options, part: undefined } : options, isRehearsal)
  const graph = isRehearsal ? toPlan : divide(declared, part)
  // A bundle is its own module, also where it has lost the names of those that it was made of.
  const first = workerModuleUrl(given.workerModule, graph.module)
  const launched = {
    ...planned,
    ...(bundleUrl && (graph.module === undefined || hasLostUrls) ? { module: bundleUrl.href } : {}),
    ...(first === undefined ? {} : { workerModule: first }),
  }
  const handlers = isRehearsal ? [] : checkedHandlers(declared, graph)
  const embedded = launched.stages.filter(({ host }) => host === 'embedder')
  const bound = embedded.map(
    async (stage) => [stage.index, await bindHandlers(launched, stage, graph, params)] as const,
  )
  const { deadlineMs, startDeadlineMs, stallMs, paused, deadLetters, deadLetterBytes, trace, durable } = resolve(
    RUN_OPTIONS,
    given,
  )
  const hosted = new Map(await Promise.all(bound))
  const journal = isRehearsal ? undefined : await openJournal(launched, given)
  try {
    // Last of what may fail before there is a supervisor, which closes it.
    const store = given.trace?.store === undefined ? undefined : await makeStore(given.trace.store)
    const plainGraph = withoutFunctions(graph)
    let isSame: Promise<boolean> | undefined
    const supervisor = new Supervisor(launched, {
      graph: plainGraph,
      hasFunctions: handlers.some((handler) => typeof handler === 'function'),
      found: {
        serial: serialOf(made),
        maker: maker && { name: maker.name, text: String(maker) },
        params,
      },
      isExported: () => (isSame ??= isExported(declared, maker).then((verdict) => verdict ?? warned(declared))),
      embedded: hosted,
      deadlineMs,
      startDeadlineMs,
      stallMs,
      paused,
      deadLetters,
      deadLetterBytes,
      recentTraces: trace.recent,
      durable: journal && { journal, cursorMs: durable.cursorMs },
    })
    if (store !== undefined) await supervisor.tracing!.keep(store, plainGraph)
    await supervisor.start(signal)
    return listed(new Pipeline(supervisor))
  } catch (error) {
    // A supervisor that came to leave has closed it.
    await journal?.close()
    throw error
  }
}

/** The handlers of what is to run. @throws HANDLER_MISSING, MODULE_MISSING */
function checkedHandlers(declared: GraphData, graph: GraphData): readonly Handler[] {
  if (!hasHandlers(declared)) {
    const reason = 'none of its nodes has a handler; `rehearse` and `millrace rehearse` run it with synthetic work'
    throw new MillraceError('HANDLER_MISSING', { graph: graph.name, reason })
  }
  const handlers = handlersOf(graph)
  if (graph.module === undefined && bundleUrl === undefined && handlers.some(needsModule))
    throw new MillraceError('MODULE_MISSING', { graph: graph.name })
  return handlers
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
