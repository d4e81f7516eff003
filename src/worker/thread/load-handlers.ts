import { MillraceError } from '../../errors.ts'
import type { Memory } from '../../memory/memory.ts'
import {
  divide,
  type GraphData,
  type Handler,
  type HopHandlers,
  isOfBroker,
  moduleUrl,
  serialOf,
} from '../../plan/definition.ts'
import type { Plan, StagePlan } from '../../plan/types.ts'
import { type AnyFunction, Handlers } from '../call/handlers.ts'
import { importGraph } from './find-graph.ts'
import { importModule } from './load.ts'
import { loadHop } from './load-hop.ts'
import type { WorkerTask } from './protocol.ts'
import { checkTerms } from './terms.ts'

/**
 * Loads what a worker needs: the module of the graph where the graph has functions, and the modules of handlers that are
 * named by module and export. A plan that is rehearsed gets synthetic functions instead.
 * @param isGiven asks whether the graph that was given to `run` is the one that its module exports
 * @throws MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED, GRAPH_DIFFERS, LANE_DIFFERS, HANDLER_MISSING
 */
export async function loadHandlers(
  task: WorkerTask,
  memory: Memory,
  isGiven: () => Promise<boolean>,
): Promise<Handlers> {
  const { plan, graph: planned, hasFunctions, params } = task
  const worker = plan.workers[task.worker]!
  const stage = plan.stages[worker.stage]!
  const found = hasFunctions && !plan.rehearse ? divide(await findGraph(task, isGiven), plan.part) : planned
  checkTerms(plan, worker, memory, found, planned)
  if (!plan.rehearse) return bindHandlers(plan, stage, found, params)
  const { rehearsed } = await import('../rehearsal/rehearsal.ts')
  return rehearsed(plan, stage, planned, memory, params)
}

/** A graph that looks like another one than was given to `run` may have other closures: the thread of `run` can tell. */
async function findGraph(
  { plan, graph, serial, maker, params }: WorkerTask,
  isGiven: () => Promise<boolean>,
): Promise<GraphData> {
  const module = plan.module!
  const found = await importGraph({ module, graph, maker, params, serial, loader: plan.loader })
  const looksSame = maker === undefined ? serialOf(found.graph) === serial : String(found.maker) === maker.text
  if (!looksSame && !(await isGiven())) throw new MillraceError('GRAPH_DIFFERS', { graph: plan.graph, module })
  return found.graph
}

/** The handlers of a graph that is at hand, functions and all. */
export async function bindHandlers(plan: Plan, stage: StagePlan, graph: GraphData, params: unknown): Promise<Handlers> {
  return new Handlers(stage, graph, await functionsOf(plan, stage, graph), params)
}

/** The functions of a stage, by what the graph says in their place. Modules that only other stages name are not imported. */
export async function functionsOf(
  plan: Plan,
  stage: StagePlan,
  graph: GraphData,
): Promise<ReadonlyMap<Handler, AnyFunction>> {
  const functions = new Map<Handler, AnyFunction>()
  const own = partOf(plan, stage, graph)
  const hop = own.nodes.find(({ id }) => id === stage.node)?.hop
  const ofBroker: HopHandlers = hop === undefined ? {} : await loadHop(hop, stage.kind)
  for (const handler of handlersOf(own))
    functions.set(handler, isOfBroker(handler) ? ofBroker[handler.export]! : await load(handler, plan))
  return functions
}

/** What a stage needs of a graph: its own nodes, and how records are spread over the workers of the next ones. */
function partOf(plan: Plan, stage: StagePlan, { nodes, edges, ...rest }: GraphData): GraphData {
  const links = plan.links.filter(({ from }) => from === stage.index)
  const own = new Set(stage.nodes.map(({ node }) => node))
  const next = new Set(links.map(({ toNode }) => toNode))
  return {
    ...rest,
    nodes: nodes.flatMap((node) => {
      if (own.has(node.id)) return [node]
      const { id, kind, partitionBy } = node
      return next.has(id) && partitionBy !== undefined ? [{ id, kind, partitionBy }] : []
    }),
    edges: [
      ...selectorsOf(stage).map((index) => edges[index]!),
      ...links.flatMap(({ selectorEdge }) => (selectorEdge === undefined ? [] : [edges[selectorEdge]!])),
      ...plan.links.flatMap(({ to, capture }) =>
        to === stage.index && capture !== undefined ? [edges[capture.edge]!] : [],
      ),
    ],
  }
}

/** Edges whose selectors the workers of a stage ask before they choose a lane. */
function selectorsOf({ nodes }: StagePlan): readonly number[] {
  const ports = nodes.flatMap(({ out, branches, error, deadLetter, retry }) =>
    [out, ...branches.map((branch) => branch.ports), error, deadLetter, retry].flat(),
  )
  return ports.flatMap(({ selectors }) => selectors ?? [])
}

async function load(handler: Handler, plan: Plan): Promise<AnyFunction> {
  if (typeof handler === 'function') return handler as AnyFunction
  const url = new URL(moduleUrl(handler.module)!, plan.module).href
  const loaded = (await importModule(url, plan.loader))[handler.export]
  if (typeof loaded === 'function') return loaded as AnyFunction
  throw new MillraceError('HANDLER_MISSING', { module: url, export: handler.export })
}

/** Every handler of a graph: functions and references, wherever they stand. */
export function handlersOf({ nodes, edges }: GraphData): Handler[] {
  const entries: unknown[] = nodes.flatMap((node) => [
    ...Object.values(node),
    ...Object.values(node.batch ?? {}),
    typeof node.rateLimit === 'object' ? node.rateLimit.by : undefined,
    node.retry?.when,
  ])
  return [...entries, ...edges.flatMap(({ selector, redact }) => [selector, redact])].filter(isHandler)
}

function isHandler(value: unknown): value is Handler {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && 'module' in value && 'export' in value
}
