import type { TraceEvent } from '../event.ts'

/** `open`: not all that came of it is done. `failed`: its source was told of a failure, or a record was given up on. */
export type TraceStatus = 'open' | 'ok' | 'failed'

/** One trace: a source chunk and all that came of it. */
export interface TraceSummary {
  readonly trace: string
  readonly pipeline: string
  readonly run: string
  readonly status: TraceStatus
  readonly startedAt: number
  /** From its first to its last event. */
  readonly durationMs: number
  /** Records that its source made; 0 where the event of the source is not there. */
  readonly records: number
  readonly events: number
  /** Bytes of all frames that were sent. */
  readonly bytes: number
  /** Nodes that it came through, in the order of their first events. */
  readonly nodes: readonly string[]
  /** Attempts that failed, and records that were given up on or dropped. */
  readonly troubles: number
  /** An event of it was dropped, or there was no room for a part of one. */
  readonly isIncomplete: boolean
}

const GIVEN_UP = new Set(['failed', 'deadLettered', 'abandoned'])

/** Summaries of all traces of the events that are added. */
export class TraceSummaries {
  readonly #open = new Map<string, Counting>()

  add(event: TraceEvent): void {
    for (const trace of event.traces) {
      let counting = this.#open.get(trace)
      if (counting === undefined) this.#open.set(trace, (counting = new Counting(trace, event)))
      counting.add(event)
    }
  }

  *[Symbol.iterator](): IterableIterator<TraceSummary> {
    for (const counting of this.#open.values()) yield counting.summary()
  }
}

class Counting {
  readonly #trace: string
  readonly #pipeline: string
  readonly #run: string
  readonly #firsts = new Map<string, number>()
  #startedAt = Infinity
  #endedAt = -Infinity
  #records = 0
  #events = 0
  #bytes = 0
  #troubles = 0
  #isEnded = false
  #hasFailed = false
  #isIncomplete = false

  constructor(trace: string, { pipeline, run }: TraceEvent) {
    this.#trace = trace
    this.#pipeline = pipeline
    this.#run = run
  }

  add(event: TraceEvent): void {
    const { kind, node, outputs, outcome, takenAt, handedOffAt } = event
    this.#startedAt = Math.min(this.#startedAt, takenAt)
    this.#endedAt = Math.max(this.#endedAt, handedOffAt)
    this.#events++
    for (const { count, bytes = 0 } of outputs) {
      if (kind === 'open') this.#records += count
      this.#bytes += bytes
    }
    this.#isEnded ||= kind === 'end'
    this.#hasFailed ||= GIVEN_UP.has(outcome)
    if (kind !== 'end' && outcome !== 'ok' && outcome !== 'filtered') this.#troubles++
    this.#isIncomplete ||= event.isIncomplete || event.isTruncated
    this.#firsts.set(node, Math.min(this.#firsts.get(node) ?? Infinity, takenAt))
  }

  summary(): TraceSummary {
    return {
      trace: this.#trace,
      pipeline: this.#pipeline,
      run: this.#run,
      status: this.#isEnded ? (this.#hasFailed ? 'failed' : 'ok') : 'open',
      startedAt: this.#startedAt,
      durationMs: this.#endedAt - this.#startedAt,
      records: this.#records,
      events: this.#events,
      bytes: this.#bytes,
      nodes: [...this.#firsts].sort(([, a], [, b]) => a - b).map(([node]) => node),
      troubles: this.#troubles,
      isIncomplete: this.#isIncomplete,
    }
  }
}
