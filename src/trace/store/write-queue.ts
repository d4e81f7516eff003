import { errorText } from '../../errors.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import type { TraceEvent } from '../event.ts'
import { emptyStats, type StoreStats } from './store.ts'

interface QueueOptions {
  /** Events that are written together. */
  readonly batch: number
  /** Longest time that events wait for more. */
  readonly flushMs: number
  /** Events that wait at most; beyond them the newest are dropped. */
  readonly maxPending: number
}

/**
 * What stands between the tracer and a store that takes time: takes events at once, saves them in batches one after the other,
 * and counts what is lost. A batch that cannot be saved is dropped, and the next one tried.
 */
export class WriteQueue {
  readonly #save: (events: readonly TraceEvent[]) => Promise<number>
  readonly #options: QueueOptions
  readonly #stats = emptyStats()
  #pending: TraceEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> | undefined

  /** @param save keeps events. @returns bytes that were written */
  constructor(save: (events: readonly TraceEvent[]) => Promise<number>, options: QueueOptions) {
    this.#save = save
    this.#options = options
  }

  write(events: readonly TraceEvent[]): void {
    const { batch, flushMs, maxPending } = this.#options
    const room = Math.max(0, maxPending - this.#pending.length)
    if (events.length > room) this.#stats.dropped += events.length - room
    for (const event of events.length > room ? events.slice(0, room) : events) this.#pending.push(event)
    if (this.#saving !== undefined || this.#pending.length === 0) return
    if (this.#pending.length >= batch) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), flushMs).unref()
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#saving ??= this.#saveAll().finally(() => (this.#saving = undefined))
  }

  async #saveAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const events = this.#pending.splice(0, this.#options.batch)
      try {
        this.#stats.bytes += await this.#save(events)
        this.#stats.written += events.length
      } catch (error) {
        this.fail(error)
        this.#stats.dropped += events.length
      }
    }
  }

  /** Counts what could not be done. */
  fail(error: unknown): void {
    this.#stats.failures++
    this.#stats.lastFailure = errorText(error).message
  }

  async flush(): Promise<void> {
    while (this.#pending.length > 0 || this.#saving !== undefined) {
      this.#start()
      await this.#saving
    }
  }

  get stats(): StoreStats {
    return { ...this.#stats }
  }
}
