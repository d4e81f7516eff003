import { load } from '#atomics'
import { formatId, unmix, mixed } from '../lane/ids.ts'
import { Stash } from '../lane/stash.ts'
import type { ChunkHeader } from '../lane/writer.ts'
import {
  COUNT,
  HOLDING,
  HOLDS_BATCH,
  HOLDS_RECORD,
  HOLDS_SEVERAL,
  ID_HIGH,
  ID_LOW,
  INDEX,
  PLACES,
  READING,
  READ_COUNT,
  READ_HIGH,
  READ_INDEX,
  READ_LOW,
  SEGMENT,
  SEGMENTS,
} from '../memory/hand.ts'
import {
  ATTEMPTS,
  FRAGMENT,
  FRAME_ANCHORS,
  FRAME_ATTEMPT,
  FRAME_BASE_HIGH,
  FRAME_BASE_LOW,
  FRAME_BYTES,
  FRAME_COUNT,
  FRAME_FIRST,
  FRAME_HEADER_BYTES,
  FRAME_SALT,
  FRAME_SLOT,
  FRAME_STAMP,
  HEAD,
  PART,
  TAIL,
  TRACED,
  TRACE_FLAGS,
  type LaneLayout,
  ringOffset,
  stampOf,
} from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'
import { SEQUENCE, SLOT_WORDS, TRACE, anchorSlot, anchorSource } from '../memory/slots.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import { traceIdAt } from '../lane/trace-id.ts'
import type { TracedRecords } from '../trace/event.ts'

/** Traced records of one chunk that a worker had in hand when it died. */
export interface TracedInHand {
  readonly traces: readonly string[]
  readonly records: TracedRecords
  readonly attempt: number
}

/** A chunk that is still on a lane, or in the stash, of a dead worker. */
interface Left extends ChunkHeader {
  /** Place of its lane among the worker's inputs; -1 in the stash. */
  readonly input: number
  readonly count: number
  /** Of a lane: when the frame was written, in microseconds, and its bytes. */
  readonly stamp?: number
  readonly bytes?: number
}

/** Indexes of records under one base. */
interface Held {
  readonly low: number
  readonly high: number
  readonly first: number
  readonly count: number
}

/**
 * What a dead worker had in hand, as far as it is traced: nothing of it is handed off, so it lies where it was taken from, and says
 * what it counts for. Only after its memory is in order. Times are those of the monotonic clock.
 */
export function tracedInHand(memory: Memory, plan: Plan, worker: WorkerPlan): TracedInHand[] {
  const left = [
    ...worker.inputs.flatMap(({ layout }, input) => onLane(memory, layout, input)),
    ...inStash(memory, worker),
  ]
  const batch = batchOf(memory, worker)
  const held = heldBy(memory, worker)
  return left.flatMap((chunk): TracedInHand[] => {
    const fromBatch = takeOf(batch, chunk)
    if ((chunk.trace & TRACED) === 0) return []
    const found = [...fromBatch, ...held.flatMap((each) => each(chunk))]
    const traces = [chunk.slot, ...chunk.furtherAnchors].flatMap((anchor) => traceOf(memory, plan, anchor))
    if (traces.length === 0) return []
    const { baseLow, baseHigh, attempt, input, stamp, bytes } = chunk
    const edge = input < 0 ? {} : { edge: plan.links[worker.inputs[input]!.link]!.edges.at(-1)! }
    const frame = stamp === undefined ? {} : { writtenAt: stamp / 1000, bytes: bytes! }
    return found.map(({ first, count }) => ({
      traces,
      records: { ...edge, base: formatId(baseLow, baseHigh), first, count, ...frame },
      attempt,
    }))
  })
}

/** The chunks between HEAD and TAIL, but for what of the first one is given back. */
function onLane({ words }: Memory, layout: LaneLayout, input: number): Left[] {
  const header = layout.offset / 4
  const tail = load(words, header + TAIL)
  const found: Left[] = []
  let part = words[header + PART]!
  for (let at = load(words, header + HEAD); at !== tail;) {
    const frame = (ringOffset(layout) + (at & (layout.ringBytes - 1))) >> 2
    const bytes = words[frame + FRAME_BYTES]!
    at = (at + Math.abs(bytes)) | 0
    // A fragment is no record yet.
    if (bytes <= 0 || (words[frame + FRAME_ATTEMPT]! & FRAGMENT) !== 0) continue
    const further = words[frame + FRAME_ANCHORS]! & ~TRACE_FLAGS
    const anchors = frame + FRAME_HEADER_BYTES / 4
    found.push({
      input,
      slot: words[frame + FRAME_SLOT]!,
      furtherAnchors: Array.from(words.subarray(anchors, anchors + further)),
      baseLow: words[frame + FRAME_BASE_LOW]!,
      baseHigh: words[frame + FRAME_BASE_HIGH]!,
      first: (words[frame + FRAME_FIRST]! + part) | 0,
      count: words[frame + FRAME_COUNT]! - part,
      salt: words[frame + FRAME_SALT]!,
      attempt: words[frame + FRAME_ATTEMPT]! & ATTEMPTS,
      trace: words[frame + FRAME_ANCHORS]! & TRACE_FLAGS,
      stamp: stampOf(words[frame + FRAME_ATTEMPT]!, words[frame + FRAME_STAMP]!),
      bytes,
    })
    part = 0
  }
  return found
}

