import { MillraceError, errorText } from '../errors.ts'
import { wallMs } from '../time.ts'
import type { FlowHooks } from './data.ts'
import { type Deferred, deferred } from './deferred.ts'
import { type DoneStep, DoneSteps } from './done-steps.ts'
import { type ItemAnswer, CollectedItems } from './collected-items.ts'
import type { FlowRequest } from './flow-request.ts'
import type { GivenRequest, RequestOutcome, RequestRecord } from './request-record.ts'
import type { RequestState, RequestView } from './request-view.ts'
import type { Place } from './table.ts'

/** One request, as the thread that called `runFlow` keeps it. */
export class Request implements FlowRequest {
  readonly id: string
  readonly input: unknown
  readonly callback: string | undefined
  readonly #flow: string
  readonly #hooks: FlowHooks
  readonly #createdAt: number
  /** What a second request with the same id must have the same. */
  readonly hash: string | undefined
  /** The request that it repeats from where that failed. */
  readonly #replayOf: string | undefined
  /** What its steps did; undefined where the flow does not keep that. */
  readonly steps: DoneSteps | undefined
  /** Answers of its items; undefined where the flow does not keep its steps. */
  readonly itemAnswers: CollectedItems | undefined
  #startedAt: number | undefined
  #endedAt: number | undefined
  #state: RequestState = 'queued'
  #outcome: RequestOutcome | undefined
  /** Each is made when it is asked for: a thousand requests that have ended are kept, and few are waited for in both ways. */
  #answer: Deferred<unknown> | undefined
  #ended: Deferred<void> | undefined
  #listeners: Set<() => void> | undefined
  /** What `onFailure` of the flow makes of its failure. */
  #recovered: Promise<unknown> | undefined
  /** The same, as another process knows it. */
  #said: RequestOutcome | undefined
  #isOver = false
  /** Its line in the request table, while it is open and not queued. */
  place: Place | undefined
  isStopping = false
  /** A step was not called because the request was paused: what is left of it is to run again. */
  isCut = false
  /** Another process is to go on with it. */
  isLeaving = false
  /** Where it runs, if not here. */
  instance: string | undefined
  /** Resolves once the store keeps it. */
  saved: Promise<void> = Promise.resolve()
  /** Forgets its deadline and the caller's signal. */
  release: () => void = nothing

  constructor(
    { id, input, hash, createdAt = wallMs(), replayOf, callback }: GivenRequest,
    { flow, hooks, keepsSteps }: { flow: string; hooks: FlowHooks; keepsSteps: boolean },
  ) {
    this.id = id
    this.input = input
    this.hash = hash
    this.#replayOf = replayOf
    this.callback = callback
    this.#createdAt = createdAt
    this.#flow = flow
    this.#hooks = hooks
    if (keepsSteps) {
      this.steps = new DoneSteps()
      this.itemAnswers = new CollectedItems()
    }
  }

