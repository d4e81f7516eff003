import type { TraceEvent, TracedRecords } from '../../event.ts'

/** An event as SQL stores keep it: what is asked for by index, and the whole as JSON. */
interface EventRow {
  readonly run: string
  readonly sequence: number
  readonly at: number
  readonly pipeline: string
  readonly kind: string
  readonly node: string
  readonly outcome: string
  readonly serviceMs: number
  readonly error: string | undefined
  readonly traces: readonly string[]
  readonly json: string
}

/** A frame that arrived at a stage: what `data_flow_events` makes a row for each record of. */
interface TransferRow {
  readonly run: string
  readonly sequence: number
  readonly place: number
  readonly at: number
  readonly edge: number
  readonly source: string
  readonly destination: string
  readonly records: number
  /** Of one record. */
  readonly transferNs: number
  readonly recordBytes: number
  readonly base: string
  readonly first: number
  readonly trace: string
  readonly status: string
}

/** No more records are in one row: a view that makes a row of each has to count that far. */
const MAX_RECORDS = 4_096

export function eventRow(event: TraceEvent): EventRow {
  const { run, sequence, handedOffAt, pipeline, kind, node, outcome, serviceMs, error, traces } = event
  const told = error === undefined ? undefined : `${error.code}: ${error.message}`
  return {
    run,
    sequence,
    at: handedOffAt,
    pipeline,
    kind,
    node,
    outcome,
    serviceMs,
    error: told,
    traces,
    json: JSON.stringify(event),
  }
}

/** Who sends over an edge is known from what was sent before, else from the graph. */
export class TransferRows {
  readonly #senders = new Map<string, string>()

  learn(run: string, edge: number, node: string): void {
    this.#senders.set(`${run} ${edge}`, node)
  }

  of(event: TraceEvent): TransferRow[] {
    for (const { edge } of event.outputs) this.learn(event.run, edge, event.node)
    // A record arrives once, however often it is tried.
    if (event.attempt > 0 || event.epoch > 0) return []
    let place = 0
    return event.inputs.flatMap((input) => partsOf(input).flatMap((part) => this.#row(event, part, place++) ?? []))
  }

  #row(
    event: TraceEvent,
    { edge, base, first, count, bytes = 0, writtenAt }: TracedRecords,
    place: number,
  ): TransferRow | undefined {
    if (edge === undefined) return undefined
    const { run, sequence, node, takenAt, traces, outcome } = event
    return {
      run,
      sequence,
      place,
      at: takenAt,
      edge,
      source: this.#senders.get(`${run} ${edge}`) ?? '?',
      destination: node,
      records: count,
      transferNs: Math.max(0, Math.round((takenAt - (writtenAt ?? takenAt)) * 1e6)),
      recordBytes: bytes / count,
      base,
      first,
      trace: traces[0] ?? '',
      status: outcome,
    }
  }
}

function partsOf(records: TracedRecords): TracedRecords[] {
  const { first, count, bytes = 0 } = records
  if (count <= MAX_RECORDS) return [records]
  return Array.from({ length: Math.ceil(count / MAX_RECORDS) }, (_, i) => {
    const part = Math.min(MAX_RECORDS, count - i * MAX_RECORDS)
    return { ...records, first: first + i * MAX_RECORDS, count: part, bytes: (bytes * part) / count }
  })
}
