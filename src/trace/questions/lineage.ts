import type { TraceEvent, TraceOutcome } from '../event.ts'
import { eventsOf, type TraceRange, type TraceSource } from '../source.ts'
import { Passages, type Passage, recordOf } from './passages.ts'
import { RecordFinder, resolvedId } from './record-ids.ts'

/** What became of a record at a hop. `sent`: on its way, or lost; the audit tells which. `written`: a sink ended it. */
export type Fate = 'made' | 'passed' | 'written' | 'sent' | Exclude<TraceOutcome, 'ok'>

/** One record at one hop. */
export interface LineageStep {
  readonly record: string
  readonly node: string
  readonly worker: number
  readonly epoch: number
  /** Edge over which it came, or is on its way. */
  readonly edge?: number | undefined
  readonly attempt: number
  readonly at: number
  /** Time on the lane, and in the handler with all others of its chunk. */
  readonly waitMs?: number | undefined
  readonly serviceMs: number
  readonly fate: Fate
  /** Why it did not go on. */
  readonly reason?: string | undefined
  readonly traces: readonly string[]
  /** The event that tells of it, in its run. */
  readonly sequence: number
}

/** The ancestors (`up`) or descendants (`down`) of a record, itself included. */
export interface Lineage {
  readonly record: string
  readonly direction: 'up' | 'down'
  readonly pipeline: string
  readonly run: string
  readonly steps: readonly LineageStep[]
  /** Pairs of places in `steps`: the second came of the first. */
  readonly links: readonly (readonly [from: number, to: number])[]
  /** False where events were dropped, cut or too many, so that something may be missing. */
  readonly isComplete: boolean
}

export interface LineageOptions extends Pick<TraceRange, 'pipeline' | 'run'> {
  readonly direction?: 'up' | 'down'
  /** Steps at most. Default: 10,000. */
  readonly limit?: number
}

/** Where a record came from, or what came of it. `undefined` where no event tells of it; of several runs, the last. */
export async function lineage(
  source: TraceSource,
  record: string,
  options: LineageOptions = {},
): Promise<Lineage | undefined> {
  const { direction = 'down', limit = 10_000, pipeline } = options
  const id = resolvedId(record)
  const first = await findRecord(source, id, options)
  if (first === undefined) return undefined
  const { run } = first
  const graph = (await source.runs()).find((each) => each.run === run)?.graph
  const senders = graph?.edges.map(({ from }) => from)
  const traces = new Set(first.traces)
  for (;;) {
    const walk = new Walk(new Passages(await eventsOf(source, { pipeline, run, traces }), senders), limit)
    walk.from(id, direction)
    const further = walk.traces.filter((trace) => !traces.has(trace))
    if (further.length === 0) return { record: id, direction, pipeline: first.pipeline, run, ...walk.result() }
    // A batch or join counts for other traces too: the records in it are told of by their events.
    for (const trace of further) traces.add(trace)
  }
}

/** An event of the last run that knows the record, with all traces that events of that run know it by. */
async function findRecord(
  source: TraceSource,
  record: string,
  { pipeline, run }: LineageOptions,
): Promise<{ readonly pipeline: string; readonly run: string; readonly traces: readonly string[] } | undefined> {
  const finder = new RecordFinder(record)
  const found = new Map<string, { pipeline: string; run: string; at: number; traces: Set<string> }>()
  for await (const block of source.read({ pipeline, run }))
    for (const event of block) {
      if (![...event.inputs, ...event.outputs].some((records) => finder.placeIn(records) >= 0)) continue
      const known = found.get(event.run) ?? { pipeline: event.pipeline, run: event.run, at: 0, traces: new Set() }
      for (const trace of event.traces) known.traces.add(trace)
      found.set(event.run, { ...known, at: Math.max(known.at, event.handedOffAt) })
    }
  const last = [...found.values()].sort((a, b) => b.at - a.at)[0]
  return last && { ...last, traces: [...last.traces] }
}

/** A walk over passages, each once, breadth first. */
class Walk {
  readonly #passages: Passages
  readonly #limit: number
  readonly #found = new Map<string, Passage>()
  readonly #links = new Set<string>()
  #isCut = false

  constructor(passages: Passages, limit: number) {
    this.#passages = passages
    this.#limit = limit
  }

