import type { TraceEvent } from '../event.ts'
import { countOf } from '../questions/origins.ts'
import { Senders } from '../questions/senders.ts'
import { waitOf } from '../questions/trace-filter.ts'
import { Message } from './protobuf.ts'

/** Numbers of the fields of Perfetto's messages that are used here. */
const PACKET = 1
const TRACE_PACKET = { timestamp: 8, sequenceId: 10, trackEvent: 11, trackDescriptor: 60 }
const TRACK_DESCRIPTOR = { uuid: 1, name: 2, process: 3, parentUuid: 5 }
const PROCESS_DESCRIPTOR = { pid: 1, processName: 6 }
const TRACK_EVENT = { annotations: 4, type: 9, trackUuid: 11, categories: 22, name: 23, flowIds: 47, endingFlowIds: 48 }
const ANNOTATION = { bool: 2, double: 5, text: 6, name: 10 }
const BEGIN = 1
const END = 2
const SEQUENCE_ID = 1

/**
 * Events as a file that ui.perfetto.dev opens: a process for each run, a track for each worker, a slice for each hop, and arrows
 * from who sent to who took.
 */
export function toPerfetto(events: readonly TraceEvent[]): Buffer {
  const writer = new PerfettoWriter(events)
  return writer.write()
}

class PerfettoWriter {
  readonly #events: readonly TraceEvent[]
  readonly #tracks = new Map<string, number>()
  readonly #packets: { readonly at: number; readonly order: number; readonly packet: Message }[] = []
  readonly #descriptors: Message[] = []
  /** Flows that begin and end at each event. */
  readonly #begins = new Map<TraceEvent, bigint[]>()
  readonly #ends = new Map<TraceEvent, bigint[]>()

  constructor(events: readonly TraceEvent[]) {
    this.#events = events.toSorted(
      (a, b) => a.takenAt - b.takenAt || b.handedOffAt - a.handedOffAt || a.sequence - b.sequence,
    )
  }

  write(): Buffer {
    this.#join()
    const busyUntil = new Map<string, number[]>()
    for (const event of this.#events) this.#slice(event, busyUntil)
    const packets = this.#packets.toSorted((a, b) => a.at - b.at || a.order - b.order).map(({ packet }) => packet)
    return Buffer.concat(
      [...this.#descriptors, ...packets].map((packet) => new Message().message(PACKET, packet).finish()),
    )
  }

  #join(): void {
    const senders = new Senders(this.#events)
    let flow = 0n
    for (const event of this.#events)
      for (const sender of senders.of(event)) {
        flow++
        this.#begins.set(sender, [...(this.#begins.get(sender) ?? []), flow])
        this.#ends.set(event, [...(this.#ends.get(event) ?? []), flow])
      }
  }

  /** Slices of a track must lie within each other: what overlaps goes to a further track of the same worker. */
  #slice(event: TraceEvent, busyUntil: Map<string, number[]>): void {
    const { pipeline, run, node, worker, takenAt, handedOffAt, kind } = event
    const key = `${run} ${node} ${worker}`
    const lanes = busyUntil.get(key) ?? []
    busyUntil.set(key, lanes)
    const free = lanes.findIndex((until) => until <= takenAt)
    const lane = free < 0 ? lanes.length : free
    lanes[lane] = handedOffAt
    const track = this.#track(`${key} ${lane}`, `${node} worker ${worker}`, this.#process(run, pipeline))
    const begin = new Message().number(TRACK_EVENT.type, BEGIN).number(TRACK_EVENT.trackUuid, track)
    begin.text(TRACK_EVENT.categories, kind).text(TRACK_EVENT.name, node)
    for (const id of this.#begins.get(event) ?? []) begin.fixed64(TRACK_EVENT.flowIds, id)
    for (const id of this.#ends.get(event) ?? []) begin.fixed64(TRACK_EVENT.endingFlowIds, id)
    for (const [name, value] of Object.entries(annotationsOf(event)))
      begin.message(TRACK_EVENT.annotations, annotation(name, value))
    const end = new Message().number(TRACK_EVENT.type, END).number(TRACK_EVENT.trackUuid, track)
    // Of one moment, what ends comes before what begins, but never before its own beginning.
    this.#packet(takenAt, this.#packets.length, begin)
    this.#packet(handedOffAt, handedOffAt > takenAt ? -1 : this.#packets.length, end)
  }

  #packet(at: number, order: number, trackEvent: Message): void {
    const packet = new Message().number(TRACE_PACKET.timestamp, BigInt(Math.round(at * 1_000)) * 1_000n)
    packet.number(TRACE_PACKET.sequenceId, SEQUENCE_ID).message(TRACE_PACKET.trackEvent, trackEvent)
    this.#packets.push({ at, order, packet })
  }

  #process(run: string, pipeline: string): number {
    return this.#described(run, (uuid) =>
      new Message()
        .number(TRACK_DESCRIPTOR.uuid, uuid)
        .message(
          TRACK_DESCRIPTOR.process,
          new Message().number(PROCESS_DESCRIPTOR.pid, uuid).text(PROCESS_DESCRIPTOR.processName, pipeline),
        ),
    )
  }

  #track(key: string, name: string, parent: number): number {
    return this.#described(key, (uuid) =>
      new Message()
        .number(TRACK_DESCRIPTOR.uuid, uuid)
        .text(TRACK_DESCRIPTOR.name, name)
        .number(TRACK_DESCRIPTOR.parentUuid, parent),
    )
  }

  #described(key: string, describe: (uuid: number) => Message): number {
    const known = this.#tracks.get(key)
    if (known !== undefined) return known
    const uuid = this.#tracks.size + 1
    this.#tracks.set(key, uuid)
    this.#descriptors.push(
      new Message().number(TRACE_PACKET.sequenceId, SEQUENCE_ID).message(TRACE_PACKET.trackDescriptor, describe(uuid)),
    )
    return uuid
  }
}

function annotationsOf(event: TraceEvent): Readonly<Record<string, string | number | boolean>> {
  const { traces, attempt, epoch, outcome, serviceMs, inputs, outputs, error, attributes } = event
  return {
    trace: traces.join(' '),
    outcome,
    taken: countOf(inputs),
    sent: countOf(outputs),
    waitMs: waitOf(event),
    serviceMs,
    attempt,
    epoch,
    ...(error === undefined ? {} : { error: `${error.code}: ${error.message}` }),
    ...attributes,
  }
}

function annotation(name: string, value: string | number | boolean): Message {
  const message = new Message().text(ANNOTATION.name, name)
  if (typeof value === 'boolean') return message.bool(ANNOTATION.bool, value)
  return typeof value === 'number' ? message.double(ANNOTATION.double, value) : message.text(ANNOTATION.text, value)
}
