import type { Marked } from '../../graph/types.ts'

/** What names a message at its server: a sequence number, an id. */
type MessageKey = string | number

/**
 * The messages of a source between its server and its graph. At most `window` of them are asked for, wait to be polled, or are in
 * the graph and not settled; so nothing is taken from the server that the graph cannot take.
 */
export class Feed<T> {
  readonly #window: number
  #waiting: Marked<T>[] = []
  /** What has arrived and is not settled. */
  readonly #held = new Set<MessageKey>()
  #asked = 0
  #isStopped = false
  #error: unknown
  #onRoom: (() => void) | undefined
  #onMessage: (() => void) | undefined

  constructor(window: number) {
    this.#window = window
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  get held(): ReadonlySet<MessageKey> {
    return this.#held
  }

  /** Resolves with how many messages may be asked for, as soon as it is half the window; they are then asked for. 0: it is stopped. */
  async ask(): Promise<number> {
    for (;;) {
      const room = this.#window - this.#held.size - this.#asked
      if (this.#isStopped) return 0
      if (room >= Math.max(1, this.#window >> 1)) {
        this.#asked += room
        return room
      }
      await new Promise<void>((resolve) => (this.#onRoom = resolve))
    }
  }

  /** So many will not come: the server had no more. */
  forgo(messages: number): void {
    this.#asked -= messages
    this.#onRoom?.()
  }

  /**
   * A message that was asked for has come.
   * @returns false where this message is in the graph already: it was delivered again before its end, and is passed over
   */
  arrive(key: MessageKey, message: Marked<T>): boolean {
    this.#asked--
    if (this.#held.has(key)) {
      this.#onRoom?.()
      return false
    }
    this.#held.add(key)
    this.#waiting.push(message)
    this.#onMessage?.()
    return true
  }

  /** Messages of an earlier life of the worker, which are in the graph. */
  adopt(keys: readonly MessageKey[]): void {
    for (const key of keys) this.#held.add(key)
  }

  /** The server has learned the ends of these messages. */
  settle(keys: Iterable<MessageKey>): void {
    for (const key of keys) this.#held.delete(key)
    this.#onRoom?.()
  }

  /**
   * For `poll`: what is there, at once; otherwise when something has come, or nothing when `signal` is aborted.
   * @throws what `fail` was given
   */
  take(most: number, signal: AbortSignal): readonly Marked<T>[] | Promise<readonly Marked<T>[]> {
    if (this.#waiting.length > 0) return this.#splice(most)
    if (this.#error !== undefined) throw this.#error
    return this.#wait(most, signal)
  }

  async #wait(most: number, signal: AbortSignal): Promise<readonly Marked<T>[]> {
    if (!signal.aborted && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end)
          resolve()
        }
        this.#onMessage = end
        signal.addEventListener('abort', end)
      })
      this.#onMessage = undefined
    }
    if (this.#error !== undefined && this.#waiting.length === 0) throw this.#error
    return this.#splice(most)
  }

  #splice(most: number): Marked<T>[] {
    if (this.#waiting.length > most) return this.#waiting.splice(0, most)
    const all = this.#waiting
    this.#waiting = []
    return all
  }

  /** The server will never give any more: `poll` throws this. */
  fail(error: unknown): void {
    this.#error = error
    this.stop()
  }

  /** No more is asked for; what was asked for may still come. */
  stop(): void {
    this.#isStopped = true
    this.#onRoom?.()
    this.#onMessage?.()
  }

  /** What has come and was not polled: it is to go back to the server. */
  giveBack(): readonly Marked<T>[] {
    return this.#splice(Infinity)
  }
}
