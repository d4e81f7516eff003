import { randomUUID } from 'node:crypto'
import { MillraceError, errorOf, isMillraceError } from '../errors.ts'
import { within } from '../running-time.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { MAX_TIMER_MS, clearTimeout, monotonicMs, setTimeout } from '../time.ts'
import type { Receipt } from '../worker/source/push.ts'
import { type Arrival, parcelOf } from './parcel.ts'
import type { FlowHooks } from './data.ts'
import { type FlowRequest, Request } from './request.ts'
import type { RequestState, RequestView } from './request-view.ts'
import type { RequestTable } from './table.ts'
import type { StepFault } from './types.ts'

/** How one request is run. */
export interface RequestOptions {
  /** Default: a random one. With the id of a request that is still known, that request is the result, and nothing runs. */
  readonly id?: string
  /** The request fails with `REQUEST_TIMED_OUT` after this time, and what is left of it is stopped. Default: no limit. */
  readonly timeoutMs?: number
  /** Stops the request when it aborts: its answer rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** What `runFlow` has made of its options. */
interface RunningFlowSettings {
  readonly table: RequestTable
  readonly maxRequests: number
  readonly keepRequests: number
  readonly deadlineMs: number
  readonly hooks: FlowHooks
}

/** A flow that takes requests. */
export class RunningFlow<Input = unknown, Answer = unknown> implements AsyncDisposable {
  /** What runs it: events, snapshots, dead letters, the control API. */
  readonly pipeline: Pipeline
  readonly #table: RequestTable
  readonly #kept: number
  readonly #deadlineMs: number
  readonly #hooks: FlowHooks
  /** Free lines of the request table. */
  readonly #free: number[]
  /** Open requests, and the last ones that have ended, by id; oldest first. */
  readonly #requests = new Map<string, Request>()
  readonly #queue = new Set<Request>()
  readonly #ended: string[] = []
  readonly #byPlace: (Request | undefined)[]
  #isClosed = false

  /** @internal */
  constructor(pipeline: Pipeline, { table, maxRequests, keepRequests, deadlineMs, hooks }: RunningFlowSettings) {
    this.pipeline = pipeline
    this.#table = table
    this.#kept = keepRequests
    this.#deadlineMs = deadlineMs
    this.#hooks = hooks
    this.#free = Array.from({ length: maxRequests }, (_, i) => maxRequests - 1 - i)
    this.#byPlace = new Array<Request | undefined>(maxRequests).fill(undefined)
    void this.#read()
    const close = (): void => this.#close()
    pipeline.finished.then(close, close)
  }

  get name(): string {
    return this.pipeline.name
  }

  /**
   * Runs a request, and resolves to the answer of the last step.
   * @throws REQUEST_FAILED (its `cause` is the step's error), REQUEST_STOPPED, REQUEST_TIMED_OUT, PIPELINE_NOT_RUNNING; the signal's
   * reason; OPTIONS_INVALID
   */
  async execute(input: Input, options: RequestOptions = {}): Promise<Answer> {
    return this.start(input, options).answer
  }

