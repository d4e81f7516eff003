import { randomUUID } from 'node:crypto'
import { MillraceError } from '../errors.ts'
import { within } from '../running-time.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Report } from '../supervisor/report.ts'
import { clearTimeout, monotonicMs, setTimeout } from '../time.ts'
import type { Receipt } from '../worker/source/push.ts'
import type { Archive } from './archive.ts'
import { RequestBooks } from './request-books.ts'
import type { FlowHooks } from './data.ts'
import { KnownRequests } from './known-requests.ts'
import { Places } from './places.ts'
import type { FlowRequest, Request } from './request.ts'
import { type RequestOptions, checkRequest } from './request-options.ts'
import { storeError, takeAnswers, takeNotes } from './told.ts'
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
  readonly #table: RequestTable
  readonly #archive: Archive | undefined
  readonly #places: Places
  readonly #requests: KnownRequests
  readonly #books: RequestBooks
  readonly #queue = new Set<Request>()
  #isClosed = false

  /** @internal */
  constructor(pipeline: Pipeline, settings: RunningFlowSettings) {
    const { table, maxRequests, keepsSteps, archive } = settings
    this.pipeline = pipeline
    this.#settings = settings
    this.#table = table
    this.#archive = archive
    this.#requests = new KnownRequests(settings, (id) => archive?.forget(id))
    this.#books = new RequestBooks(pipeline, { ...settings, known: this.#requests })
    this.#places = new Places(table, maxRequests)
    void takeAnswers(pipeline, this.#places)
    if (keepsSteps) void takeNotes(pipeline, this.#places, this.#books)
    const close = (): void => this.#close()
    pipeline.finished.then(close, close)
  }

  /**
   * Takes up what an earlier process has left in the store: open requests go on where they were.
   * @internal
   */
  async recover(): Promise<void> {
    for (const request of await this.#books.load()) {
      if (request.isSettled) void this.#books.end(request)
      else if (request.isStopping) this.#books.finish(request, undefined)
      else if (!request.isPaused) this.#queue.add(request)
    }
    this.#admit()
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
    if (signal?.aborted === true) this.#abort(request, signal)
    else if (reason !== undefined) this.#books.refuse(request, storeError(reason))
    else if (this.#isClosed || this.pipeline.state !== 'running') this.#books.refuse(request)
    else if (this.#books.isSaved(request)) {
      for (const step of before?.steps?.done() ?? []) this.#books.did(request, step)
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
    return this.#requests.open
  }

  get queued(): number {
    return this.#queue.size
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
    if (request.place === undefined) this.#queue.delete(request)
    else this.#table.pause(request.place)
    request.pause()
    await this.#books.save(request)
  }

  /** Lets a paused request go on where it was; another one goes on as it does. @throws as `pause`; FLOW_STORE_UNUSABLE */
  async resume(id: string): Promise<void> {
    const request = this.#changeable(id)
    if (!request.isPaused) return
    request.resume()
    if (request.place === undefined) this.#queue.add(request)
    else this.#table.resume(request.place)
    this.#admit()
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
    this.#stop(request)
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

  #admit(): void {
    if (this.pipeline.state !== 'running') return this.#close()
    for (const request of this.#queue) {
      const place = this.#places.take(request)
      if (place === undefined) return
      this.#queue.delete(request)
      request.start(place)
      void this.#push(request)
    }
  }

  /** Resolves when nothing of the request is left in the pipeline. */
  async #push(request: Request): Promise<void> {
    const { id, input, steps } = request
    const { at, turn } = request.place!
    const memos = steps?.memos() ?? []
    let reason: unknown
    try {
      const parcel = { request: id, at, turn, path: '', from: 'request', value: input }
      const receipt: Receipt = await this.pipeline.push('request', memos.length === 0 ? parcel : { ...parcel, memos })
      await receipt.done
    } catch (error) {
      reason = error
    }
    this.#places.leave({ at, turn })
    if (reason === undefined && request.isCut && !request.isStopping && !request.isSettled) this.#cut(request)
    else this.#books.finish(request, reason)
    this.#admit()
  }

  /** It was paused, and is to go on where it was: at once if it was resumed meanwhile. */
  #cut(request: Request): void {
    request.isCut = false
    request.place = undefined
    if (request.isPaused) return
    request.resume()
    this.#queue.add(request)
  }

  #watch(request: Request, timeoutMs: number | undefined, signal: AbortSignal | undefined): void {
    if (timeoutMs === undefined && signal === undefined) return
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
    if (request.place !== undefined) {
      this.#table.stop(request.place)
      // Whoever is killed before it has ended leaves a stopped request behind, not an open one.
      void this.#books.save(request)
      return
    }
    this.#queue.delete(request)
    this.#books.finish(request, undefined)
  }

  /** The pipeline has ended: what still waits is never run. */
  #close(): void {
    this.#isClosed = true
    for (const request of this.#requests.all())
      if (this.#queue.has(request) || (request.isPaused && request.place === undefined)) this.#books.refuse(request)
    this.#queue.clear()
  }
}
