import type { TraceListAnswer } from '#src/control/index.js'
import { ask } from './api.ts'

export type FoundTrace = TraceListAnswer['traces'][number]

/** What is looked for: parameters of the API. */
export type TraceQuery = Readonly<Record<string, string | number | undefined>>

/** Traces that are asked for at once; and for a look at what is new. */
const PAGE = 10_000
const NEWEST = 500

/** The traces that a search has found, newest first, as far as somebody has scrolled. */
export class TraceData {
  readonly #path: string
  #query: TraceQuery = {}
  #traces: FoundTrace[] = []
  #next: string | undefined
  #isAsking = false
  /** Answers to an earlier search come too late. */
  #search = 0
  total = 0

  constructor(pipeline: string) {
    this.#path = `pipelines/${encodeURIComponent(pipeline)}/traces`
  }

  get all(): readonly FoundTrace[] {
    return this.#traces
  }

  /** Begins anew. */
  async search(query: TraceQuery): Promise<void> {
    this.#query = query
    const search = ++this.#search
    const { traces, total, next } = await this.#ask({ limit: PAGE })
    if (search !== this.#search) return
    this.#traces = [...traces]
    this.total = total
    this.#next = next
  }

  /** Asks for what comes after those that are there. @returns whether something came */
  async more(): Promise<boolean> {
    if (this.#next === undefined || this.#isAsking) return false
    const search = this.#search
    this.#isAsking = true
    try {
      const { traces, total, next } = await this.#ask({ limit: PAGE, cursor: this.#next })
      if (search !== this.#search) return false
      for (const trace of traces) this.#traces.push(trace)
      this.total = total
      this.#next = next
      return true
    } finally {
      this.#isAsking = false
    }
  }

  /** Brings the newest up to date, and puts before them what has begun since. @returns whether something changed */
  async refresh(): Promise<boolean> {
    const search = this.#search
    const { traces, total } = await this.#ask({ limit: NEWEST })
    if (search !== this.#search || traces.length === 0) return false
    const fresh = new Map(traces.map((trace) => [trace.trace, trace]))
    const head = this.#traces.slice(0, 2 * NEWEST).map((trace) => {
      const now = fresh.get(trace.trace)
      fresh.delete(trace.trace)
      return now ?? trace
    })
    this.#traces = [...fresh.values(), ...head, ...this.#traces.slice(2 * NEWEST)]
    this.total = Math.max(total, this.#traces.length)
    return true
  }

  #ask(query: TraceQuery): Promise<TraceListAnswer> {
    return ask<TraceListAnswer>('GET', `${this.#path}?${queryText({ ...this.#query, ...query })}`)
  }
}

function queryText(query: TraceQuery): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  return new URLSearchParams(given).toString()
}
