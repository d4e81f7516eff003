import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../errors.ts'
import type { GraphData } from '../../graph/types.ts'
import { within } from '../../running-time.ts'
import type { Pipeline } from '../../supervisor/pipeline.ts'
import type { Report } from '../../supervisor/report.ts'
import { clearInterval, monotonicMs, setInterval } from '../../time.ts'
import { deferred } from '../deferred.ts'
import type { FlowRequest } from '../flow-request.ts'
import { abort } from '../request-limits.ts'
import { type RequestOptions, checkRequest } from '../request-options.ts'
import type { RequestView } from '../request-view.ts'
import type { Request } from '../request.ts'
import type { RequestCommand, RequestFilter, SharedFlowStore, SharedLimits, StoreNews } from '../store/shared-store.ts'
import { storeError } from '../told.ts'
import { AskedRequests, isSame } from './asked-requests.ts'
import { FollowedRequests } from './followed-requests.ts'
import type { TakenRequests } from './taken-requests.ts'

/** What an instance does: it takes requests from callers (`api`), runs them (`worker`), or both. */
export type FlowRole = 'all' | 'api' | 'worker'

/** Each instance looks so often for what it was not told. */
const LOOK_MS = 1_000
const FORGET_MS = 10_000

interface SharedFlowSettings {
  readonly role: FlowRole
  readonly store: SharedFlowStore
  readonly graph: GraphData
  readonly pipeline: Pipeline | undefined
  /** Undefined where this instance runs none. */
  readonly taken: TakenRequests | undefined
  readonly itemEnds: ReadonlyMap<string, string>
  readonly limits: SharedLimits
  readonly deadlineMs: number
}

/** One of several instances of a flow, in any number of processes, that share its requests in a store. */
export class SharedFlow<Input = unknown, Answer = unknown> implements AsyncDisposable {
  readonly role: FlowRole
  /** The flow as a graph. */
  readonly graph: GraphData
  /** What runs the requests that this instance takes; undefined where its role is `api`. */
  readonly pipeline: Pipeline | undefined
  readonly #settings: SharedFlowSettings
  readonly #store: SharedFlowStore
  readonly #taken: TakenRequests | undefined
  readonly #followed: FollowedRequests
  readonly #asked: AskedRequests
  readonly #timers: NodeJS.Timeout[] = []
  readonly #finished = deferred<void>()
  #unlisten: () => void = () => undefined
  #isClosed = false

  /** @internal */
  constructor(settings: SharedFlowSettings) {
    const { role, store, graph, pipeline, taken, itemEnds } = settings
    this.role = role
    this.graph = graph
    this.pipeline = pipeline
    this.#settings = settings
    this.#store = store
    this.#taken = taken
    this.#followed = new FollowedRequests(store, graph.name, itemEnds)
    this.#asked = new AskedRequests(store, graph.name, this.#followed)
  }

