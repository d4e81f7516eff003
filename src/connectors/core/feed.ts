import type { Marked, RecordMarks } from '../../graph/types.ts'
import type { Reach } from './backoff.ts'
import { recordOfMessage } from './record.ts'
import type { MessageKey, MessageReceipt } from './receipt.ts'

/** What every queue of messages is told: options with their defaults. */
export interface FeedOptions<M> {
  readonly window: number
  readonly maxDeliveries: number
  readonly decode: (message: M) => unknown
  /** What else is said of the record of a message: what names it at its origin. */
  readonly marksOf?: ((message: M) => RecordMarks) | undefined
}

/**
 * The messages of a source between its server and its graph. At most `window` of them are asked for, wait to be polled, or are in
 * the graph and not settled; so nothing is taken from the server that the graph cannot take.
 */
export class Feed<M extends { readonly deliveries: number } = any> {
  /** What is said of the server that the messages come from. */
  readonly reach: Reach
  readonly #options: FeedOptions<M>
  /** Names the queue in errors. */
  readonly #origin: Readonly<Record<string, string>>
  #waiting: Marked<unknown>[] = []
  /** What has arrived and is not settled. */
  readonly #held = new Set<MessageKey>()
  #asked = 0
  #isStopped = false
  #error: unknown
  #onRoom: (() => void) | undefined
  #onMessage: (() => void) | undefined

  constructor(options: FeedOptions<M>, origin: Readonly<Record<string, string>>, reach: Reach) {
    this.reach = reach
    this.#options = options
    this.#origin = origin
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  get held(): ReadonlySet<MessageKey> {
    return this.#held
  }

  /** Resolves with how many messages may be asked for, as soon as it is half the window; they are then asked for. 0: it is stopped. */
  async ask(): Promise<number> {
    const { window } = this.#options
    for (;;) {
      const room = window - this.#held.size - this.#asked
      if (this.#isStopped) return 0
      if (room >= Math.max(1, window >> 1)) {
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
  arrive(message: M, receipt: MessageReceipt): boolean {
    this.#asked--
    return this.admit(message, receipt)
  }

  /** As `arrive`, of a server that by itself sends no more than the window. */
  admit(message: M, receipt: MessageReceipt): boolean {
    if (this.#held.has(receipt.id)) {
      this.#onRoom?.()
      return false
    }
    this.#held.add(receipt.id)
    this.#waiting.push(recordOfMessage(message, receipt, this.#options, { ...this.#origin, id: receipt.id }))
    this.#onMessage?.()
    return true
  }

  /** Messages of an earlier life of the worker, which are in the graph. */
  adopt(receipts: readonly MessageReceipt[]): void {
    for (const { id } of receipts) this.#held.add(id)
  }

  /** The server has learned the ends of these messages. */
  settle(receipts: Iterable<MessageReceipt>): void {
    for (const { id } of receipts) this.#held.delete(id)
    this.#onRoom?.()
  }

  /**
   * For `poll`: what is there, at once; otherwise when something has come, or nothing when `signal` is aborted.
   * @throws what `fail` was given
   */
  take(most: number, signal: AbortSignal): readonly Marked<unknown>[] | Promise<readonly Marked<unknown>[]> {
    if (this.#waiting.length > 0) return this.#splice(most)
    if (this.#error !== undefined) throw this.#error
    return this.#wait(most, signal)
  }

  async #wait(most: number, signal: AbortSignal): Promise<readonly Marked<unknown>[]> {
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

  #splice(most: number): Marked<unknown>[] {
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

  /** The receipts of what has come and was not polled: it is to go back to the server. */
  giveBack(): readonly unknown[] {
    return this.#splice(Infinity).map(({ receipt }) => receipt)
  }
}
