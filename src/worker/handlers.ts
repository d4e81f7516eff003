import { MillraceError } from '../errors.ts'
import type { Context, GraphData, GraphNode, Handler } from '../graph/types.ts'
import type { LinkPlan, NodePlan, Plan, StagePlan, Work } from '../plan/types.ts'
import { importGraph, importModule } from './load.ts'
import { rehearsed } from './rehearsal.ts'

export type AnyFunction = (...args: any[]) => unknown

/** What a node that has no thread of its own does with a record. */
export interface Operation {
  readonly work: Work
  /** Without a context of its own, a call gets the one that all calls of the worker share. */
  readonly call: (value: unknown, context?: Context) => unknown
}

/** The user's functions of one stage: those of its own node, of the nodes it runs inline, and of the lanes out of it. */
export class Handlers {
  readonly #stage: StagePlan
  readonly #nodes: ReadonlyMap<string, GraphNode>
  readonly #graph: GraphData
  readonly #functions: ReadonlyMap<Handler, AnyFunction>
  /** The context of inline nodes; set once the worker has it. */
  context: Context | undefined

  constructor(stage: StagePlan, graph: GraphData, functions: ReadonlyMap<Handler, AnyFunction>) {
    this.#stage = stage
    this.#graph = graph
    this.#nodes = new Map(graph.nodes.map((node) => [node.id, node]))
    this.#functions = functions
  }

  /** A handler of the stage's own node. */
  own(name: keyof GraphNode): AnyFunction | undefined {
    return this.#of(this.#nodes.get(this.#stage.node)?.[name])
  }

  batchKey(): AnyFunction | undefined {
    return this.#of(this.#nodes.get(this.#stage.node)?.batch?.by)
  }

  retryWhen(): AnyFunction | undefined {
    return this.#of(this.#nodes.get(this.#stage.node)?.retry?.when)
  }

  /** Key of a record of this stage itself, where it has one. */
  partitionKey(): AnyFunction | undefined {
    return this.#of(this.#nodes.get(this.#stage.node)?.partitionBy)
  }

  route(plan: NodePlan): (value: unknown) => string {
    const route = this.#of(this.#nodes.get(plan.node)!.route)
    if (route !== undefined) return route as (value: unknown) => string
    throw new MillraceError('HANDLER_MISSING', { node: plan.node, handler: 'route' })
  }

  operation(plan: NodePlan): Operation {
    const work = plan.work as Work
    const handler = work === 'output' ? undefined : this.#of(this.#nodes.get(plan.node)![work as keyof GraphNode])
    if (handler === undefined) throw new MillraceError('HANDLER_MISSING', { node: plan.node, handler: work })
    return { work, call: (value, context = this.context) => handler(value, context) }
  }

  /** How a link chooses lanes: the key of the next stage's records, and the selector of a broadcast. */
  dispatch(link: LinkPlan): {
    key?: (value: unknown) => unknown
    select?: (value: unknown, worker: number) => boolean
  } {
    const key = this.#of(this.#nodes.get(link.toNode)!.partitionBy)
    const select =
      link.selectorEdge === undefined ? undefined : this.#of(this.#graph.edges[link.selectorEdge]!.selector)
    return {
      ...(key === undefined ? {} : { key }),
      ...(select === undefined ? {} : { select: select as (value: unknown, worker: number) => boolean }),
    }
  }

  #of(handler: unknown): AnyFunction | undefined {
    return handler === undefined ? undefined : this.#functions.get(handler as Handler)
  }
}

/**
 * Loads what a stage needs: the module of the graph where the graph has functions, and the modules of handlers that are
 * named by module and export. A plan that is rehearsed gets synthetic functions instead.
 * @param data the graph without its functions
 * @throws MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED, HANDLER_MISSING
 */
export async function loadHandlers(
  plan: Plan,
  stage: StagePlan,
  data: GraphData,
  hasFunctions: boolean,
): Promise<Handlers> {
  if (plan.rehearse) return rehearsed(plan, stage, data)
  const graph = hasFunctions ? await importGraph(plan.module!, plan.graph, plan.loader) : data
  return bindHandlers(plan, stage, graph)
}

/** The handlers of a graph that is at hand, functions and all. */
export async function bindHandlers(plan: Plan, stage: StagePlan, graph: GraphData): Promise<Handlers> {
  const functions = new Map<Handler, AnyFunction>()
  for (const handler of handlersOf(graph)) functions.set(handler, await load(handler, plan))
  return new Handlers(stage, graph, functions)
}

async function load(handler: Handler, plan: Plan): Promise<AnyFunction> {
  if (typeof handler === 'function') return handler as AnyFunction
  const url = new URL(handler.module, plan.module).href
  const loaded = (await importModule(url, plan.loader))[handler.export]
  if (typeof loaded === 'function') return loaded as AnyFunction
  throw new MillraceError('HANDLER_MISSING', { module: url, export: handler.export })
}

/** Every handler of a graph: functions and references, wherever they stand. */
export function handlersOf({ nodes, edges }: GraphData): Handler[] {
  const entries: unknown[] = nodes.flatMap((node) => [...Object.values(node), node.batch?.by, node.retry?.when])
  return [...entries, ...edges.map(({ selector }) => selector)].filter(isHandler)
}

function isHandler(value: unknown): value is Handler {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && 'module' in value && 'export' in value
}
