import { MillraceError } from '../errors.ts'
import { moduleUrl } from '../graph/module-url.ts'
import { number } from '../graph/serial.ts'
import type { GraphCluster, GraphData, GraphEdge, GraphNode } from '../graph/types.ts'
import { checkFlow } from './check.ts'
import { type CompiledFlow, compileFlow } from './compile.ts'
import type { FlowData, FlowEdge, FlowHooks, FlowPart, FlowSettings } from './data.ts'
import type { ItemFailures } from './items.ts'
import type { FlowProblem } from './problems.ts'
import type { RequestView } from './request-view.ts'
import type {
  AnswerOf,
  BranchAnswers,
  BranchOptions,
  ChangingEdge,
  ForEachOptions,
  InputOf,
  ItemAnswers,
  JoinOptions,
  Joined,
  OrderEdge,
  QuorumOptions,
  StepOptions,
  StepTypes,
} from './types.ts'

type Steps = Record<string, StepTypes>
/** Any flow. */
export type AnyFlow = Flow<any, any, any, any>

/** The answers of steps, by name. */
type Answers<S extends Steps> = { readonly [Id in keyof S]: S[Id]['out'] }

/** `To` where the answer fits; otherwise a text, so that the compiler's message says what does not fit. */
type Fitting<S extends Steps, From extends string, To extends string> = [S[From]['out']] extends [S[To]['in']]
  ? To
  : S[To]['in'] extends Joined
    ? To
    : {
        readonly doesNotFit: `The answer of ${From} is not what ${To} takes`
        sends: S[From]['out']
        takes: S[To]['in']
      }

/**
 * A flow: steps that answer, and the edges between them. It is a graph too: it is drawn, checked, simulated and run as any other,
 * and `runFlow` answers its requests. Every call returns a new one. Nothing is checked here but by the compiler: the first look at its
 * nodes, or `runFlow`, reports all problems at once (`FLOW_INVALID`).
 */
