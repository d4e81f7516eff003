import { randomUUID } from 'node:crypto'
import { MillraceError } from '../errors.ts'
import { within } from '../running-time.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { monotonicMs } from '../time.ts'
import type { Archive } from './archive.ts'
import { RequestBooks } from './request-books.ts'
import type { FlowHooks } from './data.ts'
import { KnownRequests } from './known-requests.ts'
import type { FlowRequest } from './flow-request.ts'
import type { Request } from './request.ts'
import { abort, limit } from './request-limits.ts'
import { type RequestOptions, checkRequest } from './request-options.ts'
import { RequestRuns } from './request-runs.ts'
import { storeError } from './told.ts'
import type { RequestState, RequestView } from './request-view.ts'
import type { RequestTable } from './table.ts'

/** What `runFlow` has made of its options. */
interface RunningFlowSettings {
  readonly table: RequestTable
  readonly maxRequests: number
  readonly keepRequests: number
  readonly keepMs: number
  readonly keepBytes: number
  readonly deadlineMs: number
  readonly hooks: FlowHooks
  readonly keepsSteps: boolean
  readonly undoable: ReadonlySet<string>
  readonly itemEnds: ReadonlyMap<string, string>
  readonly archive: Archive | undefined
}

/** A flow that takes requests. */
export class RunningFlow<Input = unknown, Answer = unknown> implements AsyncDisposable {
  /** What runs it: events, snapshots, dead letters, the control API. */
  readonly pipeline: Pipeline
  readonly #settings: RunningFlowSettings
  readonly #archive: Archive | undefined
  readonly #requests: KnownRequests
  readonly #books: RequestBooks
  readonly #runs: RequestRuns
  #isClosed = false

