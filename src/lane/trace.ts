import { load, store } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import {
  DROPPED,
  EVENTS_BYTES,
  EVENT_BYTES,
  EVENT_WORDS,
  HEAD,
  REFUSALS,
  SIDE,
  SIDE_HEAD,
  SIDE_LENGTH,
  SIDE_TAIL,
  TAIL,
  THREW,
  TRUNCATED,
  type TraceLayout,
} from '../memory/trace.ts'
import type { Journal } from './journal.ts'

/** Not a position: the side ring has no room just now. */
export const NO_SIDE = -1

/** The worker's end of its trace ring. Events are written beyond TAIL; the journal makes them visible. */
export class TraceWriter {
  readonly words: Int32Array
  /** Words of the side ring, and where it begins: position p is the word `side + (p & sideMask)`. */
  readonly side: number
  readonly sideMask: number
  readonly #header: number
  readonly #events: number
  readonly #capacity: number
  #tail: number
  #sideTail: number
  #dropped: number
  #truncated: number
  #threw: number
  #refused: number
  #stagedTail: number
  #stagedDropped: number
  #stagedTruncated: number
  #stagedThrew: number
  #stagedRefused: number
  #headSeen: number
  #sideHeadSeen: number

  constructor(memory: Memory, layout: TraceLayout, journal: Journal) {
    const { words } = memory
    this.words = words
    this.#header = layout.offset / 4
    this.#events = (layout.offset + EVENTS_BYTES) / 4
    this.#capacity = layout.events
    this.side = (layout.offset + EVENTS_BYTES + EVENT_BYTES * layout.events) / 4
    this.sideMask = layout.sideWords - 1
    this.#tail = this.#stagedTail = load(words, this.#header + TAIL)
    this.#sideTail = load(words, this.#header + SIDE_TAIL)
    this.#dropped = this.#stagedDropped = load(words, this.#header + DROPPED)
    this.#truncated = this.#stagedTruncated = load(words, this.#header + TRUNCATED)
    this.#threw = this.#stagedThrew = load(words, this.#header + THREW)
    this.#refused = this.#stagedRefused = load(words, this.#header + REFUSALS)
    this.#headSeen = load(words, this.#header + HEAD)
    this.#sideHeadSeen = load(words, this.#header + SIDE_HEAD)
    this.#tell(journal)
  }

