import type { TraceEvent } from './event.ts'
import type { TraceSink } from './sink.ts'

/** Events of one trace that are kept. */
const MOST_EVENTS = 10_000

/** One trace as it is kept in memory: its events in the order in which they were read. */
export interface KeptTrace {
  readonly trace: string
  readonly events: readonly TraceEvent[]
  /** Its end was read. */
  readonly hasEnded: boolean
}

/** The last traces; and the last events of workers and stages, which belong to none. */
export class Recent implements TraceSink {
  readonly name = 'recent'
  readonly #most: number
  /** In the order of their first events. */
  readonly #traces = new Map<string, { events: TraceEvent[]; hasEnded: boolean }>()
  readonly #lifecycle: TraceEvent[] = []

  constructor(most: number) {
    this.#most = most
  }

  write(events: readonly TraceEvent[]): void {
    for (const event of events) {
      if (event.traces.length === 0) this.#lifecycle.push(event)
      for (const trace of event.traces) this.#add(trace, event)
    }
    if (this.#lifecycle.length > 2 * this.#most) this.#lifecycle.splice(0, this.#lifecycle.length - this.#most)
  }

  /** The last traces, oldest first. */
  traces(most: number = this.#most): KeptTrace[] {
    const skip = Math.max(0, this.#traces.size - most)
    const found: KeptTrace[] = []
    let i = 0
    for (const [trace, { events, hasEnded }] of this.#traces) if (i++ >= skip) found.push({ trace, events, hasEnded })
    return found
  }

  trace(id: string): KeptTrace | undefined {
    const found = this.#traces.get(id)
    return found && { trace: id, ...found }
  }

  get lifecycle(): readonly TraceEvent[] {
    return this.#lifecycle.slice(-this.#most)
  }

  #add(trace: string, event: TraceEvent): void {
    let kept = this.#traces.get(trace)
    if (kept === undefined) {
      if (this.#most === 0) return
      kept = { events: [], hasEnded: false }
      this.#traces.set(trace, kept)
      if (this.#traces.size > this.#most) this.#traces.delete(this.#traces.keys().next().value!)
    }
    if (kept.events.length < MOST_EVENTS) kept.events.push(event)
    if (event.kind === 'end') kept.hasEnded = true
  }
}
