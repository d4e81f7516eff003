import { load } from '#atomics'
import type { Journal } from './journal.ts'
import {
  FRAME_ANCHORS,
  FRAME_ATTEMPT,
  FRAME_BASE_HIGH,
  FRAME_BASE_LOW,
  FRAME_BYTES,
  FRAME_FIRST,
  FRAME_SALT,
  FRAME_SLOT,
  TRACE_FLAGS,
  align,
} from '../memory/lane.ts'
import { LINE_BYTES, type Memory } from '../memory/memory.ts'
import {
  DONE,
  DUE,
  ENTRY_HEADER_BYTES,
  GROUP,
  HEAD,
  OPEN,
  ORDER,
  SINCE,
  STATE,
  type StashLayout,
  TAIL,
} from '../memory/stash.ts'
import { type ChunkHeader, NO_ROOM } from './writer.ts'

const FLOAT = new Float64Array(1)
const FLOAT_WORDS = new Int32Array(FLOAT.buffer)

/** Whether it holds nothing, as the last hand-off left it. */
export function isStashEmpty(words: Int32Array, { offset }: StashLayout): boolean {
  return load(words, offset / 4 + TAIL) === load(words, offset / 4 + HEAD)
}

/** One entry as its worker knows it: as the next hand-off will leave it. `at` changes when the entry is moved. */
export interface StashEntry {
  at: number
  position: number
  readonly bytes: number
  readonly order: number
  /** Failed attempts so far. */
  attempt: number
  /** Not before this time, in ms of the monotonic clock. */
  dueAt: number
  /** Time of the first failure, in ms since 1970, or 0. */
  since: number
  /** The batch that it was handed over with, or 0. */
  group: number
  /** Key and weight for its batch: known to this life of the worker only. */
  key: unknown
  weight: number
}

export class Stash {
  /** First byte after the room of the last `claim`. */
  limit = 0
  readonly #memory: Memory
  readonly #header: number
  readonly #ring: number
  readonly #ringBytes: number
  /** Entries from HEAD on, oldest position first; those that are done stay until HEAD passes them. */
  readonly #entries: StashEntry[] = []
  readonly #done = new Set<StashEntry>()
  #openBytes = 0
  #order = 0
  #tail: number
  #head: number
  #committedHead: number
  #committedTail: number

  constructor(memory: Memory, layout: StashLayout) {
    this.#memory = memory
    this.#header = layout.offset / 4
    this.#ring = layout.offset + LINE_BYTES + layout.textBytes
    this.#ringBytes = layout.ringBytes
    this.#tail = this.#committedTail = load(memory.words, this.#header + TAIL)
    this.#head = this.#committedHead = load(memory.words, this.#header + HEAD)
    this.#scan()
  }

  /** All open entries, oldest first: what a successor finds. */
  open(): StashEntry[] {
    return this.#entries.filter((entry) => !this.#done.has(entry)).sort((a, b) => (a.order - b.order) | 0)
  }

  /** The `order` of the next entry. */
  get nextOrder(): number {
    return this.#order
  }