/** Records that wait for another attempt: each is a chunk by itself. */
function inStash(memory: Memory, { stash }: WorkerPlan): Left[] {
  const read = new Stash(memory, stash)
  return read.open().map((entry) => ({ ...read.header(entry), input: -1, count: 1 }))
}

/** Of a batch: how many records of each input it has, in the order of the inputs' lanes. */
function batchOf({ words }: Memory, { hand }: WorkerPlan): Map<number, number> {
  const at = hand.offset / 4
  const batch = new Map<number, number>()
  if (words[at + HOLDING] !== HOLDS_BATCH) return batch
  for (let i = 0; i < words[at + SEGMENTS]!; i++) {
    const input = words[at + SEGMENT + 2 * i]!
    batch.set(input, (batch.get(input) ?? 0) + words[at + SEGMENT + 2 * i + 1]!)
  }
  return batch
}

/** The records of a chunk that are in the batch: it takes those that are oldest on each lane. */
function takeOf(batch: Map<number, number>, { input, baseLow, baseHigh, first, count }: Left): Held[] {
  const wanted = Math.min(count, batch.get(input) ?? 0)
  if (wanted <= 0) return []
  batch.set(input, batch.get(input)! - wanted)
  return [{ low: baseLow, high: baseHigh, first, count: wanted }]
}

/** What else the hand names: how to find each in a chunk. */
function heldBy({ words }: Memory, { hand }: WorkerPlan): ((chunk: Left) => Held[])[] {
  const at = hand.offset / 4
  const holding = words[at + HOLDING]
  const isReading = words[at + READING] === 1
  const calls = holding === HOLDS_BATCH ? 0 : words[at + PLACES]!
  const found = Array.from({ length: calls }, (_, place) =>
    call(words[at + SEGMENT + 2 * place]!, words[at + SEGMENT + 2 * place + 1]!),
  )
  const own = { low: words[at + ID_LOW]!, high: words[at + ID_HIGH]!, first: words[at + INDEX]! }
  if (isReading) {
    const read = { low: words[at + READ_LOW]!, high: words[at + READ_HIGH]! }
    found.push(several({ ...read, first: words[at + READ_INDEX]!, count: words[at + READ_COUNT]! }))
  } else if (holding === HOLDS_RECORD) found.push(several({ ...own, count: 1 }))
  else if (holding === HOLDS_SEVERAL) found.push(several({ ...own, count: words[at + COUNT]! }))
  return found
}

/** Records by their indexes. */
function several(held: Held): (chunk: Left) => Held[] {
  return ({ baseLow, baseHigh, first, count }) => {
    if (held.low !== baseLow || held.high !== baseHigh) return []
    // Indexes wrap, so they are compared by difference.
    const from = Math.max(0, (held.first - first) | 0)
    const to = Math.min(count, ((held.first - first) | 0) + held.count)
    return from < to ? [{ ...held, first: (first + from) | 0, count: to - from }] : []
  }
}

/** An open call, by the id of its record; zero where its place is free. */
function call(low: number, high: number): (chunk: Left) => Held[] {
  return ({ baseLow, baseHigh, first, count }) => {
    if (low === 0 && high === 0) return []
    unmix(low, high)
    const index = mixed.high ^ baseHigh
    const isOne = ((index - first) | 0) >= 0 && ((index - first) | 0) < count
    return isOne && (mixed.low ^ Math.imul(index, 0x9e3779b1)) === baseLow
      ? [{ low: baseLow, high: baseHigh, first: index, count: 1 }]
      : []
  }
}

/** The trace of a slot. It is open, for some of it was in hand. */
function traceOf(memory: Memory, plan: Plan, anchor: number): string[] {
  const { words } = memory
  const slots = plan.workers[plan.sources[anchorSource(anchor)]!]!.slots!.offset / 4
  const at = slots + anchorSlot(anchor) * SLOT_WORDS
  const trace = load(words, at + TRACE)
  return trace === 0 ? [] : [traceIdAt(memory, plan, { anchor, trace, sequence: words[at + SEQUENCE]! })]
}
