import { errorText } from '../errors.ts'
import { wallMs } from '../time.ts'
import type { FlowHooks } from './data.ts'
import type { RequestState, RequestView } from './request-view.ts'
import type { Place } from './table.ts'

/** A request of a flow. */
export interface FlowRequest<Answer = unknown> {
  readonly id: string
  /** True until nothing of it is left anywhere: no step of it runs, and none will. */
  readonly isOpen: boolean
  readonly state: RequestState
  /** The answer of the last step. @throws REQUEST_FAILED, REQUEST_STOPPED, REQUEST_TIMED_OUT, what ended the pipeline */
  readonly answer: Promise<Answer>
  /** Resolves when nothing of it is left anywhere, and `finally` of the flow is over. Never rejects. */
  readonly ended: Promise<void>
  view(): RequestView
  /** Calls `listener` at each change of the state, and at the end. @returns what ends that */
  watch(listener: () => void): () => void
}

/** One request, as the thread that called `runFlow` keeps it. */
export class Request implements FlowRequest {
  readonly id: string
  readonly answer: Promise<unknown>
  readonly ended: Promise<void>
  readonly input: unknown
  readonly #flow: string
  readonly #hooks: FlowHooks
  readonly #createdAt = wallMs()
  #startedAt: number | undefined
  #endedAt: number | undefined
  #state: RequestState = 'queued'
  #outcome: { readonly answer: unknown } | { readonly error: Error } | undefined
  #resolve!: (answer: unknown) => void
  #reject!: (error: Error) => void
  #end!: () => void
  readonly #listeners = new Set<() => void>()
  /** Its line in the request table, while it is open and not queued. */
  place: Place | undefined
  isStopping = false
  /** Forgets its deadline and the caller's signal. */
  release: () => void = nothing

  constructor(id: string, flow: string, input: unknown, hooks: FlowHooks) {
    this.id = id
    this.input = input
    this.#flow = flow
    this.#hooks = hooks
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever started it may only look at its state.
    this.answer.catch(nothing)
    this.ended = new Promise((resolve) => (this.#end = resolve))
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

  start(place: Place): void {
    this.place = place
    this.#state = 'running'
    this.#startedAt = wallMs()
    this.#tell()
  }

  succeed(answer: unknown): void {
    if (this.#settle('succeeded', { answer })) this.#resolve(answer)
  }

  fail(state: 'failed' | 'stopped' | 'timedOut', error: Error): void {
    if (!this.#settle(state, { error })) return
    const { onFailure } = this.#hooks
    if (onFailure === undefined || state === 'stopped') return this.#reject(error)
    void (async () => onFailure(error, this.view()))().then(this.#resolve, this.#reject)
  }

  end(): void {
    this.place = undefined
    this.#endedAt = wallMs()
    this.#tell()
    const clean = this.#hooks.finally
    if (clean === undefined) return this.#end()
    void (async () => clean(this.view()))()
      .catch((error: unknown) => this.#warn(error))
      .then(this.#end)
  }

  view(): RequestView {
    const { id, state } = this
    const times = {
      createdAt: this.#createdAt,
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt }),
      ...(this.#endedAt === undefined ? {} : { endedAt: this.#endedAt }),
    }
    return { id, flow: this.#flow, state, ...times, ...this.#outcome }
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The first outcome is the request's. */
  #settle(state: RequestState, outcome: { readonly answer: unknown } | { readonly error: Error }): boolean {
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
    for (const listener of this.#listeners) listener()
  }
}

function nothing(): void {
  // Nothing to do.
}
