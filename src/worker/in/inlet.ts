import { codecOf, owningCodecOf } from '../../codec/codecs.ts'
import type { Decoder } from '../../codec/codec.ts'
import { ring } from '../../lane/doorbell.ts'
import type { Journal } from '../../lane/journal.ts'
import {
  ABORT_FRAGMENTS,
  ATTEMPTS,
  FIRST_FRAGMENT,
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
  LAST_FRAGMENT,
  TRACE_FLAGS,
  stampOf,
  headerBytes,
} from '../../memory/lane.ts'
import type { Memory } from '../../memory/memory.ts'
import { LaneReader, NO_FRAME } from '../../lane/reader.ts'
import type { Tenure } from './tenure.ts'
import { vacancyOf } from './vacancy.ts'
import { Texts } from '../../lane/texts.ts'
import { laneTexts } from '../../memory/texts.ts'
import type { LaneEnd, LinkPlan, Plan } from '../../plan/types.ts'
import { Chunk, NO_ANCHORS } from '../chunk.ts'

/** A chunk from a lane: where it came from, so that it can be released. */
export class LaneChunk extends Chunk {
  lane: InletLane | undefined
  /** Start and end of its frame on the lane. */
  position = 0
  end = 0
  /** When it was taken, in ms of the shared clock. */
  takenAt = 0
  /** Bytes of its one record, where that came in fragments; otherwise 0. */
  assembledBytes = 0
  /** Deaths that reading its records has cost, where they were not read for that: they are to be given up. Otherwise 0. */
  unreadDeaths = 0
}

/** Told of what is read from a lane, so that a death there has a cause (`hand.ts`). */
export interface Reading {
  /** @returns 0, or the deaths that reading these records has cost, where they are not to be read again */
  start(chunk: LaneChunk): number
  end(): void
}

/** One lane into this worker. */
export class InletLane {
  readonly reader: LaneReader
  readonly link: LinkPlan
  readonly number: number
  /** Index of the counter of dropped records; undefined where nothing is dropped here. */
  readonly dropped: number | undefined
  readonly #decoder: Decoder
  /** Makes values that may be kept. */
  readonly #owningDecoder: Decoder
  readonly #memory: Memory
  readonly #peerDoorbell: number
  readonly #isVacant: () => boolean
  /** Records to pass over in the next frame: an earlier life is done with them. */
  #skip: number

  constructor(memory: Memory, plan: Plan, end: LaneEnd, number: number, tenure: Tenure | undefined) {
    this.#memory = memory
    this.number = number
    this.dropped = end.dropped
    this.link = plan.links[end.link]!
    this.reader = new LaneReader(memory, end.layout, tenure)
    this.#isVacant = vacancyOf(memory, plan, end.peer)
    const texts = new Texts(memory, laneTexts(end.layout))
    this.#decoder = codecOf(this.link.codec).decoder(texts)
    this.#owningDecoder = owningCodecOf(this.link.codec).decoder(texts)
    this.#peerDoorbell = plan.workers[end.peer]!.control.doorbell
    this.#skip = this.reader.part
    this.wakePeer()
  }

  /** Nobody has the seat of the writer. */
  get isVacant(): boolean {
    return this.#isVacant()
  }

  /** Nothing comes here: the writer has said so, or there is none; and all that came is taken. */
  get isOver(): boolean {
    return this.reader.hasEnded || (this.isVacant && this.reader.poll() === NO_FRAME)
  }

  /** Reads the header of the next frame into `chunk`, and takes nothing; false where there is none. */
  peek(chunk: LaneChunk): boolean {
    const at = this.reader.poll()
    if (at === NO_FRAME) return false
    this.#readHeader(at, chunk)
    chunk.from = this.#skip
    return true
  }

  /** Takes the frame at `at` into `chunk`. */
  take(at: number, chunk: LaneChunk): void {
    this.#readHeader(at, chunk)
    chunk.assembledBytes = 0
    chunk.from = this.#skip
    this.#skip = 0
    chunk.position = this.reader.take(at)
    chunk.end = this.reader.position
  }

