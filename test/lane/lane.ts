/** A lane in plain memory, its two ends, and a journal for each. */
import { Journal } from '#src/lane/journal.js'
import { type JournalLayout, journalBytes } from '#src/memory/journal.js'
import { HEAD, type LaneLayout, TAIL, laneBytes } from '#src/memory/lane.js'
import { LINE_BYTES, type Memory, viewMemory } from '#src/memory/memory.js'
import { LaneReader, NO_FRAME } from '#src/lane/reader.js'
import { type ChunkHeader, LaneWriter, NO_ROOM } from '#src/lane/writer.js'

export const ENTRIES = 64

/** Hands out parts of a memory. */
export class Space {
  #bytes = 0
  memory!: Memory

  take(bytes: number): number {
    const offset = this.#bytes
    this.#bytes += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES
    return offset
  }

  journal(counters = 1): JournalLayout {
    const offset = this.take(journalBytes(ENTRIES, counters))
    return { offset, entries: ENTRIES, countersOffset: this.take(8 * counters), counters }
  }

  made(): Memory {
    return (this.memory = viewMemory(new SharedArrayBuffer(this.#bytes)))
  }
}

export function header(given: Partial<ChunkHeader> = {}): ChunkHeader {
  return { slot: 0, furtherAnchors: [], baseLow: 0, baseHigh: 0, first: 0, salt: 0, attempt: 0, trace: 0, ...given }
}

export interface LaneSizes {
  readonly ringBytes?: number
  readonly maxDemand?: number
  readonly minDemand?: number
  readonly shapeBytes?: number
  /** Where the positions start. */
  readonly from?: number
}

/** A lane with both ends; what is written in one `send` is taken in one `take`. */
export class TestLane {
  readonly memory: Memory
  readonly layout: LaneLayout
  readonly journals: { readonly writer: JournalLayout; readonly reader: JournalLayout }
  writer!: LaneWriter
  reader!: LaneReader
  /** The writing side's journal. */
  writing!: Journal
  #reading!: Journal

  constructor({ ringBytes = 1024, maxDemand = 64, minDemand = 0, shapeBytes = 0, from = 0 }: LaneSizes = {}) {
    const space = new Space()
    const offset = space.take(laneBytes({ shapeBytes, ringBytes }))
    this.layout = { offset, shapeBytes, ringBytes, maxDemand, minDemand }
    this.journals = { writer: space.journal(), reader: space.journal() }
    this.memory = space.made()
    for (const position of [TAIL, HEAD]) this.memory.words[offset / 4 + position] = from
    this.reviveReader()
    this.reviveWriter()
  }

  /** A successor of the writing side. */
  reviveWriter(): void {
    this.writer = new LaneWriter(this.memory, this.layout)
    this.writing = new Journal(this.memory, this.journals.writer)
  }

  reviveReader(): void {
    this.reader = new LaneReader(this.memory, this.layout)
    this.#reading = new Journal(this.memory, this.journals.reader)
  }

  word(index: number): number {
    return this.memory.words[this.layout.offset / 4 + index]!
  }

  /** Writes a frame with these bytes and tells nobody; false where there is no credit or room. */
  write(payload: readonly number[], given: Partial<ChunkHeader> = {}): boolean {
    const head = header(given)
    if (this.writer.credit() <= 0) return false
    const body = this.writer.body(0, head.furtherAnchors.length)
    const at = this.writer.claim((body + payload.length + 7) & -8)
    if (at === NO_ROOM) return false
    this.memory.bytes.set(payload, at + body)
    this.writer.append(at, at + body + payload.length, 1, head, 0)
    return true
  }

  /** Hands off what was written. */
  publish(): void {
    this.writer.stage(this.writing)
    this.writing.commit()
  }

  send(payload: readonly number[], given: Partial<ChunkHeader> = {}): boolean {
    const isWritten = this.write(payload, given)
    if (isWritten) this.publish()
    return isWritten
  }

  /** Takes the next frame and releases nothing; undefined where there is none. */
  look(length: number, furtherAnchors = 0): number[] | undefined {
    const at = this.reader.poll()
    if (at === NO_FRAME) return undefined
    this.reader.take(at)
    const body = this.writer.body(at, furtherAnchors)
    return [...this.memory.bytes.subarray(body, body + length)]
  }

  /** Releases all that was taken, so many records, and hands off. */
  release(records: number): void {
    this.reader.release(this.reader.position, 0, records)
    this.reader.stage(this.#reading)
    this.#reading.commit()
  }

  receive(length: number): number[] | undefined {
    const payload = this.look(length)
    if (payload !== undefined) this.release(1)
    return payload
  }
}
