import { MillraceError } from '../../errors.ts'
import type { CallContext } from './context.ts'
import type { Context, GraphData, GraphNode, Handler, RunContext } from '../../plan/definition.ts'
import type { LinkPlan, NodePlan, StagePlan, Work } from '../../plan/types.ts'
import { observed } from './observed.ts'
import { booleanOf, branchOf, keyOf } from './results.ts'

export type AnyFunction = (...args: any[]) => unknown

/** What a node that has no thread of its own does with a record. */
export interface Operation {
  readonly work: Work
  readonly call: (value: unknown, context: Context) => unknown
}

/** The user's functions of one stage: those of its own node, of the nodes it runs inline, and of the lanes out of it. */
export class Handlers {
  readonly #stage: StagePlan
  readonly #nodes: ReadonlyMap<string, GraphNode>
  readonly #graph: GraphData
  readonly #functions: ReadonlyMap<Handler, AnyFunction>
  readonly #run: RunContext
  /** The stage gave up: its records fail in place of a call of its handler. */
  isDetached = false
  /** The context of the call in hand, or of the last one. */
  context: CallContext | undefined

  constructor(stage: StagePlan, graph: GraphData, functions: ReadonlyMap<Handler, AnyFunction>, params?: unknown) {
    this.#run = Object.freeze({ params })
    this.#stage = stage
    this.#graph = graph
    this.#nodes = new Map(graph.nodes.map((node) => [node.id, node]))
    this.#functions = functions
  }

  /** The option `params` of the run. */
  get params(): unknown {
    return this.#run.params
  }

  /** A handler of the stage's own node. */
  own(name: keyof GraphNode): AnyFunction | undefined {
    const { node } = this.#stage
    const handler = this.#of(this.#nodes.get(node)?.[name])
    return handler !== undefined && (name === 'poll' || name === 'ack') ? observed(name, node, handler) : handler
  }

  /** What looks records up before their calls; a stage that has given up calls nothing. */
  preload(): AnyFunction | undefined {
    return this.isDetached ? undefined : this.own('preload')
  }

  /** Group of a receipt, where `ack` is called by groups. */
  ackGroup(): AnyFunction | undefined {
    return this.#keyed(this.#nodes.get(this.#stage.node)?.ackBy)
  }

  /** Key of a record, where each key has a rate limit; a stage that has given up calls nothing. */
  limitKey(): AnyFunction | undefined {
    const limit = this.#nodes.get(this.#stage.node)?.rateLimit
    return this.isDetached || typeof limit !== 'object' ? undefined : this.#keyed(limit.by)
  }

  batchKey(): AnyFunction | undefined {
    return this.#keyed(this.#nodes.get(this.#stage.node)?.batch?.by)
  }

  /** How many records the batch of a record has, where records say so. */
  batchOf(): AnyFunction | undefined {
    return this.#keyed(this.#nodes.get(this.#stage.node)?.batch?.of)
  }

  batchInstead(): AnyFunction | undefined {
    const instead = this.#of(this.#nodes.get(this.#stage.node)?.batch?.instead)
    return instead && ((record: unknown, error: unknown) => instead(record, error, this.#run))
  }

  /** The weight of a record in a batch, where it has one. */
  batchWeight(): AnyFunction | undefined {
    return this.#keyed(this.#nodes.get(this.#stage.node)?.batch?.weigh)
  }

  retryWhen(): AnyFunction | undefined {
    const when = this.#of(this.#nodes.get(this.#stage.node)?.retry?.when)
    return when && ((error: unknown, attempt: number) => when(error, attempt, this.#run))
  }

  /** Key of a record of this stage itself, where it has one. */
  partitionKey(): AnyFunction | undefined {
    return this.#keyed(this.#nodes.get(this.#stage.node)?.partitionBy)
  }

  route(plan: NodePlan): (value: unknown) => string {
    const route = this.#of(this.#nodes.get(plan.node)!.route)
    if (route !== undefined) return (value) => branchOf(plan.node, route(value, this.#run))
    throw new MillraceError('HANDLER_MISSING', { node: plan.node, handler: 'route' })
  }

  operation(plan: NodePlan): Operation {
    const work = plan.work as Work
    if (this.isDetached && plan.node === this.#stage.node) return { work, call: () => this.#refuse() }
    const given = work === 'output' ? undefined : this.#of(this.#nodes.get(plan.node)![work as keyof GraphNode])
    if (given === undefined) throw new MillraceError('HANDLER_MISSING', { node: plan.node, handler: work })
    const isOfBatches = plan.node === this.#stage.node && this.#stage.input?.batch !== undefined
    const handler = observed(isOfBatches ? 'batch' : 'call', plan.node, given)
    if (work !== 'flatMap') return { work, call: handler }
    return { work, call: (value, context) => gathered(handler(value, context)) }
  }

  /** How a link chooses lanes: the key of the next stage's records, and the selector of a broadcast. */
  dispatch({ toNode, selectorEdge }: LinkPlan): {
    key?: (value: unknown) => string | number
    select?: (value: unknown, worker: number) => boolean
  } {
    const key = this.#of(this.#nodes.get(toNode)!.partitionBy)
    const select = selectorEdge === undefined ? undefined : this.#of(this.#graph.edges[selectorEdge]!.selector)
    return {
      ...(key && { key: (value) => keyOf(toNode, 'partitionBy', key(value, this.#run)) }),
      ...(select && { select: (value, worker) => booleanOf(toNode, 'selector', select(value, worker, this.#run)) }),
    }
  }

  /** Whether a record takes all of these edges. */
  selects(edges: readonly number[]): (value: unknown) => boolean {
    const selectors = edges.map((index) => {
      const { to, selector } = this.#graph.edges[index]!
      const select = this.#of(selector)
      if (select === undefined) throw new MillraceError('HANDLER_MISSING', { node: to, handler: 'selector' })
      return (value: unknown) => booleanOf(to, 'selector', select(value, 0, this.#run))
    })
    return (value) => selectors.every((select) => select(value))
  }

  /** What may be seen of the records of a link into this stage. */
  redact({ capture }: LinkPlan): ((record: unknown) => unknown) | undefined {
    const redact = capture && this.#of(this.#graph.edges[capture.edge]!.redact)
    return redact && ((record) => redact(record, this.#run))
  }

  #refuse(): never {
    throw new MillraceError('STAGE_DETACHED', { node: this.#stage.node })
  }

  #keyed(handler: unknown): AnyFunction | undefined {
    const key = this.#of(handler)
    return key && ((record: unknown) => key(record, this.#run))
  }

  #of(handler: unknown): AnyFunction | undefined {
    return handler === undefined ? undefined : this.#functions.get(handler as Handler)
  }
}

/** What an async generator gives, as a promise of all of it: a failure in the middle sends nothing. */
function gathered(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result
  return (async () => {
    const items: unknown[] = []
    for await (const item of result as AsyncIterable<unknown>) items.push(item)
    return items
  })()
}