export class Flow<S extends Steps = {}, Entered extends string = never, Left extends string = never, Params = unknown>
  implements GraphData, FlowData
{
  readonly name: string
  readonly module: string | undefined
  readonly parts: readonly FlowPart[]
  readonly links: readonly FlowEdge[]
  readonly settings: FlowSettings
  readonly hooks: FlowHooks
  /** For the compiler only: what `runFlow` gives to the first step, what the last one answers, and what `params` are. */
  declare readonly accepts: (input: S[Exclude<keyof S, Entered>]['in']) => void
  declare readonly answers: S[Exclude<keyof S, Left>]['out']
  declare readonly reads: (params: Params) => void
  #problems: readonly FlowProblem[] | undefined
  #compiled: CompiledFlow | undefined

  /** @internal */
  constructor({ name, module, parts, links, settings, hooks }: FlowData & { readonly module?: string | undefined }) {
    this.name = name
    this.module = module
    this.parts = Object.freeze([...parts])
    this.links = Object.freeze([...links])
    this.settings = Object.freeze({ ...settings })
    this.hooks = Object.freeze({ ...hooks })
    number(this, module)
  }

  /**
   * Adds a step: `map` gets the answer of the step before it, and returns its own. A step after several others has `join`, which gets
   * their answers by name; add it after them.
   */
  step<const Id extends string, In, Out = In, State = undefined>(
    id: Id,
    options: QuorumOptions<Answers<S>, In, Out, State, Params>,
  ): Flow<S & Record<Id, { in: Joined; out: Awaited<Out> }>, Entered, Left, Params>
  step<const Id extends string, In, Out = In, State = undefined>(
    id: Id,
    options: JoinOptions<Answers<S>, In, Out, State, Params>,
  ): Flow<S & Record<Id, { in: Joined; out: Awaited<Out> }>, Entered, Left, Params>
  step<const Id extends string, In = any, Out = In, State = undefined>(
    id: Id,
    options: StepOptions<In, Out, State, Params>,
  ): Flow<S & Record<Id, { in: In; out: Awaited<Out> }>, Entered, Left, Params>
  step(id: string, options: object): AnyFlow {
    return this.#with({ kind: 'step', id, options: { ...options } })
  }

  /** Adds a step after which a request goes through none, one or several other flows, side by side. */
  branch<
    const Id extends string,
    In,
    Branches extends Readonly<Record<string, AnyFlow>>,
    Out = BranchAnswers<Branches>,
    const OnNone extends 'continue' | 'fail' = 'continue',
  >(
    id: Id,
    options: BranchOptions<In, Branches, Out, Params> & { readonly onNone?: OnNone },
  ): Flow<S & Record<Id, { in: In; out: OnNone extends 'fail' ? Out : Out | In }>, Entered, Left, Params> {
    return this.#with({ kind: 'branch', id, options: { ...options } })
  }

  /** Adds a step that sends each of several items through another flow, side by side, and goes on with all answers. */
  forEach<
    const Id extends string,
    In,
    Each extends AnyFlow,
    const OnError extends ItemFailures = 'fail',
    Out = ItemAnswers<AnswerOf<Each>, OnError>,
  >(
    id: Id,
    options: ForEachOptions<In, Each, OnError, Out, Params>,
  ): Flow<S & Record<Id, { in: In; out: Out }>, Entered, Left, Params> {
    return this.#with({ kind: 'forEach', id, options: { ...options } })
  }

  /** Adds all steps of another flow as one. The same flow may be added more than once. */
  subflow<const Id extends string, Inner extends AnyFlow>(
    id: Id,
    inner: Inner,
  ): Flow<S & Record<Id, { in: InputOf<Inner>; out: AnswerOf<Inner> }>, Entered, Left, Params> {
    return this.#with({ kind: 'subflow', id, flow: inner })
  }

  /** Says that a step comes after another one, and gets its answer. */
  edge<From extends keyof S & string, To extends keyof S & string>(
    from: From,
    to: To,
    options: ChangingEdge<S[From]['out'], S[To]['in']>,
  ): Flow<S, Entered | To, Left | From, Params>
  edge<From extends keyof S & string, To extends keyof S & string>(
    from: From,
    to: To,
    options: OrderEdge,
  ): Flow<S, Entered | To, Left | From, Params>
  edge<From extends keyof S & string, To extends keyof S & string>(
    from: From,
    to: To & Fitting<S, From, To>,
  ): Flow<S, Entered | To, Left | From, Params>
  edge(from: string, to: string, options: object = {}): AnyFlow {
    const edge = Object.freeze({ ...options, from, to })
    return new Flow({ ...this.#data(), links: [...this.links, edge] }) as AnyFlow
  }

  /**
   * Gives an answer to whoever asked where a request fails or runs out of time: what it returns, or throws, is what they get. The
   * request's state stays what it is. Called once, in the thread of `runFlow`.
   */
  onFailure(
    answer: (error: Error, request: RequestView) => AnswerOf<this> | Promise<AnswerOf<this>>,
  ): Flow<S, Entered, Left, Params> {
    return new Flow({ ...this.#data(), hooks: { ...this.hooks, onFailure: answer } }) as AnyFlow
  }

  /** Is called once for each request, however it has ended, when nothing of it is left anywhere; in the thread of `runFlow`. */
  finally(clean: (request: RequestView) => void | Promise<void>): Flow<S, Entered, Left, Params> {
    return new Flow({ ...this.#data(), hooks: { ...this.hooks, finally: clean } }) as AnyFlow
  }

  /** All problems of the flow. Its graph may have others: `validate(flow)`. */
  get problems(): readonly FlowProblem[] {
    return (this.#problems ??= checkFlow(this))
  }

  /** The nodes of its graph. @throws FLOW_INVALID */
  get nodes(): readonly GraphNode[] {
    return this.#graph().nodes
  }

  get edges(): readonly GraphEdge[] {
    return this.#graph().edges
  }

  get clusters(): readonly GraphCluster[] {
    return this.#graph().clusters
  }

  /** Steps that can be undone. @internal */
  get undoable(): ReadonlySet<string> {
    return this.#graph().undoable
  }

  /** Nodes that make the answers of items. @internal */
  get itemEnds(): ReadonlyMap<string, string> {
    return this.#graph().itemEnds
  }

  #graph(): CompiledFlow {
    if (this.#compiled !== undefined) return this.#compiled
    const { problems } = this
    if (problems.length > 0) throw new MillraceError('FLOW_INVALID', { flow: this.name, problems })
    return (this.#compiled = compileFlow(this))
  }

  #with(part: FlowPart): AnyFlow {
    return new Flow({ ...this.#data(), parts: [...this.parts, Object.freeze(part)] }) as AnyFlow
  }

  #data(): FlowData & { readonly module: string | undefined } {
    const { name, module, parts, links, settings, hooks } = this
    return { name, module, parts, links, settings, hooks }
  }
}

/**
 * Starts a flow. `module` is the module that exports the finished flow: its `import.meta.url`, or its `__filename`. Each worker imports
 * that module again and finds its steps there.
 */
export function flow<Params = unknown>(
  name: string,
  module?: string | URL,
  settings: FlowSettings = {},
): Flow<{}, never, never, Params> {
  return new Flow({ name, module: moduleUrl(module), parts: [], links: [], settings, hooks: {} })
}