  from(record: string, direction: 'up' | 'down'): void {
    const queue: Passage[] = []
    const add = (passage: Passage): string | undefined => {
      const key = keyOf(passage)
      if (this.#found.has(key)) return key
      if (this.#found.size >= this.#limit) {
        this.#isCut = true
        return undefined
      }
      this.#found.set(key, passage)
      queue.push(passage)
      return key
    }
    for (const passage of this.#passages.of(record)) add(passage)
    for (let at = 0; at < queue.length; at++) {
      const here = keyOf(queue[at]!)
      const next = direction === 'up' ? this.#passages.parents(queue[at]!) : this.#passages.children(queue[at]!)
      for (const passage of next) {
        const there = add(passage)
        if (there !== undefined) this.#links.add(direction === 'up' ? `${there} ${here}` : `${here} ${there}`)
      }
    }
  }

  get traces(): string[] {
    return [...new Set([...this.#found.values()].flatMap(({ event }) => event.traces))]
  }

  result(): Pick<Lineage, 'steps' | 'links' | 'isComplete'> {
    const told = [...this.#found].filter(([, passage]) => !isToldApart(passage, this.#passages))
    told.sort(([, a], [, b]) => timeOf(a) - timeOf(b) || a.event.sequence - b.event.sequence || a.place - b.place)
    const places = new Map(told.map(([key], place) => [key, place]))
    const links = [...this.#links].flatMap((link): [number, number][] => {
      const [from, to] = link.split(' ').map((key) => places.get(key))
      return from === undefined || to === undefined ? [] : [[from, to]]
    })
    const isComplete = !this.#isCut && told.every(([, { event }]) => !event.isIncomplete && !event.isTruncated)
    return {
      steps: told.map(([, passage]) => stepOf(passage, this.#passages)),
      links: links.sort(([a, b], [c, d]) => a - c || b - d),
      isComplete,
    }
  }
}

function keyOf({ side, event, place }: Passage): string {
  return `${event.sequence}:${side}${place}`
}

function timeOf({ side, event }: Passage): number {
  return side === 'taken' ? event.takenAt : event.handedOffAt
}

/** Whether another event of the same attempt tells better what became of a record: each is one step. */
function isToldApart(passage: Passage, passages: Passages): boolean {
  const { side, event } = passage
  if (side !== 'taken') return false
  const others = othersOf(passage, passages)
  if (goesOn(passage, passages)) return false
  // What a stage sent in its place, to an error edge say, stands in the event of the chunk.
  if (others.some((other) => goesOn({ ...passage, ...other }, passages))) return true
  if (event.outcome !== 'ok') return false
  // Outputs that did not fit at once are told of in several events.
  return others.some((other) => other.event.outcome !== 'ok' || other.event.sequence > event.sequence)
}

function goesOn(passage: Passage, passages: Passages): boolean {
  return passage.event.outputs.length > 0 && passages.children(passage).length > 0
}

/** The same attempt as other events tell it. */
function othersOf(
  { event, records, index }: Passage,
  passages: Passages,
): Pick<Passage, 'event' | 'records' | 'index' | 'place'>[] {
  return passages
    .takingsAt(records, index)
    .filter((other) => other.event !== event && isSameAttempt(event, other.event))
}

function isSameAttempt(a: TraceEvent, b: TraceEvent): boolean {
  return a.node === b.node && a.worker === b.worker && a.attempt === b.attempt && a.takenAt === b.takenAt
}

function stepOf(passage: Passage, passages: Passages): LineageStep {
  const { side, event, records } = passage
  const { node, worker, epoch, attempt, serviceMs, traces, sequence } = event
  const givenUp = othersOf(passage, passages).find((other) => other.event.outcome !== 'ok')?.event
  const fate = side === 'taken' && givenUp !== undefined ? (givenUp.outcome as Fate) : fateOf(passage, passages)
  const error = event.error ?? givenUp?.error
  const waitMs = side === 'taken' && records.writtenAt !== undefined ? event.takenAt - records.writtenAt : undefined
  const told = error === undefined ? undefined : `${error.code}: ${error.message}`
  const reason = told ?? (fate === 'filtered' ? `${node} sent nothing on` : undefined)
  return {
    record: recordOf(passage),
    node,
    worker,
    epoch,
    edge: records.edge,
    attempt,
    at: timeOf(passage),
    waitMs,
    serviceMs: side === 'sent' ? 0 : serviceMs,
    fate,
    reason,
    traces,
    sequence,
  }
}

function fateOf(passage: Passage, passages: Passages): Fate {
  const { side, event } = passage
  if (side !== 'taken') return side
  if (event.outcome !== 'ok') return event.outcome
  if (event.outputs.length > 0 && passages.children(passage).length > 0) return 'passed'
  return event.outputs.length > 0 || passages.sends(event.node) ? 'filtered' : 'written'
}