  get answer(): Promise<unknown> {
    if (this.#answer !== undefined) return this.#answer.promise
    this.#answer = deferred()
    // Whoever started it may only look at its state.
    this.#answer.promise.catch(nothing)
    this.#tellAnswer()
    return this.#answer.promise
  }

  get ended(): Promise<void> {
    if (this.#ended !== undefined) return this.#ended.promise
    this.#ended = deferred()
    if (this.#isOver) this.#ended.resolve()
    return this.#ended.promise
  }

  get state(): RequestState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#endedAt === undefined
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  /** What an earlier process knew of it. */
  restore(record: RequestRecord): void {
    const { state, outcome, isStopping = false } = record
    this.isStopping = isStopping
    this.follow({ ...record, state: outcome !== undefined || state === 'paused' ? state : 'queued' })
  }

  /** What another process knows of it. Its first outcome stands: it may have timed out here. */
  follow({ state, startedAt, endedAt, outcome, said }: RequestRecord): void {
    this.#startedAt = startedAt
    if (this.#outcome === undefined) {
      this.#state = state
      this.#outcome = outcome
      this.#said = said
      if (outcome !== undefined) this.release()
      this.#tellAnswer()
    }
    const isEnd = endedAt !== undefined && this.isOpen
    if (isEnd) this.#endedAt = endedAt
    this.#tell()
    if (isEnd) this.#finish()
  }

  /** All that another process has to know of it. */
  record(): RequestRecord {
    const { input, hash, state, isStopping, callback } = this
    const [createdAt, startedAt, endedAt, outcome] = [this.#createdAt, this.#startedAt, this.#endedAt, this.#outcome]
    const replayOf = this.#replayOf
    return { input, hash, state, createdAt, startedAt, endedAt, outcome, isStopping, replayOf, callback }
  }

  /** What `onFailure` of the flow makes of its failure; undefined where nothing does. */
  get said(): Promise<RequestOutcome> | undefined {
    return this.#recovered?.then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error: error instanceof Error ? error : new Error(errorText(error).message) }),
    )
  }

  start(place: Place): void {
    this.place = place
    this.#state = 'running'
    this.#startedAt ??= wallMs()
    this.#tell()
  }

  pause(): void {
    this.#state = 'paused'
    this.#tell()
  }

  /** Whatever it waits for: to be started, or for steps that run. */
  resume(): void {
    this.#state = this.place === undefined ? 'queued' : 'running'
    this.#tell()
  }

  /** An item has its answer, and no step tells of it. */
  answeredItem(forEach: string, path: string, answer: unknown): void {
    this.itemAnswers?.add(forEach, path, answer)
    this.#tell()
  }

  /** A step has answered or failed. @returns by what it is known */
  did(step: DoneStep): string {
    const key = this.steps!.add(step)
    this.#tell()
    return key
  }

  succeed(answer: unknown): void {
    if (this.#settle('succeeded', { answer })) this.#tellAnswer()
  }

  fail(state: 'failed' | 'stopped' | 'timedOut', error: Error): void {
    if (!this.#settle(state, { error })) return
    const { onFailure } = this.#hooks
    if (onFailure !== undefined && state !== 'stopped') {
      this.#recovered = (async () => onFailure(error, this.view()))()
      this.#recovered.catch(nothing)
    }
    this.#tellAnswer()
  }

  /** It is not run, or not followed any more. */
  refuse(error: Error): void {
    this.fail('failed', error)
    if (this.isOpen) this.end()
  }

  end(): void {
    this.place = undefined
    this.#endedAt = wallMs()
    this.#tell()
    const clean = this.#hooks.finally
    if (clean === undefined) return this.#finish()
    void (async () => clean(this.view()))()
      .catch((error: unknown) => this.#warn(error))
      .then(() => this.#finish())
  }

  /** Resolves once it has ended, or is paused. */
  rests(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.isPaused) resolve()
      }
      this.watch(look)
      look()
      void this.ended.then(resolve)
    })
  }

  async *items(): AsyncGenerator<ItemAnswer, void> {
    if (this.itemAnswers === undefined) throw new MillraceError('STEPS_NOT_KEPT', { flow: this.#flow })
    let seen = 0
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        const forget = this.watch(() => {
          forget()
          resolve()
        })
      })
      const isOver = !this.isOpen
      for (const answer of this.itemAnswers.since(seen)) {
        seen++
        yield answer
      }
      if (isOver) return
      await changed
    }
  }

  view(): RequestView {
    const { id, state } = this
    const times = {
      createdAt: this.#createdAt,
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt }),
      ...(this.#endedAt === undefined ? {} : { endedAt: this.#endedAt }),
    }
    const steps = this.steps === undefined ? {} : { steps: this.steps.views() }
    const replay = this.#replayOf === undefined ? {} : { replayOf: this.#replayOf }
    const instance = this.instance === undefined ? {} : { instance: this.instance }
    return { id, flow: this.#flow, state, ...times, ...replay, ...instance, ...this.#outcome, ...steps }
  }

  watch(listener: () => void): () => void {
    const listeners = (this.#listeners ??= new Set())
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** Nothing where it has none yet, or nobody has asked for it. */
  #tellAnswer(): void {
    if (this.#answer === undefined || this.#outcome === undefined) return
    const outcome = this.#said ?? this.#outcome
    if (this.#recovered !== undefined) this.#answer.resolve(this.#recovered)
    else if ('answer' in outcome) this.#answer.resolve(outcome.answer)
    else this.#answer.reject(outcome.error)
  }

  #finish(): void {
    this.#isOver = true
    this.#ended?.resolve()
  }

  /** The first outcome is the request's. */
  #settle(state: RequestState, outcome: RequestOutcome): boolean {
    if (this.#outcome !== undefined) return false
    this.#outcome = outcome
    this.#state = state
    this.release()
    this.#tell()
    return true
  }

  /** It has ended all the same: nobody else would learn of this. */
  #warn(error: unknown): void {
    process.emitWarning(
      `\`finally\` of a request of ${this.#flow} failed: ${errorText(error).message}`,
      'MillraceWarning',
    )
  }

  #tell(): void {
    if (this.#listeners !== undefined) for (const listener of this.#listeners) listener()
  }
}

function nothing(): void {
  // Nothing to do.
}
