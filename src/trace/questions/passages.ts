import type { TracedOutput, TraceEvent, TracedRecords } from '../event.ts'
import { byTime } from '../source.ts'
import { BaseIndex } from './base-index.ts'
import { childPlaces, countOf, inputAt, parentPlaces } from './origins.ts'
import { idIn, RecordFinder } from './record-ids.ts'

/**
 * One record at one hop: `taken` by a stage, `made` by a source, or `sent` and not seen to arrive. A record that passes several
 * stages unchanged has the same id in several passages; so has one that is tried again.
 */
export interface Passage {
  readonly side: 'taken' | 'made' | 'sent'
  readonly event: TraceEvent
  readonly records: TracedRecords
  /** Place among `records`, and among all that the event took, or sent. */
  readonly index: number
  readonly place: number
}

interface Sent {
  readonly event: TraceEvent
  readonly output: TracedOutput
  readonly place: number
}

interface Taken {
  readonly event: TraceEvent
  readonly input: TracedRecords
  readonly place: number
}

/** Clocks are read in microseconds; the same moment may be a little earlier on the other side. */
const CLOCK_MS = 0.002

/** Passages of the records in events of one run, and which came of which. */
export class Passages {
  readonly #sent = new BaseIndex<Sent>()
  readonly #taken = new BaseIndex<Taken>()
  readonly #senders: Set<string>
  readonly events: readonly TraceEvent[]

  /** @param senders stages that are known to send to others */
  constructor(events: readonly TraceEvent[], senders: Iterable<string> = []) {
    this.#senders = new Set(senders)
    this.events = events.toSorted(byTime)
    for (const event of this.events) {
      let place = 0
      for (const output of event.outputs) {
        this.#senders.add(event.node)
        this.#sent.add(output, { event, output, place })
        place += output.count
      }
      place = 0
      for (const input of event.inputs) {
        this.#taken.add(input, { event, input, place })
        place += input.count
      }
    }
  }

  /** All passages of a record, in the order of time. */
  of(record: string): Passage[] {
    const finder = new RecordFinder(record)
    const found: Passage[] = []
    for (const event of this.events) {
      const isMade = event.inputs.length === 0
      collect(event.inputs, finder, (at) => found.push({ ...at, event, side: 'taken' }))
      collect(event.outputs, finder, (at) => {
        if (isMade) found.push({ ...at, event, side: 'made' })
        found.push(...this.arrivals(event, at.records as TracedOutput, at.index).filter(({ side }) => side === 'sent'))
      })
    }
    return found
  }

  /** What a passage came of: nothing at its source, else one passage of each record that went into it. */
  parents(passage: Passage): Passage[] {
    if (passage.side === 'made') return []
    const sent = passage.side === 'sent' ? passage : this.#senderOf(passage)
    if (sent === undefined) return []
    const { event, records: output, index, place } = sent
    if (event.inputs.length === 0) return [{ side: 'made', event, records: output, index, place }]
    return parentPlaces(event, output as TracedOutput, index).map((parent) => takenAt(event, parent))
  }

  /** What came of it next: passages of stages below, once for each attempt, and what was not seen to arrive. */
  children(passage: Passage): Passage[] {
    const { side, event, records, index } = passage
    if (side === 'sent') return []
    if (side === 'made') return this.arrivals(event, records as TracedOutput, index)
    return event.outputs.flatMap((output) =>
      childPlaces(event, output, passage.place).flatMap((child) => this.arrivals(event, output, child)),
    )
  }

  /** Who took a record that was sent. */
  arrivals(event: TraceEvent, output: TracedOutput, index: number): Passage[] {
    const number = output.first + index
    const arrived = this.#taken.around(output.base, number).flatMap((taken): Passage[] => {
      const at = number - taken.input.first
      if (!isOverEdge(output, taken.input) || at < 0 || at >= taken.input.count) return []
      const passage: Passage = {
        side: 'taken',
        event: taken.event,
        records: taken.input,
        index: at,
        place: taken.place + at,
      }
      const sender = this.#senderOf(passage)
      return sender?.event === event && sender.records === output ? [passage] : []
    })
    if (arrived.length > 0) return arrived
    const place = event.outputs.slice(0, event.outputs.indexOf(output)).reduce((sum, { count }) => sum + count, index)
    return [{ side: 'sent', event, records: output, index, place }]
  }

  /** Whether an event tells who sent what was taken. */
  isSent(passage: Passage): boolean {
    return this.#senderOf(passage) !== undefined
  }

  /** All events that took this very record from this very frame, and where it stands in them. */
  takingsAt(records: TracedRecords, index: number): Pick<Passage, 'event' | 'records' | 'index' | 'place'>[] {
    const number = records.first + index
    return this.#taken
      .around(records.base, number)
      .filter(({ input }) => number >= input.first && number < input.first + input.count && input.edge === records.edge)
      .map(({ event, input, place }) => ({
        event,
        records: input,
        index: number - input.first,
        place: place + number - input.first,
      }))
  }

  /** Whether a stage sends to others, as far as is known. */
  sends(node: string): boolean {
    return this.#senders.has(node)
  }

  /** Who sent what was taken. In a loop a record passes an edge again and again: the last one before it was taken. */
  #senderOf({ event, records, index }: Passage): Passage | undefined {
    const number = records.first + index
    const time = (records.writtenAt ?? event.takenAt) + CLOCK_MS
    let found: Sent | undefined
    let foundAt = 0
    for (const sent of this.#sent.around(records.base, number)) {
      const at = number - sent.output.first
      // What waited in the stash does not say over which edge it came; it did not come from its own hop.
      if (sent.event === event) continue
      if (!isOverEdge(sent.output, records) || at < 0 || at >= sent.output.count) continue
      const sentAt = sent.output.writtenAt ?? sent.event.handedOffAt
      const isBetter = found === undefined || (sentAt <= time ? sentAt > foundAt || foundAt > time : sentAt < foundAt)
      if (isBetter) [found, foundAt] = [sent, sentAt]
    }
    if (found === undefined) return undefined
    const at = number - found.output.first
    return { side: 'sent', event: found.event, records: found.output, index: at, place: found.place + at }
  }
}

/** The id of the record of a passage. */
export function recordOf({ records, index }: Passage): string {
  return idIn(records, index)
}

/** All that an event took, or where it took nothing, made. */
export function passagesOf(event: TraceEvent): Passage[] {
  if (event.inputs.length > 0) return Array.from({ length: countOf(event.inputs) }, (_, place) => takenAt(event, place))
  let before = 0
  return event.outputs.flatMap((records) => {
    const first = before
    before += records.count
    return Array.from({ length: records.count }, (_, index): Passage => ({
      side: 'made',
      event,
      records,
      index,
      place: first + index,
    }))
  })
}

function collect(
  all: readonly TracedRecords[],
  finder: RecordFinder,
  add: (found: Pick<Passage, 'records' | 'index' | 'place'>) => void,
): void {
  let before = 0
  for (const records of all) {
    const index = finder.placeIn(records)
    if (index >= 0) add({ records, index, place: before + index })
    before += records.count
  }
}

function takenAt(event: TraceEvent, place: number): Passage {
  const { input, index } = inputAt(event, place)
  return { side: 'taken', event, records: input, index, place }
}

function isOverEdge(output: TracedOutput, input: TracedRecords): boolean {
  return input.edge === undefined || output.edge === input.edge
}
