import { load, store } from '#atomics'
import { LINE_BYTES } from './memory.js'
const TAIL = 0
const HEAD = LINE_BYTES / 4
const WANTED = HEAD + 1
const ENTRIES_BYTES = 2 * LINE_BYTES
const ENTRY_WORDS = 4
export function ackLaneBytes(entries) {
  return ENTRIES_BYTES + 4 * ENTRY_WORDS * entries
}
export class AckWriter {
  #words
  #header
  #entries
  #capacity
  #tail
  #stagedTail
  #headSeen
  constructor(memory, layout) {
    this.#words = memory.words
    this.#header = layout.offset / 4
    this.#entries = (layout.offset + ENTRIES_BYTES) / 4
    this.#capacity = layout.entries
    this.#tail = this.#stagedTail = load(memory.words, this.#header + TAIL)
    this.#headSeen = load(memory.words, this.#header + HEAD)
  }
  /** Whether `entries` more fit. */
  hasRoom(entries) {
    if (this.#capacity - ((this.#tail - this.#headSeen) | 0) >= entries) return true
    // Pairs with the store of HEAD in AckReader's hand-off.
    this.#headSeen = load(this.#words, this.#header + HEAD)
    return this.#capacity - ((this.#tail - this.#headSeen) | 0) >= entries
  }
  put(slot, low, high, failures) {
    const entry = this.#entries + (this.#tail & (this.#capacity - 1)) * ENTRY_WORDS
    this.#words[entry] = slot
    this.#words[entry + 1] = low
    this.#words[entry + 2] = high
    this.#words[entry + 3] = failures
    this.#tail = (this.#tail + 1) | 0
  }
  /** After a hand-off that brought entries: whether the source waits for them, or the lane fills up. */
  get isWorthWaking() {
    if (load(this.#words, this.#header + WANTED) === 1) return true
    return 2 * ((this.#tail - this.#headSeen) | 0) > this.#capacity
  }
  /** @returns whether this hand-off brings entries */
  stage(journal) {
    if (this.#tail === this.#stagedTail) return false
    // Pairs with the load of TAIL in AckReader.poll: an entry is whole before it is seen.
    journal.set(this.#header + TAIL, this.#tail)
    this.#stagedTail = this.#tail
    return true
  }
}
export class AckReader {
  slot = 0
  low = 0
  high = 0
  failures = 0
  #words
  #header
  #entries
  #capacity
  #head
  #stagedHead
  #tailSeen
  #wanted
  constructor(memory, layout) {
    this.#words = memory.words
    this.#header = layout.offset / 4
    this.#entries = (layout.offset + ENTRIES_BYTES) / 4
    this.#capacity = layout.entries
    this.#head = this.#stagedHead = this.#tailSeen = load(memory.words, this.#header + HEAD)
    this.#wanted = load(memory.words, this.#header + WANTED) === 1
  }
  /** Takes the next entry into the fields of this object; false where there is none. */
  poll() {
    if (this.#head === this.#tailSeen) {
      this.#tailSeen = load(this.#words, this.#header + TAIL)
      if (this.#head === this.#tailSeen) return false
    }
    const entry = this.#entries + (this.#head & (this.#capacity - 1)) * ENTRY_WORDS
    this.slot = this.#words[entry]
    this.low = this.#words[entry + 1]
    this.high = this.#words[entry + 2]
    this.failures = this.#words[entry + 3]
    this.#head = (this.#head + 1) | 0
    return true
  }
  /** Says whether this source wants to be woken for every entry. */
  want(wanted) {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    store(this.#words, this.#header + WANTED, wanted ? 1 : 0)
  }
  stage(journal) {
    if (this.#head === this.#stagedHead) return
    journal.set(this.#header + HEAD, this.#head)
    this.#stagedHead = this.#head
  }
}
