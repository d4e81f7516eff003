import type { TraceEvent } from '../event.ts'
import { isInRange, type TraceRange, type TraceRun } from '../source.ts'
import { type StoreStats, type TraceStore, emptyStats } from './store.ts'

export interface MemoryStoreOptions {
  /** Events that are kept; the oldest go first. Default: 100,000. */
  readonly maxEvents?: number
}

/** The last events, in this process. */
export class MemoryStore implements TraceStore {
  readonly #maxEvents: number
  readonly #runs = new Map<string, TraceRun>()
  readonly #stats = emptyStats()
  #blocks: (readonly TraceEvent[])[] = []
  #count = 0

  constructor({ maxEvents = 100_000 }: MemoryStoreOptions = {}) {
    this.#maxEvents = maxEvents
  }

  begin(run: TraceRun): Promise<void> {
    this.#runs.set(run.run, run)
    return Promise.resolve()
  }

  write(events: readonly TraceEvent[]): void {
    if (events.length === 0) return
    this.#blocks.push(events)
    this.#count += events.length
    this.#stats.written += events.length
    while (this.#count > this.#maxEvents) this.#forget(this.#count - this.#maxEvents)
  }

  #forget(most: number): void {
    const first = this.#blocks[0]!
    const count = Math.min(most, first.length)
    if (count === first.length) this.#blocks.shift()
    else this.#blocks[0] = first.slice(count)
    this.#count -= count
    this.#stats.expired += count
  }

  runs(): Promise<readonly TraceRun[]> {
    return Promise.resolve([...this.#runs.values()])
  }

  async *read(range: TraceRange = {}): AsyncIterable<readonly TraceEvent[]> {
    for (const block of this.#blocks.slice()) {
      const found = block.filter((event) => isInRange(event, range))
      if (found.length > 0) yield found
    }
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  stats(): StoreStats {
    return { ...this.#stats }
  }

  close(): Promise<void> {
    this.#blocks = []
    return Promise.resolve()
  }
}
