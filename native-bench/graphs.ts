/** The graphs that the suites run. Workers import this module; each finds its gate by the graph's name. */
import { availableParallelism } from 'node:os'
import { type GraphData, dataflow } from 'millrace'
import { gateOf } from './gate.ts'
import { dueRecords, timing } from './one-way.ts'
import { INTS, type Kind, PAYLOAD, type Payload, SIX_FIELDS, type SixFields } from './records.ts'
import { steps, work } from './work.ts'

const STEPS = steps()
/** How long the last batch of a burst waits for more: a rival's last message is not held back either. */
export const LAST_BATCH_MS = 2

/** Streams of integers go in large chunks. */
const [INTS_WINDOW, INTS_CHUNK, INTS_DEMAND] = [524_288, 8_192, 131_072]

/** A source's handler: makes the records that the gate asks for. */
export function feed<T>(name: string, kind: Kind<T>): (demand: number) => T[] {
  const gate = gateOf(name)
  return (demand) => {
    const count = gate.allowed(demand)
    const records = new Array<T>(count)
    for (let i = 0; i < count; i++) records[i] = kind.make(gate.next++)
    return records
  }
}

function feedInts(name: string): (demand: number) => Int32Array {
  const gate = gateOf(name)
  return (demand) => {
    const records = new Int32Array(gate.allowed(demand))
    for (let i = 0; i < records.length; i++) records[i] = INTS.make(gate.next++)
    return records
  }
}

/** In place: the array is lent for the call. */
function mapInts(records: number[]): number[] {
  for (let i = 0; i < records.length; i++) records[i] = INTS.map(records[i]!)
  return records
}

/** A sink's handler: adds up what arrives. */
export function tally<T>(name: string, kind: Kind<T>): (records: ArrayLike<T>) => void {
  const gate = gateOf(name)
  return (records) => {
    let sum = 0
    for (let i = 0; i < records.length; i++) sum += kind.sumOf(records[i]!)
    gate.arrived(records.length, sum)
  }
}

function withWork({ id, payload }: Payload): Payload {
  work(STEPS)
  return { id: id + 1, payload }
}

/** source → sink. */
function hopGraph(name: string, codec: 'shape' | 'msgpack'): GraphData {
  return dataflow(name, import.meta.url)
    .source('source', { poll: feed(name, SIX_FIELDS) })
    .sink('sink', { batch: { size: 256, timeoutMs: LAST_BATCH_MS }, write: tally(name, SIX_FIELDS) })
    .connect('source', 'sink', { codec })
}
export const hop: GraphData = hopGraph('hop', 'shape')
export const hopMsgpack: GraphData = hopGraph('hopMsgpack', 'msgpack')

/** source → transform × workers → sink in batches of 100. */
export function pipelineGraph(
  name: string,
  module: string,
  given: { workers: number; kind: Kind<Payload>; map: (record: Payload) => Payload },
): GraphData {
  return dataflow(name, module)
    .source('source', { poll: feed(name, given.kind) })
    .transform('transform', { concurrency: given.workers, map: given.map })
    .sink('sink', { batch: { size: 100, timeoutMs: LAST_BATCH_MS }, write: tally(name, given.kind) })
    .connect('source', 'transform')
    .connect('transform', 'sink')
}
const trivial = (name: string, workers: number): GraphData =>
  pipelineGraph(name, import.meta.url, { workers, kind: PAYLOAD, map: PAYLOAD.map })
const working = (name: string, workers: number): GraphData =>
  pipelineGraph(name, import.meta.url, { workers, kind: PAYLOAD, map: withWork })

export const pipeline: GraphData = trivial('pipeline', 2)
/** The same for each share of traced chunks. */
export const traceNone: GraphData = trivial('traceNone', 2)
export const traceOff: GraphData = trivial('traceOff', 2)
export const traceOne: GraphData = trivial('traceOne', 2)
export const traceTen: GraphData = trivial('traceTen', 2)
export const traceAll: GraphData = trivial('traceAll', 2)
/** 20 µs of work a record, by so many workers. */
export const work1: GraphData = working('work1', 1)
export const work2: GraphData = working('work2', 2)

/** The same with source and transform in one worker. */
export const fused: GraphData = dataflow('fused', import.meta.url)
  .source('source', { poll: feed('fused', PAYLOAD) })
  .transform('transform', { map: PAYLOAD.map })
  .sink('sink', { batch: { size: 100, timeoutMs: LAST_BATCH_MS }, write: tally('fused', PAYLOAD) })
  .connect('source', 'transform', { fuse: true })
  .connect('transform', 'sink')

/** Integers in arrays of integers, as a rival without a library would have them. */
export const ints: GraphData = dataflow('ints', import.meta.url)
  .source('source', { poll: feedInts('ints'), window: INTS_WINDOW, chunk: INTS_CHUNK })
  .transform('transform', { batch: { size: INTS_CHUNK, timeoutMs: LAST_BATCH_MS }, mapBatch: mapInts })
  .sink('sink', { batch: { size: INTS_CHUNK, timeoutMs: LAST_BATCH_MS }, write: tally('ints', INTS) })
  .connect('source', 'transform', { codec: { struct: 'i32', view: true }, maxDemand: INTS_DEMAND })
  .connect('transform', 'sink', { codec: { struct: 'i32', view: true }, maxDemand: INTS_DEMAND })

/** The same with a handler that takes one integer at a time. */
export const intsEach: GraphData = dataflow('intsEach', import.meta.url)
  .source('source', { poll: feed('intsEach', INTS), window: INTS_WINDOW, chunk: INTS_CHUNK })
  .transform('transform', { map: INTS.map })
  .sink('sink', { batch: { size: INTS_CHUNK, timeoutMs: LAST_BATCH_MS }, write: tally('intsEach', INTS) })
  .connect('source', 'transform', { codec: { struct: 'i32' }, maxDemand: INTS_DEMAND })
  .connect('transform', 'sink', { codec: { struct: 'i32' }, maxDemand: INTS_DEMAND })

/** source → sink, record by record, at a rate: each record says when it was due. */
export const latency: GraphData = dataflow('latency', import.meta.url)
  .source('source', { poll: due('latency') })
  .sink('sink', { write: timing(gateOf('latency')) })
  .connect('source', 'sink')

/**
 * A source with nothing to give hands off what it gave before, and is asked again after 10 ms; so this one answers once that
 * there is nothing, and then waits for its next record by itself.
 */
function due(name: string): (demand: number) => SixFields[] {
  const gate = gateOf(name)
  let hasGiven = false
  return (demand) => {
    if (!hasGiven) while (gate.allowed(1) === 1 && gate.due() < 1);
    const records = dueRecords(gate, demand)
    hasGiven = records.length > 0
    return records
  }
}

/** Ten workers that have nothing to do. */
export const idle: GraphData = dataflow('idle', import.meta.url)
  .source('in', { push: true })
  .transform('work', { concurrency: 9, map: (record) => record })
  .sink('out', { write: () => undefined })
  .connect('in', 'work')
  .connect('work', 'out')

/** A service's CPU work: a call pushes how many steps, and waits for what comes of them. */
export const embed: GraphData = dataflow('embed', import.meta.url)
  .source<'in', number>('in', { push: true })
  .transform('work', { concurrency: Math.max(1, availableParallelism() - 1), map: (steps: number) => work(steps) })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')
