import type { TraceSource } from '../source.ts'
import { eventMatcher, isWanted, type TraceFilter } from './trace-filter.ts'
import { TraceSummaries, type TraceSummary } from './trace-summary.ts'

/** One page of traces, newest first. */
export interface TraceList {
  readonly traces: readonly TraceSummary[]
  /** How many there are on all pages together. */
  readonly total: number
  /** Give it for the next page; absent on the last one. Traces that begin meanwhile do not move it. */
  readonly next?: string
}

export interface TraceListOptions extends TraceFilter {
  /** Traces of a page. Default: 50. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Traces that a filter picks. Of those, all events count in the summary that the range holds. */
export async function traces(source: TraceSource, options: TraceListOptions = {}): Promise<TraceList> {
  const { limit = 50, cursor, ...filter } = options
  const isMatch = eventMatcher(filter)
  const summaries = new TraceSummaries()
  const matching = new Set<string>()
  for await (const block of source.read(filter))
    for (const event of block) {
      summaries.add(event)
      if (isMatch(event)) for (const trace of event.traces) matching.add(trace)
    }
  const found = [...summaries].filter((summary) => matching.has(summary.trace) && isWanted(summary, filter))
  found.sort((a, b) => (isBefore(placeOf(a), placeOf(b)) ? -1 : 1))
  const after = cursor === undefined ? undefined : cursorOf(cursor)
  const rest = after === undefined ? found : found.filter((summary) => isBefore(after, placeOf(summary)))
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const next = rest.length > page.length && last !== undefined ? { next: textOf(placeOf(last)) } : {}
  return { traces: page, total: found.length, ...next }
}

/** Where a trace stands in the list. */
interface Place {
  readonly startedAt: number
  readonly trace: string
}

function placeOf({ startedAt, trace }: TraceSummary): Place {
  return { startedAt, trace }
}

function isBefore(a: Place, b: Place): boolean {
  return a.startedAt > b.startedAt || (a.startedAt === b.startedAt && a.trace > b.trace)
}

function textOf({ startedAt, trace }: Place): string {
  return `${startedAt}_${trace}`
}

function cursorOf(text: string): Place | undefined {
  const [time = '', trace = ''] = text.split('_')
  const startedAt = Number(time)
  return Number.isFinite(startedAt) && time !== '' ? { startedAt, trace } : undefined
}
