import { monotonicMs } from '../time.ts'
import type { Request } from './request.ts'
import type { RequestState } from './request-view.ts'

/** Open requests, and the last ones that have ended, by id. */
export class KnownRequests {
  readonly #keep: number
  readonly #keepMs: number
  readonly #onForgotten: (id: string) => void
  /** Oldest first. */
  readonly #requests = new Map<string, Request>()
  /** Those that have ended, and when that was, by the monotonic clock. */
  readonly #ended: { readonly id: string; readonly at: number }[] = []

  /**
   * @param keep so many that have ended are known
   * @param keepMs and for so long
   */
  constructor(keep: number, keepMs: number, onForgotten: (id: string) => void) {
    this.#keep = keep
    this.#keepMs = keepMs
    this.#onForgotten = onForgotten
  }

  get open(): number {
    return this.#requests.size - this.#ended.length
  }

  add(request: Request): void {
    this.#requests.set(request.id, request)
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
  ended({ id }: Request): void {
    this.#ended.push({ id, at: monotonicMs() })
    this.#forget()
  }

  #forget(): void {
    const since = monotonicMs() - this.#keepMs
    while (this.#ended.length > this.#keep || (this.#ended[0]?.at ?? Infinity) < since) {
      const { id } = this.#ended.shift()!
      this.#requests.delete(id)
      this.#onForgotten(id)
    }
  }
}