  /** Whether an open entry is older than one with this `order`. */
  hasBefore(order: number): boolean {
    if (this.#openBytes === 0) return false
    return this.#entries.some((entry) => ((entry.order - order) | 0) < 0 && !this.#done.has(entry))
  }

  get isEmpty(): boolean {
    return this.#openBytes === 0
  }

  /** Nothing lies here, and the words say so: no life of this worker can find an entry. */
  get isUnused(): boolean {
    return this.#head === this.#tail && this.#head === this.#committedHead && this.#tail === this.#committedTail
  }

  get ringBytes(): number {
    return this.#ringBytes
  }

  /** The largest entry that is taken: entries above it are handled where they are. */
  get maxEntryBytes(): number {
    return this.#ringBytes >> 3
  }

  /**
   * Whether `bytes` more may be put without filling the ring so far that entries could not be moved any more.
   * @param reserve bytes of the ring that open entries leave free beside that
   */
  hasRoom(bytes: number, reserve = 0): boolean {
    return this.#openBytes + bytes + reserve <= this.#ringBytes >> 1 && this.#free() >= bytes + this.maxEntryBytes
  }

  /** Whether so many bytes of the ring are free. */
  leaves(bytes: number): boolean {
    return this.#free() >= bytes
  }

  /**
   * Claims room for an entry of at most `maxEntryBytes`, up to `limit`.
   * @returns byte offset of the entry, or NO_ROOM until a hand-off has given room back
   */
  claim(bytes: number): number {
    let atEnd = this.#ringBytes - (this.#tail & (this.#ringBytes - 1))
    if (atEnd < bytes) {
      if (this.#free() < atEnd + bytes) return NO_ROOM
      this.#pad(atEnd)
      atEnd = this.#ringBytes
    }
    if (this.#free() < bytes) return NO_ROOM
    const at = this.#ring + (this.#tail & (this.#ringBytes - 1))
    this.limit = at + Math.min(this.#free(), atEnd, this.maxEntryBytes)
    return at
  }

  /** Where the record of an entry with so many further anchors starts. */
  body(at: number, furtherAnchors: number): number {
    return at + align(ENTRY_HEADER_BYTES + 4 * furtherAnchors)
  }

  /** Writes the header of the entry at `at`, whose record ends at `end`. */
  append(at: number, end: number, header: ChunkHeader, dueAt: number, since: number): StashEntry {
    const bytes = align(end - at)
    const { words, floats } = this.#memory
    const frame = at >> 2
    words[frame + FRAME_BYTES] = bytes
    words[frame + FRAME_SLOT] = header.slot
    words[frame + FRAME_ANCHORS] = header.furtherAnchors.length | header.trace
    words[frame + FRAME_BASE_LOW] = header.baseLow
    words[frame + FRAME_BASE_HIGH] = header.baseHigh
    words[frame + FRAME_FIRST] = header.first
    words[frame + FRAME_ATTEMPT] = header.attempt
    words[frame + FRAME_SALT] = header.salt
    words[frame + STATE] = OPEN
    words[frame + GROUP] = 0
    words[frame + ORDER] = this.#order
    floats[(at >> 3) + DUE] = dueAt
    floats[(at >> 3) + SINCE] = since
    header.furtherAnchors.forEach((anchor, i) => (words[frame + ENTRY_HEADER_BYTES / 4 + i] = anchor))
    const [position, order, { attempt }] = [this.#tail, this.#order, header]
    const entry: StashEntry = { at, position, bytes, order, attempt, dueAt, since, group: 0, key: undefined, weight: 0 }
    this.#order = (order + 1) | 0
    this.#tail = (position + bytes) | 0
    this.#openBytes += bytes
    this.#entries.push(entry)
    return entry
  }

  /** Undoes the last `append`s: no hand-off has told of them. */
  takeBack(entries: readonly StashEntry[]): void {
    for (const entry of entries.toReversed()) {
      this.#entries.pop()
      this.#openBytes -= entry.bytes
      this.#tail = entry.position
    }
  }

  /** Reads an entry's header into `header`; its further anchors are new numbers in a new array. */
  header(entry: StashEntry): ChunkHeader {
    const { words } = this.#memory
    const frame = entry.at >> 2
    const from = frame + ENTRY_HEADER_BYTES / 4
    const further = words[frame + FRAME_ANCHORS]!
    return {
      slot: words[frame + FRAME_SLOT]!,
      furtherAnchors: Array.from(words.subarray(from, from + (further & ~TRACE_FLAGS))),
      baseLow: words[frame + FRAME_BASE_LOW]!,
      baseHigh: words[frame + FRAME_BASE_HIGH]!,
      first: words[frame + FRAME_FIRST]!,
      salt: words[frame + FRAME_SALT]!,
      attempt: entry.attempt,
      trace: further & TRACE_FLAGS,
    }
  }

  /** From the next hand-off on, the entry has failed once more, and waits until `dueAt`. */
  postpone(entry: StashEntry, attempt: number, dueAt: number, since: number, journal: Journal): void {
    const frame = entry.at >> 2
    Object.assign(entry, { attempt, dueAt, since })
    journal.set(frame + FRAME_ATTEMPT, attempt)
    this.#setFloat(frame + 2 * DUE, dueAt, journal)
    this.#setFloat(frame + 2 * SINCE, since, journal)
  }

  /** From the next hand-off on, the entry belongs to a batch. */
  setGroup(entry: StashEntry, group: number, journal: Journal): void {
    entry.group = group
    journal.set((entry.at >> 2) + GROUP, group)
  }

  /** From the next hand-off on, the entry is done. */
  finish(entry: StashEntry, journal: Journal): void {
    journal.set((entry.at >> 2) + STATE, DONE)
    this.#done.add(entry)
    this.#openBytes -= entry.bytes
  }

  /**
   * Moves open entries from the head to the tail, so that the room of ended ones behind them comes back.
   * Call it right after a hand-off, while the journal names no entry.
   */
  compact(): void {
    this.#dropDone()
    const spread = (this.#tail - this.#head) | 0
    if (spread < this.#ringBytes - 2 * this.maxEntryBytes) return
    for (let moves = this.#entries.length; moves > 0; moves--) {
      const entry = this.#entries[0]
      if (entry === undefined) return
      const at = this.claim(entry.bytes)
      if (at === NO_ROOM) return
      this.#memory.bytes.copyWithin(at, entry.at, entry.at + entry.bytes)
      this.#entries.shift()
      entry.at = at
      entry.position = this.#tail
      this.#tail = (this.#tail + entry.bytes) | 0
      this.#entries.push(entry)
      this.#dropDone()
    }
  }

  stage(journal: Journal): void {
    this.#dropDone()
    if (this.#tail !== this.#committedTail) journal.set(this.#header + TAIL, this.#tail)
    if (this.#head !== this.#committedHead) journal.set(this.#header + HEAD, this.#head)
    this.#committedTail = this.#tail
    this.#committedHead = this.#head
  }

  #setFloat(word: number, value: number, journal: Journal): void {
    FLOAT[0] = value
    journal.set(word, FLOAT_WORDS[0]!)
    journal.set(word + 1, FLOAT_WORDS[1]!)
  }

  /** Room that no committed entry takes: what HEAD has passed is free only after a hand-off said so. */
  #free(): number {
    return (this.#ringBytes - (this.#tail - this.#committedHead)) | 0
  }

  #pad(bytes: number): void {
    this.#memory.words[(this.#ring + (this.#tail & (this.#ringBytes - 1))) >> 2] = -bytes
    this.#tail = (this.#tail + bytes) | 0
  }

  #dropDone(): void {
    let passed = 0
    while (passed < this.#entries.length && this.#done.delete(this.#entries[passed]!)) passed++
    if (passed > 0) this.#entries.splice(0, passed)
    this.#head = this.#entries.length === 0 ? this.#tail : this.#entries[0]!.position
  }

  #read(at: number, position: number): StashEntry {
    const { words, floats } = this.#memory
    const frame = at >> 2
    return {
      at,
      position,
      bytes: words[frame + FRAME_BYTES]!,
      order: words[frame + ORDER]!,
      attempt: words[frame + FRAME_ATTEMPT]!,
      dueAt: floats[(at >> 3) + DUE]!,
      since: floats[(at >> 3) + SINCE]!,
      group: words[frame + GROUP]!,
      key: undefined,
      weight: 0,
    }
  }

  #scan(): void {
    const { words } = this.#memory
    for (let position = this.#head; position !== this.#tail;) {
      const at = this.#ring + (position & (this.#ringBytes - 1))
      const bytes = words[at >> 2]!
      if (bytes > 0) {
        const entry = this.#read(at, position)
        this.#entries.push(entry)
        if (words[(at >> 2) + STATE] === DONE) this.#done.add(entry)
        else this.#openBytes += bytes
        if (((entry.order - this.#order) | 0) >= 0) this.#order = (entry.order + 1) | 0
      }
      position = (position + Math.abs(bytes)) | 0
    }
  }
}
