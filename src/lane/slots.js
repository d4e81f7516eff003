const LOW = 0
const HIGH = 1
const FAILURES = 2
const COUNT = 3
const SEQUENCE = 4
const BORN = 5
const SLOT_WORDS = 8
const SLOT_BITS = 20
/** Most slots of a source worker, and most source workers of a plan. */
export const MAX_SLOTS = 1 << SLOT_BITS
export const MAX_SOURCES = 4096
/** Not a slot: the window is full. */
export const NO_SLOT = -1
export function slotsBytes(slots) {
  return 4 * SLOT_WORDS * slots
}
/** An anchor names a slot of any source worker in one word. */
export function anchorOf(source, slot) {
  return (source << SLOT_BITS) | slot
}
export function anchorSource(anchor) {
  return anchor >>> SLOT_BITS
}
export function anchorSlot(anchor) {
  return anchor & (MAX_SLOTS - 1)
}
/** When the granule of a slot was born; for end-to-end times at the sinks. */
export function slotBorn(words, layout, slot) {
  return words[layout.offset / 4 + slot * SLOT_WORDS + BORN]
}
export class Slots {
  #words
  #base
  /** The slots as the next hand-off will leave them. */
  #image
  #free = []
  #dirty = []
  #isDirty
  constructor(memory, layout) {
    this.#words = memory.words
    this.#base = layout.offset / 4
    this.#image = memory.words.slice(this.#base, this.#base + layout.slots * SLOT_WORDS)
    this.#isDirty = new Uint8Array(layout.slots)
    for (let slot = layout.slots - 1; slot >= 0; slot--) if (this.count(slot) === 0) this.#free.push(slot)
  }
  get capacity() {
    return this.#isDirty.length
  }
  get free() {
    return this.#free.length
  }
  /** Slots whose words the next hand-off will store. */
  get dirty() {
    return this.#dirty.length
  }
  count(slot) {
    return this.#image[slot * SLOT_WORDS + COUNT]
  }
  failures(slot) {
    return this.#image[slot * SLOT_WORDS + FAILURES]
  }
  sequence(slot) {
    return this.#image[slot * SLOT_WORDS + SEQUENCE]
  }
  born(slot) {
    return this.#image[slot * SLOT_WORDS + BORN]
  }
  /** Opens a slot for a granule of `count` records; `settle` then says which ids were born. */
  open(count, sequence, born) {
    const slot = this.#free.pop()
    if (slot === undefined) return NO_SLOT
    const at = slot * SLOT_WORDS
    this.#image[at + LOW] = 0
    this.#image[at + HIGH] = 0
    this.#image[at + FAILURES] = 0
    this.#image[at + COUNT] = count
    this.#image[at + SEQUENCE] = sequence
    this.#image[at + BORN] = born
    this.#touch(slot)
    return slot
  }
  /** Takes an entry: XOR of ids that were born or ended, and failures. @returns whether all of the slot is done now */
  settle(slot, low, high, failures) {
    const at = slot * SLOT_WORDS
    this.#image[at + LOW] ^= low
    this.#image[at + HIGH] ^= high
    this.#image[at + FAILURES] += failures
    this.#touch(slot)
    return this.#image[at + LOW] === 0 && this.#image[at + HIGH] === 0
  }
  /** Whether all that came of an open slot is done. */
  isDone(slot) {
    const at = slot * SLOT_WORDS
    return this.#image[at + COUNT] !== 0 && this.#image[at + LOW] === 0 && this.#image[at + HIGH] === 0
  }
  /** Frees a slot that is done. */
  close(slot) {
    this.#image[slot * SLOT_WORDS + COUNT] = 0
    this.#touch(slot)
    this.#free.push(slot)
  }
  /** All slots that are open, oldest granule first. */
  openSlots() {
    const open = Array.from({ length: this.capacity }, (_, slot) => slot).filter((slot) => this.count(slot) > 0)
    return open.sort((a, b) => (this.sequence(a) - this.sequence(b)) | 0)
  }
  stage(journal) {
    for (const slot of this.#dirty) {
      this.#isDirty[slot] = 0
      for (let word = 0; word < BORN + 1; word++) {
        const value = this.#image[slot * SLOT_WORDS + word]
        const index = this.#base + slot * SLOT_WORDS + word
        if (this.#words[index] !== value) journal.set(index, value)
      }
    }
    this.#dirty.length = 0
  }
  #touch(slot) {
    if (this.#isDirty[slot] === 1) return
    this.#isDirty[slot] = 1
    this.#dirty.push(slot)
  }
}