  #readHeader(at: number, chunk: LaneChunk): void {
    const { words } = this.#memory
    const frame = at >> 2
    const further = words[frame + FRAME_ANCHORS]! & ~TRACE_FLAGS
    chunk.lane = this
    chunk.isOnLane = true
    chunk.slot = words[frame + FRAME_SLOT]!
    chunk.furtherAnchors = further === 0 ? NO_ANCHORS : this.#anchors(frame, further)
    chunk.baseLow = words[frame + FRAME_BASE_LOW]!
    chunk.baseHigh = words[frame + FRAME_BASE_HIGH]!
    chunk.first = words[frame + FRAME_FIRST]!
    chunk.salt = words[frame + FRAME_SALT]!
    chunk.attempt = words[frame + FRAME_ATTEMPT]! & ATTEMPTS
    chunk.trace = words[frame + FRAME_ANCHORS]! & TRACE_FLAGS
    chunk.count = words[frame + FRAME_COUNT]!
    chunk.stamp = stampOf(words[frame + FRAME_ATTEMPT]!, words[frame + FRAME_STAMP]!)
  }

  decode(at: number, chunk: LaneChunk): void {
    const body = at + headerBytes(chunk.furtherAnchors.length)
    if (this.#decoder.inPlace !== undefined) {
      chunk.values = this.#decoder.inPlace(this.#memory, body, chunk.count)
      return
    }
    const values = new Array<unknown>(chunk.count)
    this.#read(this.#decoder, at, chunk, values)
    chunk.values = values
  }

  /** The records of a chunk that is taken and not released, once more. */
  again(chunk: LaneChunk): unknown[] {
    const values: unknown[] = []
    this.#read(this.#owningDecoder, this.reader.offsetOf(chunk.position), chunk, values)
    return values
  }

  decodeAssembled(assembly: Memory, chunk: LaneChunk): unknown[] {
    const values: unknown[] = []
    this.#owningDecoder.decode(assembly, 0, chunk.assembledBytes, 1, values)
    return values
  }

  wakePeer(): void {
    if (this.reader.isWorthWaking) ring(this.#memory.words, this.#peerDoorbell)
  }

  #read(decoder: Decoder, at: number, chunk: LaneChunk, values: unknown[]): void {
    const end = at + this.#memory.words[(at >> 2) + FRAME_BYTES]!
    decoder.decode(this.#memory, at + headerBytes(chunk.furtherAnchors.length), end, chunk.count, values)
  }

  #anchors(frame: number, further: number): number[] {
    const from = frame + FRAME_HEADER_BYTES / 4
    return Array.from(this.#memory.words.subarray(from, from + further))
  }
}

/**
 * A worker's reading side: its lanes, taken in turn, a chunk at a time. A record in fragments may be larger than its lane:
 * each fragment but the last gives its room back at once, and the record is put together in a place that outlives the worker.
 *
 * Invariants (test/worker/in/inlet.test.ts):
 *   F1  a fragment is taken only where nothing else of its lane is in hand, for its room is given back with all before it
 *   F2  ASSEMBLED counts the fragments that are given back: the last one stays on its lane, with its chunk
 *   F3  there is one place: no other record comes there before a hand-off has told that the last one is done
 */
export class Inlet {
  readonly lanes: readonly InletLane[]
  /** Absent where the stage cannot be resized. */
  readonly tenure: Tenure | undefined
  readonly #memory: Memory
  readonly #assembly: Memory
  /** The lane whose record is in the place. */
  #assembling: InletLane | undefined
  /** That record is done, and no hand-off has told so yet. */
  #isAssembledDone = false
  #isHeldUp = false
  #turn = 0
  #dirty = false
  readonly #released: InletLane[] = []

  readonly #reading: Reading
  /** Told of records that were dropped: their chunk, and how many; the chunk has ended where all of it was. */
  readonly #onDrop: (chunk: LaneChunk, records: number, hasEnded: boolean) => void

  /** @param given assembly: where a record in fragments is put together; it outlives the worker */
  constructor(given: {
    memory: Memory
    assembly: Memory
    plan: Plan
    ends: readonly LaneEnd[]
    tenure?: Tenure | undefined
    reading: Reading
    onDrop: (chunk: LaneChunk, records: number, hasEnded: boolean) => void
  }) {
    const { memory, plan, tenure } = given
    this.tenure = tenure
    this.#reading = given.reading
    this.#onDrop = given.onDrop
    this.#memory = memory
    this.#assembly = given.assembly
    this.lanes = given.ends.map((end, number) => new InletLane(memory, plan, end, number, tenure))
    this.#assembling = this.lanes.find(({ reader }) => reader.assembled > 0)
  }

  /** The last look came upon a fragment that waits for what is in hand. */
  get isHeldUp(): boolean {
    return this.#isHeldUp
  }

  /** Frames are taken that no hand-off has given back. */
  get hasTaken(): boolean {
    return this.lanes.some(({ reader }) => reader.hasTaken)
  }

