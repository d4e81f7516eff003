import type { RunContext, TransformOptions } from '../graph/types.ts'

/** What the compiler knows of a step: what it takes, and its answer. A step with `join` takes `Joined`. */
export interface StepTypes {
  readonly in: unknown
  readonly out: unknown
}

/** What a step's handlers get beside their input. One object per call. */
export interface StepContext<State = undefined, Params = unknown> extends RunContext<Params> {
  /** Id of the request. */
  readonly request: string
  /** Name of the step, with those of the flows around it: `each.resize`. */
  readonly step: string
  /** Of a step inside `forEach`, the index of the item, one for each `forEach` around it; otherwise empty. */
  readonly path: readonly number[]
  /** 1 at the first call; one more after each failure, time-out or crash. */
  readonly attempt: number
  /** Stable id of this call, the same at every attempt, also after a pause or the end of the process: side effects can be deduped by it. */
  readonly id: string
  /** Aborted if the request is stopped or runs out of time, if the step's `timeoutMs` passes, or if the pipeline stops. */
  readonly signal: AbortSignal
  /** What `setup` returned in this worker. */
  readonly state: State
}

/** Why a step failed, after its last attempt. */
export interface StepFault {
  readonly step: string
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string
  readonly attempts: number
}

type OfFlows =
  | 'map'
  | 'flatMap'
  | 'filter'
  | 'mapBatch'
  | 'batch'
  | 'partitionBy'
  | 'dispatch'
  | 'selectivity'
  | 'ordered'
  | 'stashBytes'
  | 'cluster'

/** Options of every part of a flow: those of a stage, but for what the flow itself decides. */
type PartOptions<State, Params> = Omit<TransformOptions<never, never, State, Params>, OfFlows>

/** A step. */
export interface StepOptions<In, Out, State, Params>
  extends PartOptions<State, Params>, Undoable<Awaited<Out>, Params> {
  readonly map: (input: In, context: StepContext<State, Params>) => Out | Promise<Out>
  /** Called when `map` has failed at its last attempt: what it returns is the answer; what it throws is the failure. */
  readonly onFailure?: (
    fault: StepFault,
    input: NoInfer<In>,
    context: StepContext<undefined, Params>,
  ) => NoInfer<Out> | Promise<NoInfer<Out>>
}

/** How what a step did is undone. */
interface Undoable<Out, Params> {
  /**
   * Called with the step's answer if the request fails, runs out of time or is stopped after it, once nothing of the request runs any
   * more; the last step first, one at a time. It is called again if it fails or its worker crashes, so it may undo twice.
   */
  readonly undo?: (answer: NoInfer<Out>, context: StepContext<undefined, Params>) => unknown
}

/** A step with several steps before it that needs not all of their answers. */
export interface QuorumOptions<Answers, In, Out, State, Params> extends JoinOptions<
  Partial<Answers>,
  In,
  Out,
  State,
  Params
> {
  /** So many answers are enough; 1 is a race. What makes the others is cancelled: its `signal` aborts, and its next steps are not called. */
  readonly quorum: number
}

/** A step with several steps before it. */
export interface JoinOptions<Answers, In, Out, State, Params>
  extends PartOptions<State, Params>, Undoable<Awaited<Out>, Params> {
  /** Makes the input of `map` of the answers of the steps before it, by name. */
  readonly join: (answers: Answers) => In
  /** Left out, the joined value is the answer. */
  readonly map?: (input: In, context: StepContext<State, Params>) => Out | Promise<Out>
}

/** What a step with `join` takes: whatever the steps before it answer. */
export interface Joined {
  readonly takesAnswersByName: true
}

/** An edge that changes what goes over it, for this step alone. */
export interface ChangingEdge<From, To> {
  readonly map: (answer: From) => To
}

/** An edge over which nothing goes: the next step starts after this one. */
export interface OrderEdge {
  readonly data: false
}

/** What the branches of a `branch` answer, by name: those that were taken. */
export type BranchAnswers<Branches> = { readonly [Name in keyof Branches]?: AnswerOf<Branches[Name]> }

/** The input of a flow, and its answer. */
export type InputOf<F> = F extends { readonly accepts: (input: infer In) => void } ? In : never
export type AnswerOf<F> = F extends { readonly answers: infer Out } ? Out : never

/** Flows of which a request takes none, one or several. */
export interface BranchOptions<In, Branches, Out, Params> extends PartOptions<undefined, Params> {
  /** Names the branches to take: one, or a list. None: the request goes on with the input. */
  readonly when: (
    input: In,
    context: StepContext<undefined, Params>,
  ) => Chosen<keyof Branches & string> | Promise<Chosen<keyof Branches & string>>
  readonly branches: Branches
  /** Makes the answer of those of the branches. Default: the object of them. */
  readonly join?: (answers: BranchAnswers<Branches>) => Out
  /** `continue` (default): the input is the answer if no branch is taken. `fail`: the request fails. */
  readonly onNone?: 'continue' | 'fail'
}

type Chosen<Name extends string> = Name | readonly Name[] | undefined

/** What one item came to, with `onError: 'collect'`. */
export type ItemOutcome<Answer> =
  | { readonly answer: Answer; readonly fault?: undefined }
  | { readonly fault: StepFault; readonly answer?: undefined }

/** A flow for each of several items. */
export interface ForEachOptions<In, Each, OnError, Out, Params> extends PartOptions<undefined, Params> {
  /** The items of an input, at most `maxItems`. */
  readonly items: (
    input: In,
    context: StepContext<undefined, Params>,
  ) =>
    | Iterable<InputOf<Each>>
    | AsyncIterable<InputOf<Each>>
    | Promise<Iterable<InputOf<Each>> | AsyncIterable<InputOf<Each>>>
  readonly each: Each
  /** Makes the answer of those of the items, which are in the order of the items. Default: the array of them. */
  readonly join?: (answers: ItemAnswers<AnswerOf<Each>, OnError>) => Out
  /**
   * `fail` (default): the first item that fails is the request's failure, once the others have ended. `collect`: each answer is
   * `{ answer }` or `{ fault }`. `skip`: failed items are left out.
   */
  readonly onError?: OnError
  /** More items fail the request (`ITEMS_TOO_MANY`). Default: 1,000. */
  readonly maxItems?: number
}

export type ItemAnswers<Answer, OnError> = OnError extends 'collect'
  ? readonly ItemOutcome<Answer>[]
  : readonly Answer[]