  /** Whether so many more events fit; a reader that has gone on is seen only when they seem not to. */
  hasRoom(events: number): boolean {
    if (this.#capacity - ((this.#tail - this.#headSeen) | 0) >= events) return true
    // TRACE-REUSE: pairs with the store of HEAD in TraceReader.release. Gives X3.
    this.#headSeen = load(this.words, this.#header + HEAD)
    return this.#capacity - ((this.#tail - this.#headSeen) | 0) >= events
  }

  /** The word where the next event begins; it has no sections yet, and the rest of it is to be written. There is room for it. */
  begin(): number {
    const at = this.#events + (this.#tail & (this.#capacity - 1)) * EVENT_WORDS
    this.words[at + SIDE_LENGTH] = 0
    this.#tail = (this.#tail + 1) | 0
    return at
  }

  /** Takes so many words of the side ring, behind those that were taken last. @returns their position, or NO_SIDE */
  claimSide(words: number): number {
    const free = (): number => this.sideMask + 1 - ((this.#sideTail - this.#sideHeadSeen) | 0)
    if (free() < words) {
      // TRACE-REUSE, likewise.
      this.#sideHeadSeen = load(this.words, this.#header + SIDE_HEAD)
      if (free() < words) return NO_SIDE
    }
    const position = this.#sideTail
    this.#sideTail = (position + words) | 0
    return position
  }

  /** Counts events that had no room. */
  drop(events: number): void {
    this.#dropped = (this.#dropped + events) | 0
  }

  /** Counts an event that had no room for its sections. */
  truncate(): void {
    this.#truncated = (this.#truncated + 1) | 0
  }

  /** Counts a call of the predicate that threw. */
  countThrow(): void {
    this.#threw = (this.#threw + 1) | 0
  }

  /** Counts an attribute that was refused, or a call of `redact` that threw. */
  countRefused(): void {
    this.#refused = (this.#refused + 1) | 0
  }

  /** Something is to be told by the next hand-off. */
  get isDirty(): boolean {
    return this.#tail !== this.#stagedTail || this.#dropped !== this.#stagedDropped
  }

  /** Adds this ring's new words to the hand-off, whenever it is called: the journal stores TAIL before all others (X1). */
  stage(journal: Journal): void {
    if (this.#tail !== this.#stagedTail) {
      this.#tell(journal)
      this.#stagedTail = this.#tail
    }
    if (this.#dropped !== this.#stagedDropped) journal.set(this.#header + DROPPED, this.#dropped)
    if (this.#truncated !== this.#stagedTruncated) journal.set(this.#header + TRUNCATED, this.#truncated)
    if (this.#threw !== this.#stagedThrew) journal.set(this.#header + THREW, this.#threw)
    if (this.#refused !== this.#stagedRefused) journal.set(this.#header + REFUSALS, this.#refused)
    this.#stagedThrew = this.#threw
    this.#stagedRefused = this.#refused
    this.#stagedDropped = this.#dropped
    this.#stagedTruncated = this.#truncated
  }

  #tell(journal: Journal): void {
    journal.setFirst(0, this.#header + SIDE_TAIL, this.#sideTail)
    // TRACE-PUBLISH: pairs with the load of TAIL in TraceReader.look: who sees it sees whole events and their sections.
    journal.setFirst(1, this.#header + TAIL, this.#tail)
  }
}

/** The tracer's end of a trace ring. */
export class TraceReader {
  readonly words: Int32Array
  readonly side: number
  readonly sideMask: number
  readonly #header: number
  readonly #events: number
  readonly #capacity: number
  #next: number
  #sideNext: number
  #tailSeen: number

  constructor(memory: Memory, layout: TraceLayout) {
    const { words } = memory
    this.words = words
    this.#header = layout.offset / 4
    this.#events = (layout.offset + EVENTS_BYTES) / 4
    this.#capacity = layout.events
    this.side = (layout.offset + EVENTS_BYTES + EVENT_BYTES * layout.events) / 4
    this.sideMask = layout.sideWords - 1
    this.#next = this.#tailSeen = load(words, this.#header + HEAD)
    this.#sideNext = load(words, this.#header + SIDE_HEAD)
  }

  /** Sees all events that are published by now. @returns how many are there to be read */
  look(): number {
    // TRACE-PUBLISH: pairs with the store of TAIL by the worker's journal.
    this.#tailSeen = load(this.words, this.#header + TAIL)
    return (this.#tailSeen - this.#next) | 0
  }

  /** The word where the next event that was seen begins; 0 where there is none. */
  next(): number {
    if (this.#next === this.#tailSeen) return 0
    const at = this.#events + (this.#next & (this.#capacity - 1)) * EVENT_WORDS
    this.#next = (this.#next + 1) | 0
    const sections = this.words[at + SIDE_LENGTH]!
    if (sections > 0) this.#sideNext = (this.words[at + SIDE]! + sections) | 0
    return at
  }

  /** Gives back all that was read. */
  release(): void {
    store(this.words, this.#header + SIDE_HEAD, this.#sideNext)
    // TRACE-REUSE: all reads of the events come before this store.
    store(this.words, this.#header + HEAD, this.#next)
  }

  /** Share of the ring that is taken, of events or of sections, whichever is more. */
  get fill(): number {
    const events = ((load(this.words, this.#header + TAIL) - this.#next) | 0) / this.#capacity
    const sections = ((load(this.words, this.#header + SIDE_TAIL) - this.#sideNext) | 0) / (this.sideMask + 1)
    return Math.max(events, sections)
  }

  /** Events ever dropped, and ever truncated, of all lives: counters of 32 bits that wrap. */
  get dropped(): number {
    return load(this.words, this.#header + DROPPED) >>> 0
  }

  get truncated(): number {
    return load(this.words, this.#header + TRUNCATED) >>> 0
  }

  get refused(): number {
    return load(this.words, this.#header + REFUSALS) >>> 0
  }

  get threw(): number {
    return load(this.words, this.#header + THREW) >>> 0
  }
}