  /** Takes the next chunk of any lane; false where there is none. */
  next(chunk: LaneChunk): boolean {
    const { lanes } = this
    this.#isHeldUp = false
    if (this.tenure?.isClosed === true) return false
    for (let i = 0; i < lanes.length; i++) {
      this.#turn = this.#turn + 1 < lanes.length ? this.#turn + 1 : 0
      if (this.nextOf(lanes[this.#turn]!, chunk)) return true
    }
    return false
  }

  /** Takes the next chunk of one lane. */
  nextOf(lane: InletLane, chunk: LaneChunk): boolean {
    if (lane.dropped !== undefined && !lane.reader.hasTaken) this.#dropOldest(lane, chunk)
    const at = lane.reader.poll()
    if (at === NO_FRAME) return false
    if (this.#isFragment(at)) return this.#assemble(lane, chunk)
    lane.take(at, chunk)
    if (this.#startReading(chunk)) lane.decode(at, chunk)
    this.#reading.end()
    const excess = lane.dropped === undefined ? 0 : Math.min(lane.reader.toDrop, chunk.count - chunk.from)
    if (excess > 0) {
      chunk.from += excess
      this.#onDrop(chunk, excess, false)
    }
    return true
  }

  /** The writer asks for room: whole chunks that are too old go, in pieces the rest when it is taken. */
  #dropOldest(lane: InletLane, chunk: LaneChunk): void {
    for (;;) {
      const at = lane.reader.poll()
      if (at === NO_FRAME || this.#memory.words[(at >> 2) + FRAME_COUNT]! > lane.reader.toDrop) return
      if (this.#isFragment(at)) return
      lane.take(at, chunk)
      this.#onDrop(chunk, chunk.count - chunk.from, true)
      this.release(chunk)
    }
  }

  /** Takes the chunk with this id, if it is the next one of its lane. */
  nextWhere(matches: (chunk: LaneChunk) => boolean, chunk: LaneChunk): boolean {
    return this.lanes.some((lane) => lane.peek(chunk) && matches(chunk) && this.nextOf(lane, chunk))
  }

  /** The records of a chunk once more, as they were sent: handlers may have changed the values. */
  again(chunk: LaneChunk): unknown[] {
    const lane = chunk.lane!
    return chunk.assembledBytes > 0 ? lane.decodeAssembled(this.#assembly, chunk) : lane.again(chunk)
  }

  /** Gives a chunk back, with all before it on its lane. */
  release(chunk: LaneChunk): void {
    const lane = chunk.lane!
    if (chunk.assembledBytes > 0) {
      lane.reader.assembled = 0
      this.#isAssembledDone = true
    }
    lane.reader.release(chunk.end, 0, chunk.count - this.#partOf(lane, chunk))
    this.#touch(lane)
  }

  /** Gives the first `part` records of a chunk back, with all chunks before it on its lane. */
  releasePart(chunk: LaneChunk, part: number): void {
    const lane = chunk.lane!
    lane.reader.release(chunk.position, part, part - this.#partOf(lane, chunk))
    this.#touch(lane)
  }

  /** True where something was taken or given back that only a hand-off makes known. */
  get isDirty(): boolean {
    return this.#dirty
  }

  stage(journal: Journal): void {
    for (const lane of this.#released) lane.reader.stage(journal)
  }

  /** After a hand-off: wakes the writers that waited for the room. */
  wakePeers(): void {
    for (const lane of this.#released) lane.wakePeer()
    this.#released.length = 0
    this.#dirty = false
    if (this.#isAssembledDone) this.#assembling = undefined
    this.#isAssembledDone = false
  }

  #startReading(chunk: LaneChunk): boolean {
    chunk.unreadDeaths = this.#reading.start(chunk)
    if (chunk.unreadDeaths > 0) chunk.values = []
    return chunk.unreadDeaths === 0
  }

  /** Records of this chunk that were given back before. */
  #partOf(lane: InletLane, chunk: LaneChunk): number {
    return lane.reader.part > 0 && lane.reader.releasedPosition === chunk.position ? lane.reader.part : 0
  }

  #touch(lane: InletLane): void {
    this.#dirty = true
    if (!this.#released.includes(lane)) this.#released.push(lane)
  }

  #isFragment(at: number): boolean {
    return (this.#memory.words[(at >> 2) + FRAME_ATTEMPT]! & FRAGMENT) !== 0
  }

  /** Puts the next fragments to those before them. True with the last one: the chunk is whole, in the place for it. */
  #assemble(lane: InletLane, chunk: LaneChunk): boolean {
    const { reader } = lane
    for (;;) {
      const at = reader.poll()
      if (at === NO_FRAME) return false
      // F1, F3. Whoever has nothing else to do ends what is in hand, hands off, and then looks again.
      const isTaken = this.#assembling !== undefined && this.#assembling !== lane
      if (reader.hasTaken || this.#isAssembledDone || isTaken) {
        this.#isHeldUp = true
        return false
      }
      const flags = this.#memory.words[(at >> 2) + FRAME_ATTEMPT]!
      // A writer that died in the middle starts the record again.
      if ((flags & FIRST_FRAGMENT) !== 0) reader.assembled = 0
      this.#assembling = (flags & ABORT_FRAGMENTS) === 0 ? lane : undefined
      const from = at + headerBytes(this.#memory.words[(at >> 2) + FRAME_ANCHORS]! & ~TRACE_FLAGS)
      const end = at + this.#memory.words[(at >> 2) + FRAME_BYTES]!
      this.#memory.bytes.copy(this.#assembly.bytes, reader.assembled, from, end)
      lane.take(at, chunk)
      if ((flags & LAST_FRAGMENT) !== 0) {
        chunk.assembledBytes = reader.assembled + end - from
        if (this.#startReading(chunk)) chunk.values = lane.decodeAssembled(this.#assembly, chunk)
        this.#reading.end()
        return true
      }
      reader.assembled += end - from
      reader.release(chunk.end, 0, 0)
      this.#touch(lane)
      if ((flags & ABORT_FRAGMENTS) !== 0) return this.nextOf(lane, chunk)
    }
  }
}
