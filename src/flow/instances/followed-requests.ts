import { deserialize } from 'node:v8'
import { MillraceError } from '../../errors.ts'
import { collectItem } from '../collected-items.ts'
import type { DoneStep } from '../done-steps.ts'
import type { GivenRequest } from '../request-record.ts'
import { Request } from '../request.ts'
import type { RequestState } from '../request-view.ts'
import { unpackRecord } from '../saved-record.ts'
import type { RequestCommand, SharedFlowStore, SharedRequest } from '../store/shared-store.ts'

/** Looked at in one go, at most. */
const AT_ONCE = 1_000

/** A request that somebody here waits for, as the store had it last. */
interface Followed {
  readonly request: Request
  state: RequestState
  owner: string | undefined
  asked: RequestCommand | undefined
}

/** Requests of a store that somebody here waits for, wherever they run. */
export class FollowedRequests {
  readonly #store: SharedFlowStore
  readonly #flow: string
  readonly #itemEnds: ReadonlyMap<string, string>
  readonly #followed = new Map<string, Followed>()
  readonly #changed = new Set<string>()
  #isReading = false
  #lookedAt = 0

  constructor(store: SharedFlowStore, flow: string, itemEnds: ReadonlyMap<string, string>) {
    this.#store = store
    this.#flow = flow
    this.#itemEnds = itemEnds
  }

  /** A request that is not followed yet. Its hooks are called where it runs. */
  make(given: GivenRequest): Request {
    return new Request(given, { flow: this.#flow, hooks: {}, keepsSteps: true })
  }

  get(id: string): Request | undefined {
    return this.#followed.get(id)?.request
  }

  /** It is followed until it has ended. */
  follow(request: Request): void {
    if (!this.#followed.has(request.id))
      this.#followed.set(request.id, { request, state: 'queued', owner: undefined, asked: undefined })
  }

  /** A request as the store has it now; it is followed while it is open. */
  async find(id: string): Promise<Request | undefined> {
    const [found] = await this.#store.read(this.#flow, [id])
    if (found === undefined) return undefined
    const request = this.#followed.get(id)?.request ?? this.make(this.given(found))
    this.follow(request)
    this.#update(found)
    return request
  }

  given({ id, data }: SharedRequest): GivenRequest {
    return { id, ...unpackRecord(data) }
  }

  /** The view of a request that nobody follows. */
  viewed(found: SharedRequest): Request {
    const request = this.make(this.given(found))
    this.#show(request, found)
    return request
  }

  /** Something may have changed of them. */
  heard(ids: readonly string[]): void {
    for (const id of ids) if (this.#followed.has(id)) this.#changed.add(id)
    if (this.#changed.size > 0 && !this.#isReading) void this.#readAll()
  }

  /** Looks for what nobody has told. */
  async look(): Promise<void> {
    const ids = [...this.#followed.keys()]
    if (this.#lookedAt >= ids.length) this.#lookedAt = 0
    const some = ids.slice(this.#lookedAt, this.#lookedAt + AT_ONCE)
    if (some.length === 0) return
    this.#lookedAt += AT_ONCE
    const states = await this.#store.states(this.#flow, some)
    this.heard(some.filter((id) => states.get(id) !== this.#followed.get(id)?.state))
  }

  /** Resolves when what was asked for is done, or kept for whoever takes the request next. */
  async done(id: string, command: RequestCommand): Promise<void> {
    await this.find(id)
    for (;;) {
      const followed = this.#followed.get(id)
      if (followed === undefined || followed.asked !== command || followed.owner === undefined) return
      await new Promise<void>((resolve) => {
        const forget = followed.request.watch(() => {
          forget()
          resolve()
        })
      })
    }
  }

  /** Nobody tells of them any more. */
  close(): void {
    for (const { request } of this.#followed.values())
      request.refuse(new MillraceError('PIPELINE_NOT_RUNNING', { node: 'request' }))
    this.#followed.clear()
  }

  async #readAll(): Promise<void> {
    this.#isReading = true
    // Whatever else is heard in this turn of the event loop goes with it.
    await Promise.resolve()
    while (this.#changed.size > 0) {
      const ids = [...this.#changed].slice(0, AT_ONCE)
      for (const id of ids) this.#changed.delete(id)
      // A store that is away is looked at again later.
      const found = await this.#store.read(this.#flow, ids).catch(() => undefined)
      if (found === undefined) continue
      for (const each of found) this.#update(each)
      const there = new Set(found.map(({ id }) => id))
      for (const id of ids) if (!there.has(id)) this.#forgotten(id)
    }
    this.#isReading = false
  }

  #update(found: SharedRequest): void {
    const followed = this.#followed.get(found.id)
    if (followed === undefined) return
    const { request } = followed
    Object.assign(followed, { state: found.state, owner: found.owner, asked: found.asked })
    this.#show(request, found)
    if (!request.isOpen) this.#followed.delete(found.id)
  }

  #show(request: Request, { data, steps, state, owner, asked, startedAt }: SharedRequest): void {
    const record = unpackRecord(data)
    const done = steps.map((step) => deserialize(step) as DoneStep).toSorted((a, b) => a.endedAt - b.endedAt)
    for (const step of done) {
      request.steps?.add(step)
      collectItem(request.itemAnswers, this.#itemEnds, step)
    }
    // What is asked of a request that nobody has is as good as done.
    const isPausing = owner === undefined && asked === 'pause' && record.outcome === undefined
    const isResuming = owner === undefined && asked === 'resume' && state === 'paused'
    const shown = isPausing ? 'paused' : isResuming ? 'queued' : record.outcome === undefined ? state : record.state
    request.instance = owner
    request.follow({ ...record, state: shown, startedAt: record.startedAt ?? startedAt })
  }

  /** The store does not keep it any longer. */
  #forgotten(id: string): void {
    const { request } = this.#followed.get(id) ?? {}
    this.#followed.delete(id)
    request?.refuse(new MillraceError('REQUEST_UNKNOWN', { request: id }))
  }
}