  /** @internal */
  async begin(): Promise<void> {
    this.#unlisten = this.#store.listen(this.name, (news) => this.#hear(news))
    await this.#taken?.start()
    this.#timers.push(setInterval(() => void this.#look().catch(() => undefined), LOOK_MS))
    if (this.#taken === undefined) return
    const forget = (): Promise<void> => this.#store.forget(this.name, this.#settings.limits)
    this.#timers.push(setInterval(() => void forget().catch(() => undefined), FORGET_MS))
  }

  /** Resolves when this instance has ended. */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  get name(): string {
    return this.graph.name
  }

  /** By what the store knows this instance: the owner of the requests that it runs. Another one after each loss of its lease. */
  get instance(): string | undefined {
    return this.#taken?.instance
  }

  /** Changes by this instance that the store has refused, because another instance had taken their requests. */
  get dropped(): number {
    return this.#taken?.dropped ?? 0
  }

  /**
   * Runs a request on any instance, and resolves to the answer of the last step.
   * @throws as `execute` of a flow that runs alone; FLOW_TAKES_NO_REQUESTS, FLOW_STORE_UNUSABLE, KEY_REUSED
   */
  async execute(input: Input, options: RequestOptions = {}): Promise<Answer> {
    return this.start(input, options).answer
  }

  /**
   * The same at once, with the request to follow: `saved` rejects where the store does not keep it.
   * @throws OPTIONS_INVALID, FLOW_TAKES_NO_REQUESTS, KEY_REUSED
   */
  start(input: Input, options: RequestOptions = {}): FlowRequest<Answer> {
    return this.#ask(input, options)
  }

  /** A request that is open, or among the last ones that have ended; undefined where it is neither. @throws FLOW_STORE_UNUSABLE */
  async get(id: string): Promise<FlowRequest<Answer> | undefined> {
    const found = this.#asked.get(id) ?? (await this.#said(this.#followed.find(id)))
    return found as FlowRequest<Answer> | undefined
  }

  /** Requests that are known, newest first, without their steps. @throws FLOW_STORE_UNUSABLE */
  async list({
    limit = 100,
    offset = 0,
    ...filter
  }: RequestFilter & { readonly limit?: number; readonly offset?: number } = {}): Promise<RequestView[]> {
    const found = await this.#said(this.#store.list(this.name, filter, { limit, offset }))
    return found.map((each) => this.#followed.viewed(each).view())
  }

  /** How many requests are known. @throws FLOW_STORE_UNUSABLE */
  count(filter: RequestFilter = {}): Promise<number> {
    return this.#said(this.#store.count(this.name, filter))
  }

  /** Requests that have not ended, and those of them that wait for an instance to take them. @throws FLOW_STORE_UNUSABLE */
  load(): Promise<{ readonly open: number; readonly queued: number }> {
    return this.#said(this.#store.load(this.name))
  }

  /**
   * Pauses a request wherever it runs: see `RunningFlow.pause`. Resolves when no further step of it starts.
   * @throws REQUEST_UNKNOWN, REQUEST_ENDED, FLOW_STORE_UNUSABLE
   */
  pause(id: string): Promise<void> {
    return this.#change(id, 'pause')
  }

  /** Lets a paused request go on, on any instance. @throws as `pause` */
  resume(id: string): Promise<void> {
    return this.#change(id, 'resume')
  }

  /** Stops a request wherever it runs. Resolves when nothing of it is left. @throws REQUEST_UNKNOWN, FLOW_STORE_UNUSABLE */
  async stop(id: string): Promise<void> {
    const request = await this.#found(id)
    if (!request.isOpen) return
    await this.#said(this.#store.ask(this.name, id, 'stop'))
    await request.ended
  }

  /** See `RunningFlow.replay`. @throws REQUEST_UNKNOWN, REQUEST_OPEN, FLOW_TAKES_NO_REQUESTS, FLOW_STORE_UNUSABLE, OPTIONS_INVALID */
  async replay(id: string, options: Omit<RequestOptions, 'hash'> = {}): Promise<FlowRequest<Answer>> {
    const before = await this.#found(id)
    if (before.isOpen) throw new MillraceError('REQUEST_OPEN', { request: id, state: before.state })
    return this.#ask(before.input, { ...options, hash: `replay of ${id}` }, before)
  }

  /**
   * Takes no more requests and, within the deadline (default: `deadlineMs` of the run), waits for those that it took from callers. What
   * it runs is given back to the other instances, from its finished steps on. @throws what stopped the pipeline
   */
  async drain({ deadlineMs = this.#settings.deadlineMs }: { readonly deadlineMs?: number } = {}): Promise<
    Report | undefined
  > {
    this.#isClosed = true
    const startedAt = monotonicMs()
    if (deadlineMs > 0) await within(deadlineMs, this.#asked.rest())
    const left = deadlineMs > 0 ? Math.max(0, deadlineMs - (monotonicMs() - startedAt)) : deadlineMs
    try {
      return await this.#taken?.drain(left)
    } finally {
      this.#asked.close()
      for (const timer of this.#timers) clearInterval(timer)
      this.#unlisten()
      this.#followed.close()
      this.#finished.resolve()
    }
  }

  /** Drains, as `await using` expects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain().catch(() => undefined)
  }

  /** @param before a request that it repeats */
  #ask(input: unknown, options: RequestOptions, before?: Request): FlowRequest<Answer> {
    if (this.role === 'worker') throw new MillraceError('FLOW_TAKES_NO_REQUESTS', { flow: this.name })
    const { id = randomUUID(), timeoutMs, signal, hash, callback } = options
    checkRequest(id, timeoutMs, signal)
    const known = this.#asked.get(id) ?? this.#followed.get(id)
    if (known !== undefined) {
      if (isSame(known.hash, hash)) return known as FlowRequest<Answer>
      throw new MillraceError('KEY_REUSED', { key: id })
    }
    const request = this.#followed.make({ id, input, hash, callback, replayOf: before?.id })
    if (signal?.aborted === true) {
      abort(request, signal)
      request.end()
    } else if (this.#isClosed || (this.pipeline !== undefined && this.pipeline.state !== 'running'))
      request.refuse(new MillraceError('PIPELINE_NOT_RUNNING', { node: 'request' }))
    else this.#asked.add(request, options, before)
    return request as FlowRequest<Answer>
  }

  async #change(id: string, command: RequestCommand): Promise<void> {
    const request = await this.#found(id)
    const isAsked = request.isOpen && (await this.#said(this.#store.ask(this.name, id, command)))
    if (!isAsked) throw new MillraceError('REQUEST_ENDED', { request: id, state: request.state })
    await this.#said(this.#followed.done(id, command))
  }

  async #found(id: string): Promise<Request> {
    const found = (await this.get(id)) as Request | undefined
    if (found === undefined) throw new MillraceError('REQUEST_UNKNOWN', { request: id })
    await found.saved
    return found
  }

  /** @throws FLOW_STORE_UNUSABLE */
  async #said<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (cause) {
      throw cause instanceof MillraceError ? cause : storeError(cause)
    }
  }

  #hear(news: StoreNews): void {
    if (news.kind === 'saved') this.#followed.heard(news.ids)
    else if (news.kind === 'work') this.#taken?.look()
    else void this.#taken?.obey().catch(() => undefined)
  }

  /** What nobody has told: news may be lost. */
  async #look(): Promise<void> {
    const looks = [this.#followed.look()]
    if (this.#taken !== undefined) {
      this.#taken.look()
      looks.push(this.#store.sweep(), this.#taken.obey())
    }
    await Promise.all(looks)
  }
}
