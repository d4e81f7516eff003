import type { GraphData } from '../graph/types.ts'
import type { TraceEvent } from './event.ts'

/** A run that events are of. Its graph names nodes and edges, and is what exports draw. */
export interface TraceRun {
  readonly pipeline: string
  readonly run: string
  readonly startedAt: number
  readonly graph?: GraphData
}

/** Which events are read: all that hold of them. Times are those of the hand-off; `to` is no longer part of it. */
export interface TraceRange {
  readonly pipeline?: string | undefined
  readonly run?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Events that count for one of these traces. */
  readonly traces?: ReadonlySet<string> | undefined
}

/** Where questions get their events: recent memory or a store. */
export interface TraceSource {
  runs(): Promise<readonly TraceRun[]>
  /** Each event once, in any order, a block at a time. */
  read(range?: TraceRange): AsyncIterable<readonly TraceEvent[]>
}

/** Whether an event is in the range: what a source says by its index, this says of one event. */
export function isInRange(event: TraceEvent, { pipeline, run, from, to, traces }: TraceRange): boolean {
  return (
    (pipeline === undefined || event.pipeline === pipeline) &&
    (run === undefined || event.run === run) &&
    (from === undefined || event.handedOffAt >= from) &&
    (to === undefined || event.handedOffAt < to) &&
    (traces === undefined || event.traces.some((trace) => traces.has(trace)))
  )
}

/** All events of a range, in the order of their times. */
export async function eventsOf(source: TraceSource, range: TraceRange = {}): Promise<TraceEvent[]> {
  const events: TraceEvent[] = []
  for await (const block of source.read(range)) for (const event of block) events.push(event)
  return events.sort(byTime)
}

/** Earlier hand-offs first; of one time, as the tracer read them. */
export function byTime(a: TraceEvent, b: TraceEvent): number {
  return a.handedOffAt - b.handedOffAt || a.sequence - b.sequence
}

/** Events by their run. */
export function byRun(events: readonly TraceEvent[]): Map<string, TraceEvent[]> {
  const runs = new Map<string, TraceEvent[]>()
  for (const event of events) {
    const known = runs.get(event.run)
    if (known === undefined) runs.set(event.run, [event])
    else known.push(event)
  }
  return runs
}
