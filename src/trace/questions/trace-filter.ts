import type { TraceEvent } from '../event.ts'
import type { TraceRange } from '../source.ts'
import { countOf } from './origins.ts'
import { RecordFinder } from './record-ids.ts'
import type { TraceStatus, TraceSummary } from './trace-summary.ts'
import { matches } from './wildcard.ts'

/**
 * Which traces: one event of a trace must be as all of the first part says, and the trace as a whole as the second. In texts,
 * `*` stands for anything.
 */
export interface TraceFilter extends TraceRange {
  readonly node?: string | undefined
  /** Index of an edge that an event took from or sent over. */
  readonly edge?: number | undefined
  readonly kind?: string | undefined
  readonly outcome?: string | undefined
  readonly record?: string | undefined
  readonly attributes?: Readonly<Record<string, string>> | undefined
  /** Time in the handler, and on the lane. */
  readonly minServiceMs?: number | undefined
  readonly minWaitMs?: number | undefined
  readonly maxWaitMs?: number | undefined
  /** Time in the handler for each of its records. */
  readonly minCallMs?: number | undefined
  readonly maxCallMs?: number | undefined
  /** Bytes that one event took and sent. */
  readonly minBytes?: number | undefined
  readonly maxBytes?: number | undefined
  readonly error?: string | undefined

  readonly trace?: string | undefined
  readonly status?: TraceStatus | undefined
  readonly minMs?: number | undefined
  readonly maxMs?: number | undefined
}

/** Whether an event is as the first part of a filter says. */
export function eventMatcher(filter: TraceFilter): (event: TraceEvent) => boolean {
  const { node, edge, kind, outcome, record, attributes, error, minBytes, maxBytes } = filter
  const isInTime = timeMatcher(filter)
  const finder = record === undefined ? undefined : new RecordFinder(record)
  const wanted = Object.entries(attributes ?? {})
  return (event) =>
    (node === undefined || matches(node, event.node)) &&
    (kind === undefined || matches(kind, event.kind)) &&
    (outcome === undefined || matches(outcome, event.outcome)) &&
    (edge === undefined || recordsOf(event).some((records) => records.edge === edge)) &&
    isInTime(event) &&
    (minBytes === undefined || bytesOf(event) >= minBytes) &&
    (maxBytes === undefined || bytesOf(event) <= maxBytes) &&
    (error === undefined ||
      (event.error !== undefined && matches(error, `${event.error.code}: ${event.error.message}`))) &&
    wanted.every(([name, pattern]) => hasAttribute(event, name, pattern)) &&
    (finder === undefined || recordsOf(event).some((records) => finder.placeIn(records) >= 0))
}

function timeMatcher(filter: TraceFilter): (event: TraceEvent) => boolean {
  const { minServiceMs = 0, minWaitMs = 0, maxWaitMs = Infinity, minCallMs = 0, maxCallMs = Infinity } = filter
  return (event) => {
    const wait = waitOf(event)
    const call = event.serviceMs / Math.max(1, countOf(event.inputs))
    return (
      event.serviceMs >= minServiceMs &&
      wait >= minWaitMs &&
      wait <= maxWaitMs &&
      call >= minCallMs &&
      call <= maxCallMs
    )
  }
}

/** Whether a trace is as the second part says. */
export function isWanted(summary: TraceSummary, { trace, status, minMs = 0, maxMs = Infinity }: TraceFilter): boolean {
  return (
    (trace === undefined || matches(trace, summary.trace)) &&
    (status === undefined || summary.status === status) &&
    summary.durationMs >= minMs &&
    summary.durationMs <= maxMs
  )
}

function recordsOf({
  inputs,
  outputs,
}: TraceEvent): readonly { edge?: number; base: string; first: number; count: number }[] {
  return [...inputs, ...outputs]
}

/** The longest time that anything the event took was on its lane. */
export function waitOf({ inputs, takenAt }: TraceEvent): number {
  return Math.max(0, ...inputs.map(({ writtenAt = takenAt }) => takenAt - writtenAt))
}

function bytesOf(event: TraceEvent): number {
  return [...event.inputs, ...event.outputs].reduce((sum, { bytes = 0 }) => sum + bytes, 0)
}

function hasAttribute({ attributes }: TraceEvent, name: string, pattern: string): boolean {
  const value = attributes !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : undefined
  return value !== undefined && matches(pattern, String(value))
}
