import type { TraceEvent } from '../event.ts'
import { byRun, eventsOf, type TraceRange, type TraceSource } from '../source.ts'
import { Passages, passagesOf, recordOf } from './passages.ts'

/**
 * `lost`: sent, not seen to arrive, and its trace has ended. `inFlight`: the same, and its trace is open. `unsent`: arrived, and no
 * event tells who sent it. `doubled`: taken to its end by one stage more than once.
 */
export type FindingKind = 'lost' | 'inFlight' | 'unsent' | 'doubled'

/** Records of one frame of which the books do not balance. */
export interface Finding {
  readonly kind: FindingKind
  readonly edge: number
  /** Who sent it, or where it was unsent or doubled, who took it; and the event that tells of it. */
  readonly node: string
  readonly run: string
  readonly sequence: number
  readonly traces: readonly string[]
  readonly records: readonly string[]
}

/** One edge: what was sent, what arrived, and what counters say. */
export interface EdgeBooks {
  readonly edge: number
  readonly sent: number
  readonly arrived: number
  readonly inFlight: number
  readonly lost: number
  /** As counters have it for the same time, where they were given, and what events have more. */
  readonly counted?: number
  readonly difference?: number
}

/** The books of what was traced. */
export interface Audit {
  readonly isBalanced: boolean
  readonly edges: readonly EdgeBooks[]
  readonly findings: readonly Finding[]
  /** Traces with events that were dropped: what misses there is unknown, and no finding. */
  readonly incompleteTraces: number
  readonly events: number
}

export interface AuditOptions extends TraceRange {
  /** Records that were sent over each edge, by its index. Only with all traced they can be the same. */
  readonly counts?: ReadonlyMap<number, number> | undefined
}

/** Looks for records that were sent and did not arrive, arrived and were not sent, or were taken twice. */
export async function audit(source: TraceSource, { counts, ...range }: AuditOptions = {}): Promise<Audit> {
  const events = await eventsOf(source, range)
  const books = new Books(events)
  for (const runEvents of byRun(events).values()) books.look(runEvents)
  const edges = books.edges(counts)
  const isBalanced =
    books.findings.every(({ kind }) => kind === 'inFlight') && edges.every(({ difference = 0 }) => difference === 0)
  return { isBalanced, edges, findings: books.findings, incompleteTraces: books.incomplete.size, events: events.length }
}

class Books {
  readonly findings: Finding[] = []
  readonly incomplete = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #edges = new Map<number, { sent: number; arrived: number; inFlight: number; lost: number }>()

  constructor(events: readonly TraceEvent[]) {
    for (const { kind, traces, isIncomplete } of events)
      for (const trace of traces) {
        if (isIncomplete) this.incomplete.add(trace)
        if (kind === 'end') this.#ended.add(trace)
      }
  }

  look(events: readonly TraceEvent[]): void {
    const passages = new Passages(events)
    for (const event of passages.events) {
      const isKnown = event.traces.every((trace) => !this.incomplete.has(trace))
      this.#lookBelow(event, passages, isKnown)
      if (isKnown) this.#lookAbove(event, passages)
    }
  }

  #lookBelow(event: TraceEvent, passages: Passages, isKnown: boolean): void {
    const isEnded = event.traces.every((trace) => this.#ended.has(trace))
    for (const output of event.outputs) {
      const missing: string[] = []
      const doubled: string[] = []
      for (let index = 0; index < output.count; index++) {
        const arrivals = passages.arrivals(event, output, index)
        if (arrivals[0]!.side === 'sent') missing.push(recordOf(arrivals[0]!))
        else if (new Set(arrivals.filter((each) => isFinal(each.event)).map((each) => handOf(each.event))).size > 1)
          doubled.push(recordOf(arrivals[0]!))
      }
      const edge = this.#edge(output.edge)
      edge.sent += output.count
      edge.arrived += output.count - missing.length
      if (!isEnded) edge.inFlight += missing.length
      else if (isKnown) edge.lost += missing.length
      if (!isEnded || isKnown) this.#note(isEnded ? 'lost' : 'inFlight', event, output.edge, missing)
      if (isKnown) this.#note('doubled', event, output.edge, doubled)
    }
  }

  #lookAbove(event: TraceEvent, passages: Passages): void {
    const unsent = new Map<number, string[]>()
    for (const passage of passagesOf(event)) {
      const { edge } = passage.records
      if (passage.side !== 'taken' || edge === undefined || passages.isSent(passage)) continue
      unsent.set(edge, [...(unsent.get(edge) ?? []), recordOf(passage)])
    }
    for (const [edge, records] of unsent) this.#note('unsent', event, edge, records)
  }

  #note(
    kind: FindingKind,
    { node, run, sequence, traces }: TraceEvent,
    edge: number,
    records: readonly string[],
  ): void {
    if (records.length > 0) this.findings.push({ kind, edge, node, run, sequence, traces, records })
  }

  #edge(edge: number): { sent: number; arrived: number; inFlight: number; lost: number } {
    const known = this.#edges.get(edge) ?? { sent: 0, arrived: 0, inFlight: 0, lost: 0 }
    this.#edges.set(edge, known)
    return known
  }

  edges(counts: ReadonlyMap<number, number> | undefined): EdgeBooks[] {
    for (const edge of counts?.keys() ?? []) this.#edge(edge)
    return [...this.#edges]
      .sort(([a], [b]) => a - b)
      .map(([edge, books]) => {
        const counted = counts?.get(edge)
        return { edge, ...books, ...(counted === undefined ? {} : { counted, difference: books.sent - counted }) }
      })
  }
}

/** Attempts that failed or died are followed by others. */
function isFinal({ outcome }: TraceEvent): boolean {
  return outcome !== 'retried' && outcome !== 'died'
}

/** What one hand-off tells in several events is one taking. */
function handOf({ node, worker, epoch, takenAt }: TraceEvent): string {
  return `${node} ${worker} ${epoch} ${takenAt}`
}