  /** The same at once, with the request to follow. Throws only OPTIONS_INVALID: all else is in its `answer`. */
  start(input: Input, { id = randomUUID(), timeoutMs, signal }: RequestOptions = {}): FlowRequest<Answer> {
    check(id, timeoutMs, signal)
    const known = this.#requests.get(id)
    if (known !== undefined) return known as FlowRequest<Answer>
    const request = new Request(id, this.name, input, this.#hooks)
    this.#requests.set(id, request)
    if (signal?.aborted === true) this.#abort(request, signal)
    else if (this.#isClosed || this.pipeline.state !== 'running') this.#refuse(request)
    else {
      this.#watch(request, timeoutMs, signal)
      this.#queue.add(request)
      this.#admit()
    }
    return request as FlowRequest<Answer>
  }

  /** A request that is open, or among the last ones that have ended; undefined where it is neither. */
  get(id: string): FlowRequest<Answer> | undefined {
    return this.#requests.get(id) as FlowRequest<Answer> | undefined
  }

  /** Requests that have not ended, and those of them that are queued. */
  get open(): number {
    return this.#requests.size - this.#ended.length
  }

  get queued(): number {
    return this.#queue.size
  }

  /** Requests that are known, newest first. */
  list({ state, limit = 100 }: { readonly state?: RequestState; readonly limit?: number } = {}): RequestView[] {
    const all = [...this.#requests.values()].toReversed()
    return all
      .filter((request) => state === undefined || request.state === state)
      .slice(0, limit)
      .map((request) => request.view())
  }

  /**
   * Stops a request: no further step of it is called, the signals of open calls abort, and its answer rejects with REQUEST_STOPPED.
   * Resolves when nothing of it is left anywhere; at once for one that has ended. @throws REQUEST_UNKNOWN
   */
  async stop(id: string): Promise<void> {
    const request = this.#requests.get(id)
    if (request === undefined) throw new MillraceError('REQUEST_UNKNOWN', { request: id })
    this.#stop(request)
    await request.ended
    request.fail('stopped', new MillraceError('REQUEST_STOPPED', { request: id }))
  }

  /**
   * Takes no more requests, answers those that were asked, and ends the pipeline; after the deadline (default: `deadlineMs` of the run)
   * it is stopped. @throws OPTIONS_INVALID; what stopped the pipeline
   */
  async drain({ deadlineMs = this.#deadlineMs }: { readonly deadlineMs?: number } = {}): Promise<Report> {
    this.#isClosed = true
    const startedAt = monotonicMs()
    // What waits here is not in the pipeline yet: it goes first. A deadline that is none is refused below.
    if (deadlineMs > 0) await within(deadlineMs, this.#taken())
    const left = deadlineMs > 0 ? Math.max(0, deadlineMs - (monotonicMs() - startedAt)) : deadlineMs
    return this.pipeline.drain({ deadlineMs: left })
  }

  /** Drains, as `await using` expects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain().catch(() => undefined)
  }

  /** Resolves when no request is queued. */
  async #taken(): Promise<void> {
    while (this.#queue.size > 0 && this.pipeline.state === 'running')
      await Promise.race(this.#byPlace.flatMap((request) => request?.ended ?? []))
  }

  #admit(): void {
    if (this.pipeline.state !== 'running') return this.#close()
    for (const request of this.#queue) {
      const at = this.#free.pop()
      if (at === undefined) return
      this.#queue.delete(request)
      this.#byPlace[at] = request
      request.start(this.#table.open(at))
      void this.#push(request)
    }
  }

  /** Resolves when nothing of the request is left anywhere. */
  async #push(request: Request): Promise<void> {
    const { id, input } = request
    const { at, turn } = request.place!
    let reason: unknown
    try {
      const parcel = { request: id, at, turn, path: '', from: 'request', value: input }
      const receipt: Receipt = await this.pipeline.push('request', parcel)
      await receipt.done
    } catch (error) {
      reason = error
    }
    this.#byPlace[at] = undefined
    this.#table.close({ at, turn })
    this.#free.push(at)
    this.#finish(request, reason)
    this.#admit()
  }

  /** Nothing of it is left. @param reason why the pipeline has lost it, if it has */
  #finish(request: Request, reason: unknown): void {
    const { id } = request
    if (request.isStopping) request.fail('stopped', new MillraceError('REQUEST_STOPPED', { request: id }))
    else if (isMillraceError(reason) && reason.code === 'PIPELINE_NOT_RUNNING') request.fail('failed', reason)
    else request.fail('failed', new MillraceError('REQUEST_FAILED', { request: id }, { cause: reason }))
    this.#keep(request)
  }

  /** It has ended: the oldest ones are forgotten. */
  #keep(request: Request): void {
    request.end()
    this.#ended.push(request.id)
    while (this.#ended.length > this.#kept) this.#requests.delete(this.#ended.shift()!)
  }

  /** Takes the answers of the last step. */
  async #read(): Promise<void> {
    for await (const arrival of this.pipeline.output('answer')) {
      const { request: id, at, value, fault } = parcelOf(arrival as Arrival)
      const request = this.#byPlace[at]
      // A step that was called again after a crash cannot answer twice; a stopped request has no answer.
      if (request === undefined || request.id !== id || request.isStopping) continue
      if (fault === undefined) request.succeed(value)
      else {
        const cause = causeOf(fault)
        const detail = { request: id, step: fault.step, reason: cause.message }
        request.fail('failed', new MillraceError('REQUEST_FAILED', detail, { cause }))
      }
    }
  }

  #watch(request: Request, timeoutMs: number | undefined, signal: AbortSignal | undefined): void {
    const late = (): void => {
      request.fail('timedOut', new MillraceError('REQUEST_TIMED_OUT', { request: request.id, timeoutMs }))
      this.#stop(request)
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
    const aborted = (): void => this.#abort(request, signal!)
    signal?.addEventListener('abort', aborted, { once: true })
    request.release = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
  }

  #abort(request: Request, { reason }: AbortSignal): void {
    const error =
      reason instanceof Error ? reason : new MillraceError('REQUEST_STOPPED', { request: request.id, reason })
    request.fail('stopped', error)
    this.#stop(request)
  }

  #stop(request: Request): void {
    if (!request.isOpen || request.isStopping) return
    request.isStopping = true
    if (request.place !== undefined) return this.#table.stop(request.place)
    this.#queue.delete(request)
    this.#finish(request, undefined)
  }

  #refuse(request: Request): void {
    request.fail('failed', new MillraceError('PIPELINE_NOT_RUNNING', { node: 'request' }))
    this.#keep(request)
  }

  /** The pipeline has ended: what still waits is never run. */
  #close(): void {
    this.#isClosed = true
    for (const request of this.#queue) this.#refuse(request)
    this.#queue.clear()
  }
}

/** The error of the step that failed. */
function causeOf({ step, code, ...rest }: StepFault): Error {
  if (code === 'ANSWER_TOO_LARGE') return new MillraceError(code, { step })
  return errorOf({ ...rest, ...(code === undefined ? {} : { code }) })
}

function check(id: unknown, timeoutMs: unknown, signal: unknown): void {
  const problems: { code: string; message: string; fix: string }[] = []
  const wrong = (option: string, must: string): void => {
    problems.push({ code: 'OPTION_TYPE_WRONG', message: `\`${option}\` must be ${must}.`, fix: 'Correct it.' })
  }
  if (typeof id !== 'string' || id === '' || id.length > 200) wrong('id', 'a text of 1 to 200 characters')
  const isTime =
    timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= MAX_TIMER_MS)
  if (!isTime) wrong('timeoutMs', 'a number of ms above 0, at most 2,147,483,647')
  if (signal !== undefined && !(signal instanceof AbortSignal)) wrong('signal', 'an AbortSignal')
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
}
