import type { TraceEvent } from './event.ts'
import type { SinkCounts, TraceSink } from './sink.ts'

/** Events that wait for a sink, at most. */
const MOST_WAITING = 65_536

/** The queue before one sink: what comes while it is full is dropped and counted, and nobody waits. */
export class Feed {
  readonly #sink: TraceSink
  readonly #most: number
  #queue: TraceEvent[] = []
  #writing = 0
  #written = 0
  #droppedFull = 0
  #droppedByError = 0
  #lastError: string | undefined
  #idle: Promise<void> = Promise.resolve()

  constructor(sink: TraceSink, most: number = MOST_WAITING) {
    this.#sink = sink
    this.#most = most
  }

  get counts(): SinkCounts {
    return {
      name: this.#sink.name,
      written: this.#written,
      waiting: this.#queue.length + this.#writing,
      droppedFull: this.#droppedFull,
      droppedByError: this.#droppedByError,
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    }
  }

  give(events: readonly TraceEvent[]): void {
    const room = Math.max(0, this.#most - this.#queue.length - this.#writing)
    for (let i = 0; i < events.length && i < room; i++) this.#queue.push(events[i]!)
    this.#droppedFull += Math.max(0, events.length - room)
    if (this.#writing === 0) this.#idle = this.#pump()
  }

  /** Gives the sink all that waits, and lets it write that down. */
  async flush(): Promise<void> {
    await this.#idle
    await this.#guarded(() => this.#sink.flush?.())
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#guarded(() => this.#sink.close?.())
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      const events = this.#queue
      this.#queue = []
      this.#writing = events.length
      const isWritten = await this.#guarded(() => this.#sink.write(events))
      if (isWritten) this.#written += events.length
      else this.#droppedByError += events.length
      this.#writing = 0
    }
  }

  async #guarded(act: () => void | Promise<void>): Promise<boolean> {
    try {
      // A sink that writes at once costs no turn of the event loop.
      const pending = act()
      if (pending !== undefined) await pending
      return true
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error)
      return false
    }
  }
}
