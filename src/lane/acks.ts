import { load, store } from '#atomics'
import type { Journal } from './journal.ts'
import { ReasonReader, ReasonWriter } from './reasons.ts'
import { type AckLaneLayout, CRAMPED, ENTRIES_BYTES, ENTRY_WORDS, HEAD, TAIL, WANTED } from '../memory/acks.ts'
import type { Memory } from '../memory/memory.ts'

export class AckWriter {
  /** Absent where the source asks for no reasons. */
  readonly reasons: ReasonWriter | undefined
  readonly #words: Int32Array
  readonly #header: number
  readonly #entries: number
  readonly #capacity: number
  #tail: number
  #stagedTail: number
  #headSeen: number
  #isCramped: boolean

  constructor(memory: Memory, layout: AckLaneLayout) {
    this.#words = memory.words
    this.#header = layout.offset / 4
    this.#entries = (layout.offset + ENTRIES_BYTES) / 4
    this.#capacity = layout.entries
    this.#tail = this.#stagedTail = load(memory.words, this.#header + TAIL)
    this.#headSeen = load(memory.words, this.#header + HEAD)
    this.#isCramped = load(memory.words, this.#header + CRAMPED) === 1
    if (layout.reasons !== undefined) this.reasons = new ReasonWriter(memory, layout.reasons)
  }

  /** Whether `entries` more fit; where they do not, the source rings this worker when it has given room back. */
  hasRoom(entries: number): boolean {
    let hasRoom = this.#capacity - ((this.#tail - this.#headSeen) | 0) >= entries
    if (!hasRoom) {
      // Pairs with the store of HEAD in AckReader's hand-off.
      this.#headSeen = load(this.#words, this.#header + HEAD)
      hasRoom = this.#capacity - ((this.#tail - this.#headSeen) | 0) >= entries
    }
    if (hasRoom === this.#isCramped) {
      this.#isCramped = !hasRoom
      store(this.#words, this.#header + CRAMPED, hasRoom ? 0 : 1)
    }
    return hasRoom
  }

  put(slot: number, low: number, high: number, failures: number): void {
    const entry = this.#entries + (this.#tail & (this.#capacity - 1)) * ENTRY_WORDS
    this.#words[entry] = slot
    this.#words[entry + 1] = low
    this.#words[entry + 2] = high
    this.#words[entry + 3] = failures
    this.#tail = (this.#tail + 1) | 0
  }

  /** After a hand-off that brought entries: whether the source waits for them, or the lane fills up. */
  get isWorthWaking(): boolean {
    if (load(this.#words, this.#header + WANTED) === 1) return true
    return 2 * ((this.#tail - this.#headSeen) | 0) > this.#capacity
  }

  /** @returns whether this hand-off brings entries */
  stage(journal: Journal): boolean {
    // First: the reasons stand there before the entries that they are for (N2).
    this.reasons?.stage(journal)
    if (this.#tail === this.#stagedTail) return false
    // Pairs with the load of TAIL in AckReader.poll: an entry is whole before it is seen.
    journal.set(this.#header + TAIL, this.#tail)
    this.#stagedTail = this.#tail
    return true
  }
}

export class AckReader {
  readonly reasons: ReasonReader | undefined
  slot = 0
  low = 0
  high = 0
  failures = 0
  readonly #words: Int32Array
  readonly #header: number
  readonly #entries: number
  readonly #capacity: number
  #head: number
  #stagedHead: number
  #tailSeen: number
  #wanted: boolean

  constructor(memory: Memory, layout: AckLaneLayout) {
    this.#words = memory.words
    this.#header = layout.offset / 4
    this.#entries = (layout.offset + ENTRIES_BYTES) / 4
    this.#capacity = layout.entries
    this.#head = this.#stagedHead = this.#tailSeen = load(memory.words, this.#header + HEAD)
    this.#wanted = load(memory.words, this.#header + WANTED) === 1
    if (layout.reasons !== undefined) this.reasons = new ReasonReader(memory, layout.reasons)
  }

  /** Takes the next entry into the fields of this object; false where there is none. */
  poll(): boolean {
    if (this.#head === this.#tailSeen) {
      this.#tailSeen = load(this.#words, this.#header + TAIL)
      if (this.#head === this.#tailSeen) return false
    }
    const entry = this.#entries + (this.#head & (this.#capacity - 1)) * ENTRY_WORDS
    this.slot = this.#words[entry]!
    this.low = this.#words[entry + 1]!
    this.high = this.#words[entry + 2]!
    this.failures = this.#words[entry + 3]!
    this.#head = (this.#head + 1) | 0
    return true
  }

  /** Says whether this source wants to be woken for every entry. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    store(this.#words, this.#header + WANTED, wanted ? 1 : 0)
  }

  stage(journal: Journal): void {
    this.reasons?.stage(journal)
    if (this.#head === this.#stagedHead) return
    journal.set(this.#header + HEAD, this.#head)
    this.#stagedHead = this.#head
  }

  /** After a hand-off: whether the worker waits for the room that it gave back. */
  get isWorthWaking(): boolean {
    return load(this.#words, this.#header + CRAMPED) === 1
  }
}
