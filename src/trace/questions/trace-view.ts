import type { TraceEvent } from '../event.ts'
import { eventsOf, type TraceRange, type TraceSource } from '../source.ts'
import { countOf } from './origins.ts'
import { Senders } from './senders.ts'
import { waitOf } from './trace-filter.ts'
import { TraceSummaries, type TraceSummary } from './trace-summary.ts'

/** One event of a trace, where it stands in the tree and on the time line. */
export interface Span {
  readonly event: TraceEvent
  /** Places of the spans that sent what this one took: none at a source, several at a batch or a join. */
  readonly parents: readonly number[]
  /** Place of the attempt before, where one failed. */
  readonly retryOf?: number
  /** Steps from the source, on the longest way. */
  readonly depth: number
  /** From the beginning of the trace: when the first frame was written, when it was taken, when it was handed off. */
  readonly writtenMs: number
  readonly takenMs: number
  readonly endMs: number
  /** Longest time on a lane; in the handler; the rest until the hand-off. */
  readonly waitMs: number
  readonly serviceMs: number
  readonly otherMs: number
  readonly taken: number
  readonly sent: number
}

/** A trace as a tree (with all its parents it is a graph) and as a waterfall: the spans in the order of time. */
export interface TraceView {
  readonly summary: TraceSummary
  readonly spans: readonly Span[]
  /** The way that the last hand-off waited for, as places of spans, and what its time went into. */
  readonly criticalPath: CriticalPath
}

/** Spans in the order of time; shares of the whole time from 0 to 1. */
export interface CriticalPath {
  readonly spans: readonly number[]
  readonly totalMs: number
  readonly waiting: number
  readonly service: number
  /** In attempts that failed, their service included, and in waiting for the next one. */
  readonly retry: number
  /** Collecting a batch, handing off, waiting for credit below. */
  readonly other: number
}

/** One trace; `undefined` where no event tells of it. */
export async function trace(
  source: TraceSource,
  id: string,
  range: Omit<TraceRange, 'traces'> = {},
): Promise<TraceView | undefined> {
  const events = await eventsOf(source, { ...range, traces: new Set([id]) })
  return events.length === 0 ? undefined : viewOf(events, id)
}

/** A trace of its events. */
function viewOf(events: readonly TraceEvent[], id: string): TraceView {
  const summaries = new TraceSummaries()
  for (const event of events) summaries.add(event)
  const summary = [...summaries].find(({ trace }) => trace === id)!
  const spans = spansOf(events, summary.startedAt)
  return { summary, spans, criticalPath: criticalPathOf(spans) }
}

function spansOf(given: readonly TraceEvent[], startedAt: number): Span[] {
  const senders = new Senders(given)
  const events = given.toSorted(
    (a, b) => a.takenAt - b.takenAt || a.handedOffAt - b.handedOffAt || a.sequence - b.sequence,
  )
  const places = new Map(events.map((event, place) => [event, place]))
  const spans: Span[] = []
  for (const event of events) {
    const { inputs, outputs, takenAt, handedOffAt, serviceMs } = event
    const parents = [...senders.of(event)].map((sender) => places.get(sender)!).sort((a, b) => a - b)
    const before = senders.attemptBefore(event)
    const retryOf = before === undefined ? {} : { retryOf: places.get(before)! }
    const known = parents.filter((place) => place < spans.length)
    spans.push({
      event,
      parents,
      ...retryOf,
      depth: known.length === 0 ? 0 : 1 + Math.max(...known.map((place) => spans[place]!.depth)),
      writtenMs: Math.min(takenAt, ...inputs.map(({ writtenAt = takenAt }) => writtenAt)) - startedAt,
      takenMs: takenAt - startedAt,
      endMs: handedOffAt - startedAt,
      waitMs: waitOf(event),
      serviceMs,
      otherMs: Math.max(0, handedOffAt - takenAt - serviceMs),
      taken: countOf(inputs),
      sent: countOf(outputs),
    })
  }
  return spans
}

/** Back from the last hand-off: to the attempt before, else to the parent whose hand-off came last. */
function criticalPathOf(spans: readonly Span[]): CriticalPath {
  const ends = spans.filter(({ event }) => event.kind !== 'end' && event.traces.length > 0)
  const last = ends.reduce<Span | undefined>(
    (found, span) => (found === undefined || span.endMs >= found.endMs ? span : found),
    undefined,
  )
  const way: number[] = []
  const sums = { waiting: 0, service: 0, retry: 0, other: 0 }
  for (let at = last === undefined ? -1 : spans.indexOf(last); at >= 0;) {
    const span = spans[at]!
    way.unshift(at)
    const next =
      span.retryOf ??
      latest(
        spans,
        span.parents.filter((place) => !way.includes(place)),
      )
    const fromMs = next === undefined ? span.takenMs : spans[next]!.endMs
    const isFailed = span.event.outcome === 'retried' || span.event.outcome === 'died'
    const between = Math.max(0, span.takenMs - fromMs)
    if (span.retryOf === undefined) sums.waiting += between
    else sums.retry += between
    const inHand = Math.max(0, span.endMs - Math.max(span.takenMs, fromMs))
    const service = Math.min(inHand, span.serviceMs)
    if (isFailed) sums.retry += inHand
    else {
      sums.service += service
      sums.other += inHand - service
    }
    at = next ?? -1
  }
  const totalMs = sums.waiting + sums.service + sums.retry + sums.other
  const share = (ms: number): number => (totalMs === 0 ? 0 : ms / totalMs)
  return {
    spans: way,
    totalMs,
    waiting: share(sums.waiting),
    service: share(sums.service),
    retry: share(sums.retry),
    other: share(sums.other),
  }
}

function latest(spans: readonly Span[], places: readonly number[]): number | undefined {
  return places.reduce<number | undefined>(
    (found, place) => (found === undefined || spans[place]!.endMs > spans[found]!.endMs ? place : found),
    undefined,
  )
}
