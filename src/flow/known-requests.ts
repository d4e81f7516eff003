import { serialize } from 'node:v8'
import { monotonicMs } from '../time.ts'
import type { Request } from './request.ts'
import type { RequestState } from './request-view.ts'

/** How many requests that have ended are known, for how long, and what they may take in all. */
interface KeptLimits {
  readonly keepRequests: number
  readonly keepMs: number
  readonly keepBytes: number
}

/** Open requests, and the last ones that have ended, by id. */
export class KnownRequests {
  readonly #limits: KeptLimits
  readonly #onForgotten: (id: string) => void
  /** Oldest first. */
  readonly #requests = new Map<string, Request>()
  /** Those that have ended, when that was, by the monotonic clock, and what they take. */
  readonly #ended: { readonly id: string; readonly at: number; readonly bytes: number }[] = []
  #bytes = 0

  constructor(limits: KeptLimits, onForgotten: (id: string) => void) {
    this.#limits = limits
    this.#onForgotten = onForgotten
  }

  get open(): number {
    return this.#requests.size - this.#ended.length
  }

  add(request: Request): void {
    this.#requests.set(request.id, request)
  }

  /** It has not ended, and is known no longer. */
  drop(request: Request): void {
    if (this.#requests.get(request.id) === request) this.#requests.delete(request.id)
  }

  get(id: string): Request | undefined {
    this.#forget()
    return this.#requests.get(id)
  }

  all(): Request[] {
    this.#forget()
    return [...this.#requests.values()]
  }

  /** Newest first. */
  list(state: RequestState | undefined, limit: number): Request[] {
    return this.all()
      .toReversed()
      .filter((request) => state === undefined || request.state === state)
      .slice(0, limit)
  }

  /** Nothing of it is left: it is known for a while. */
  ended(request: Request): void {
    const bytes = this.#limits.keepBytes === Infinity ? 0 : bytesOf(request)
    this.#bytes += bytes
    this.#ended.push({ id: request.id, at: monotonicMs(), bytes })
    this.#forget()
  }

  #forget(): void {
    const { keepRequests, keepMs, keepBytes } = this.#limits
    const since = monotonicMs() - keepMs
    while (this.#ended.length > keepRequests || this.#bytes > keepBytes || (this.#ended[0]?.at ?? Infinity) < since) {
      const { id, bytes } = this.#ended.shift()!
      this.#bytes -= bytes
      this.#requests.delete(id)
      this.#onForgotten(id)
    }
  }
}

/** What a request takes that has ended. */
function bytesOf(request: Request): number {
  const { input, outcome } = request.record()
  const answer = outcome !== undefined && 'answer' in outcome ? outcome.answer : undefined
  try {
    return serialize({ input, answer, steps: request.steps?.done().map((step) => step.answer) }).byteLength
  } catch {
    // What cannot be cloned was never kept in the store.
    return 0
  }
}
