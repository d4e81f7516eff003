import { MillraceError } from '../errors.js'
import { importGraph, importModule } from './load.js'
import { rehearsed } from './rehearsal.js'
/** The user's functions of one stage: those of its own node, of the nodes it runs inline, and of the lanes out of it. */
export class Handlers {
  #stage
  #nodes
  #graph
  #functions
  /** The context of inline nodes; set once the worker has it. */
  context
  constructor(stage, graph, functions) {
    this.#stage = stage
    this.#graph = graph
    this.#nodes = new Map(graph.nodes.map((node) => [node.id, node]))
    this.#functions = functions
  }
  /** A handler of the stage's own node. */
  own(name) {
    return this.#of(this.#nodes.get(this.#stage.node)?.[name])
  }
  batchKey() {
    return this.#of(this.#nodes.get(this.#stage.node)?.batch?.by)
  }
  retryWhen() {
    return this.#of(this.#nodes.get(this.#stage.node)?.retry?.when)
  }
  /** Key of a record of this stage itself, where it has one. */
  partitionKey() {
    return this.#of(this.#nodes.get(this.#stage.node)?.partitionBy)
  }
  route(plan) {
    const route = this.#of(this.#nodes.get(plan.node).route)
    if (route !== undefined) return route
    throw new MillraceError('HANDLER_MISSING', { node: plan.node, handler: 'route' })
  }
  operation(plan) {
    const work = plan.work
    const handler = work === 'output' ? undefined : this.#of(this.#nodes.get(plan.node)[work])
    if (handler === undefined) throw new MillraceError('HANDLER_MISSING', { node: plan.node, handler: work })
    return { work, call: (value) => handler(value, this.context) }
  }
  /** How a link chooses lanes: the key of the next stage's records, and the selector of a broadcast. */
  dispatch(link) {
    const key = this.#of(this.#nodes.get(link.toNode).partitionBy)
    const select = link.selectorEdge === undefined ? undefined : this.#of(this.#graph.edges[link.selectorEdge].selector)
    return {
      ...(key === undefined ? {} : { key }),
      ...(select === undefined ? {} : { select: select }),
    }
  }
  #of(handler) {
    return handler === undefined ? undefined : this.#functions.get(handler)
  }
}
/**
 * Loads what a stage needs: the module of the graph where the graph has functions, and the modules of handlers that are
 * named by module and export. A plan that is rehearsed gets synthetic functions instead.
 * @param data the graph without its functions
 * @throws MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED, HANDLER_MISSING
 */
export async function loadHandlers(plan, stage, data, hasFunctions) {
  if (plan.rehearse) return rehearsed(plan, stage, data)
  const graph = hasFunctions ? await importGraph(plan.module, plan.graph, plan.loader) : data
  return bindHandlers(plan, stage, graph)
}
/** The handlers of a graph that is at hand, functions and all. */
export async function bindHandlers(plan, stage, graph) {
  const functions = new Map()
  for (const handler of handlersOf(graph)) functions.set(handler, await load(handler, plan))
  return new Handlers(stage, graph, functions)
}
async function load(handler, plan) {
  if (typeof handler === 'function') return handler
  const url = new URL(handler.module, plan.module).href
  const loaded = (await importModule(url, plan.loader))[handler.export]
  if (typeof loaded === 'function') return loaded
  throw new MillraceError('HANDLER_MISSING', { module: url, export: handler.export })
}
/** Every handler of a graph: functions and references, wherever they stand. */
export function handlersOf({ nodes, edges }) {
  const entries = nodes.flatMap((node) => [...Object.values(node), node.batch?.by, node.retry?.when])
  return [...entries, ...edges.map(({ selector }) => selector)].filter(isHandler)
}
function isHandler(value) {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && 'module' in value && 'export' in value
}
