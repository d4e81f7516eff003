import { serialize } from 'node:v8'
import { MillraceError } from '../../errors.ts'
import { sleep } from '../../time.ts'
import { limit } from '../request-limits.ts'
import type { RequestOptions } from '../request-options.ts'
import type { Request } from '../request.ts'
import { packRecord, unpackRecord } from '../saved-record.ts'
import type { SharedFlowStore } from '../store/shared-store.ts'
import { storeError } from '../told.ts'
import type { FollowedRequests } from './followed-requests.ts'

/** Between two tries to stop what is not waited for any more. */
const AGAIN_MS = 250

/** Requests that this instance takes from callers, and puts into the store. */
export class AskedRequests {
  readonly #store: SharedFlowStore
  readonly #flow: string
  readonly #followed: FollowedRequests
  /** Those that are not known to be in the store yet. */
  readonly #adding = new Map<string, Request>()
  readonly #open = new Set<Request>()
  readonly #closed = new AbortController()

  constructor(store: SharedFlowStore, flow: string, followed: FollowedRequests) {
    this.#store = store
    this.#flow = flow
    this.#followed = followed
  }

  /** One that may not be in the store yet. */
  get(id: string): Request | undefined {
    return this.#adding.get(id)
  }

  /** @param before a request that it repeats */
  add(request: Request, { timeoutMs, signal }: RequestOptions, before: Request | undefined): void {
    this.#open.add(request)
    void request.ended.then(() => this.#open.delete(request))
    request.saved = this.#add(request, before)
    // Whoever waits for its answer learns of it there.
    request.saved.catch(() => undefined)
    limit(request, { timeoutMs, signal }, (why) => void this.#end(request, why))
  }

  /** Resolves when each has ended, or is paused. */
  async rest(): Promise<void> {
    await Promise.all([...this.#open].map((request) => request.rests()))
  }

  close(): void {
    this.#closed.abort()
  }

  /** Resolves when the store has the request, or another one of its id that asks the same. */
  async #add(request: Request, before: Request | undefined): Promise<void> {
    const { id } = request
    this.#adding.set(id, request)
    try {
      const { createdAt } = request.record()
      const done = before?.steps?.done() ?? []
      const steps = done.map((step) => ({ step: request.steps!.add(step), data: serialize(step) }))
      const isNew = await this.#store.add(this.#flow, { id, createdAt, data: packed(request), steps })
      if (!isNew) await this.#checkSame(request)
      this.#followed.follow(request)
      // It may have ended before it was followed.
      this.#followed.heard([id])
    } catch (cause) {
      const error = cause instanceof MillraceError ? cause : storeError(cause)
      request.refuse(error)
      throw error
    } finally {
      this.#adding.delete(id)
    }
  }

  /** @throws KEY_REUSED */
  async #checkSame({ id, hash }: Request): Promise<void> {
    const [stored] = await this.#store.read(this.#flow, [id])
    if (stored !== undefined && !isSame(unpackRecord(stored.data).hash, hash))
      throw new MillraceError('KEY_REUSED', { key: id })
  }

  /** What is left of it is stopped, as soon as the store can be told. */
  async #end(request: Request, why: 'timedOut' | 'stopped'): Promise<void> {
    const { signal } = this.#closed
    const command = why === 'timedOut' ? 'timeOut' : 'stop'
    try {
      await request.saved
    } catch {
      return
    }
    while (!signal.aborted) {
      const asked = await this.#store.ask(this.#flow, request.id, command).catch(() => undefined)
      if (asked !== undefined) return
      await sleep(AGAIN_MS, signal)
    }
  }
}

/** Whether two requests of one id may be the same: where one of them does not say what it asks, they are. */
export function isSame(one: string | undefined, other: string | undefined): boolean {
  return one === other || one === undefined || other === undefined
}

/** @throws REQUEST_FAILED where it cannot be kept */
function packed(request: Request): Uint8Array {
  try {
    return packRecord(request.record())
  } catch (cause) {
    throw new MillraceError('REQUEST_FAILED', { request: request.id }, { cause })
  }
}