  /** @internal */
  constructor(pipeline: Pipeline, settings: RunningFlowSettings) {
    const { archive } = settings
    this.pipeline = pipeline
    this.#settings = settings
    this.#archive = archive
    this.#requests = new KnownRequests(settings, (id) => archive?.forget(id))
    const shared = { ...settings, known: this.#requests, hold: undefined }
    this.#books = new RequestBooks(pipeline, shared)
    this.#runs = new RequestRuns(pipeline, { ...shared, books: this.#books }, () => (this.#isClosed = true))
  }

  /**
   * Takes up what an earlier process has left in the store: open requests go on where they were.
   * @internal
   */
  async recover(): Promise<void> {
    const found = (await this.#archive?.load()) ?? []
    const open = found.map((each) => this.#books.restore(each)).filter(({ isOpen }) => isOpen)
    for (const request of open) this.#runs.goOn(request)
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

  /** The same at once, with the request to follow. Throws only OPTIONS_INVALID and KEY_REUSED: all else is in its `answer`. */
  start(input: Input, options: RequestOptions = {}): FlowRequest<Answer> {
    return this.#ask(input, options)
  }

  /**
   * Asks once more what a request that has ended has asked, from where it failed: steps that have answered, and were not undone, are
   * not called again. @throws REQUEST_UNKNOWN, REQUEST_OPEN, STEPS_NOT_KEPT, OPTIONS_INVALID
   */
  replay(id: string, options: Omit<RequestOptions, 'hash'> = {}): FlowRequest<Answer> {
    const before = this.#requests.get(id)
    if (before === undefined) throw new MillraceError('REQUEST_UNKNOWN', { request: id })
    if (!this.#settings.keepsSteps) throw new MillraceError('STEPS_NOT_KEPT', { flow: this.name })
    if (before.isOpen) throw new MillraceError('REQUEST_OPEN', { request: id, state: before.state })
    return this.#ask(before.input, { ...options, hash: `replay of ${id}` }, before)
  }

  /** @param before a request that it repeats */
  #ask(
    input: unknown,
    { id = randomUUID(), timeoutMs, signal, hash, callback }: RequestOptions,
    before?: Request,
  ): FlowRequest<Answer> {
    checkRequest(id, timeoutMs, signal)
    const known = this.#requests.get(id)
    if (known !== undefined) {
      if (known.hash === hash || known.hash === undefined || hash === undefined) return known as FlowRequest<Answer>
      throw new MillraceError('KEY_REUSED', { key: id })
    }
    const request = this.#books.make({ id, input, hash, callback, replayOf: before?.id })
    const reason = this.#archive?.failure
    if (signal?.aborted === true) {
      abort(request, signal)
      this.#runs.stop(request)
    } else if (reason !== undefined) this.#books.refuse(request, storeError(reason))
    else if (this.#isClosed || this.pipeline.state !== 'running') this.#books.refuse(request)
    else if (this.#books.isSaved(request)) {
      for (const step of before?.steps?.done() ?? []) this.#books.did(request, step)
      limit(request, { timeoutMs, signal }, () => this.#runs.stop(request))
      this.#runs.add(request)
    }
    return request as FlowRequest<Answer>
  }

  /** A request that is open, or among the last ones that have ended; undefined where it is neither. */
  get(id: string): FlowRequest<Answer> | undefined {
    return this.#requests.get(id) as FlowRequest<Answer> | undefined
  }

  /** Requests that have not ended, and those of them that are queued. */
  get open(): number {
    return this.#requests.open
  }

  get queued(): number {
    return this.#runs.queued
  }

  /** Requests that are known, newest first. */
  list({ state, limit = 100 }: { readonly state?: RequestState; readonly limit?: number } = {}): RequestView[] {
    return this.#requests.list(state, limit).map((request) => request.view())
  }

  /**
   * Pauses a request: no step of it is called from now on, those that run go on to their ends, and what they answer is kept. Its
   * `timeoutMs` goes on. One that is paused stays so. @throws REQUEST_UNKNOWN, REQUEST_ENDED, STEPS_NOT_KEPT
   */
  async pause(id: string): Promise<void> {
    const request = this.#changeable(id)
    if (request.isPaused) return
    this.#runs.pause(request)
    await this.#books.save(request)
  }

  /** Lets a paused request go on where it was; another one goes on as it does. @throws as `pause`; FLOW_STORE_UNUSABLE */
  async resume(id: string): Promise<void> {
    const request = this.#changeable(id)
    if (!request.isPaused) return
    this.#runs.resume(request)
    await this.#books.save(request)
  }

  /** @throws REQUEST_UNKNOWN, REQUEST_ENDED, STEPS_NOT_KEPT */
  #changeable(id: string): Request {
    const request = this.#requests.get(id)
    if (request === undefined) throw new MillraceError('REQUEST_UNKNOWN', { request: id })
    if (!this.#settings.keepsSteps) throw new MillraceError('STEPS_NOT_KEPT', { flow: this.name })
    if (request.isSettled || request.isStopping || !request.isOpen)
      throw new MillraceError('REQUEST_ENDED', { request: id, state: request.state })
    return request
  }

  /**
   * Stops a request: no further step of it is called, the signals of open calls abort, and its answer rejects with REQUEST_STOPPED.
   * Resolves when nothing of it is left anywhere; at once for one that has ended. @throws REQUEST_UNKNOWN
   */
  async stop(id: string): Promise<void> {
    const request = this.#requests.get(id)
    if (request === undefined) throw new MillraceError('REQUEST_UNKNOWN', { request: id })
    this.#runs.stop(request)
    await request.ended
    await request.saved
  }

  /**
   * Takes no more requests, answers those that were asked, and ends the pipeline; after the deadline (default: `deadlineMs` of the run)
   * it is stopped. @throws OPTIONS_INVALID; what stopped the pipeline
   */
  async drain({ deadlineMs = this.#settings.deadlineMs }: { readonly deadlineMs?: number } = {}): Promise<Report> {
    this.#isClosed = true
    const startedAt = monotonicMs()
    // What waits here is not in the pipeline yet, nor is what is to be undone. A deadline that is none is refused below.
    if (deadlineMs > 0) await within(deadlineMs, this.#books.rest())
    const left = deadlineMs > 0 ? Math.max(0, deadlineMs - (monotonicMs() - startedAt)) : deadlineMs
    const report = await this.pipeline.drain({ deadlineMs: left })
    await this.#archive?.close()
    return report
  }

  /** Drains, as `await using` expects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain().catch(() => undefined)
  }
}
