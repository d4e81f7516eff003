import { addFailures, droppedIn, failedIn } from './failures.ts'
import type { Journal } from './journal.ts'
import type { Memory } from './memory.ts'

/**
 * A source worker's slots: one for each granule of its records that is on its way. All slots are the worker's end-to-end
 * window. Stored by the source worker only, through its journal; anyone may read when a slot was born.
 *
 *     0   LOW, HIGH   XOR of the ids that were born and of those that ended: zero when all is done
 *     8   FAILURES    records that failed
 *     12  COUNT       source records in the granule; 0 while the slot is free
 *     16  SEQUENCE    how-manieth granule of this source worker, modulo 2^32
 *     20  BORN        stamp of the granule, in microseconds of the monotonic clock: low word, high word
 *
 * Invariants (test/lane/slots.test.ts, test/interleave):
 *   S1  while a granule is on its way, some id of it has been born and has not ended, so the XOR is not zero
 *   S2  an id that goes on is the only child of its granule: whatever else is born of it, all get ids of their own. Entries
 *       of different workers come in any order, and one that ends an id must not come before the one that tells of its
 *       siblings and leave zero between them
 *   S3  a slot is opened again only after it has ended, so no entry of an earlier granule can come late
 */
export interface SlotsLayout {
  readonly offset: number
  readonly slots: number
  /** Index of the source worker among all source workers of the plan. */
  readonly source: number
}

const LOW = 0
const HIGH = 1
const FAILURES = 2
const COUNT = 3
const SEQUENCE = 4
const BORN = 5
const BORN_HIGH = 6
const SLOT_WORDS = 8
const SLOT_BITS = 20
/** Most slots of a source worker, and most source workers of a plan. */
export const MAX_SLOTS: number = 1 << SLOT_BITS
export const MAX_SOURCES = 4096

/** Not a slot: the window is full. */
export const NO_SLOT = -1

export function slotsBytes(slots: number): number {
  return 4 * SLOT_WORDS * slots
}

/** An anchor names a slot of any source worker in one word. */
export function anchorOf(source: number, slot: number): number {
  return (source << SLOT_BITS) | slot
}

export function anchorSource(anchor: number): number {
  return anchor >>> SLOT_BITS
}

export function anchorSlot(anchor: number): number {
  return anchor & (MAX_SLOTS - 1)
}

/** When the granule of a slot was born; for end-to-end times at the sinks. */
export function slotBorn(words: Int32Array, layout: SlotsLayout, slot: number): number {
  const at = layout.offset / 4 + slot * SLOT_WORDS
  return bornAt(words, at)
}

function bornAt(words: Int32Array, at: number): number {
  return words[at + BORN_HIGH]! * 2 ** 32 + (words[at + BORN]! >>> 0)
}

export class Slots {
  readonly #words: Int32Array
  readonly #base: number
  /** The slots as the next hand-off will leave them. */
  readonly #image: Int32Array
  readonly #free: number[] = []
  readonly #dirty: number[] = []
  readonly #isDirty: Uint8Array

  constructor(memory: Memory, layout: SlotsLayout) {
    this.#words = memory.words
    this.#base = layout.offset / 4
    this.#image = memory.words.slice(this.#base, this.#base + layout.slots * SLOT_WORDS)
    this.#isDirty = new Uint8Array(layout.slots)
    for (let slot = layout.slots - 1; slot >= 0; slot--) if (this.count(slot) === 0) this.#free.push(slot)
  }

  get capacity(): number {
    return this.#isDirty.length
  }

  get free(): number {
    return this.#free.length
  }

  /** Slots whose words the next hand-off will store. */
  get dirty(): number {
    return this.#dirty.length
  }

  count(slot: number): number {
    return this.#image[slot * SLOT_WORDS + COUNT]!
  }

  failures(slot: number): number {
    const word = this.#image[slot * SLOT_WORDS + FAILURES]!
    return failedIn(word) + droppedIn(word)
  }

  /** Those of them that a buffer dropped. */
  dropped(slot: number): number {
    return droppedIn(this.#image[slot * SLOT_WORDS + FAILURES]!)
  }

  sequence(slot: number): number {
    return this.#image[slot * SLOT_WORDS + SEQUENCE]!
  }

  born(slot: number): number {
    return bornAt(this.#image, slot * SLOT_WORDS)
  }

  /** Opens a slot for a granule of `count` records; `settle` then says which ids were born. */
  open(count: number, sequence: number, born: number): number {
    const slot = this.#free.pop()
    if (slot === undefined) return NO_SLOT
    const at = slot * SLOT_WORDS
    this.#image[at + LOW] = 0
    this.#image[at + HIGH] = 0
    this.#image[at + FAILURES] = 0
    this.#image[at + COUNT] = count
    this.#image[at + SEQUENCE] = sequence
    this.#image[at + BORN] = born | 0
    this.#image[at + BORN_HIGH] = Math.floor(born / 2 ** 32)
    this.#touch(slot)
    return slot
  }

  /** Takes an entry: XOR of ids that were born or ended, and failures (`failures.ts`). @returns whether all of the slot is done now */
  settle(slot: number, low: number, high: number, failures: number): boolean {
    const at = slot * SLOT_WORDS
    this.#image[at + LOW]! ^= low
    this.#image[at + HIGH]! ^= high
    this.#image[at + FAILURES] = addFailures(this.#image[at + FAILURES]!, failures)
    this.#touch(slot)
    return this.#image[at + LOW] === 0 && this.#image[at + HIGH] === 0
  }

  /** Whether all that came of an open slot is done. */
  isDone(slot: number): boolean {
    const at = slot * SLOT_WORDS
    return this.#image[at + COUNT] !== 0 && this.#image[at + LOW] === 0 && this.#image[at + HIGH] === 0
  }

  /** Frees a slot that is done. */
  close(slot: number): void {
    this.#image[slot * SLOT_WORDS + COUNT] = 0
    this.#touch(slot)
    this.#free.push(slot)
  }

  /** All slots that are open, oldest granule first. */
  openSlots(): number[] {
    const open = Array.from({ length: this.capacity }, (_, slot) => slot).filter((slot) => this.count(slot) > 0)
    return open.sort((a, b) => (this.sequence(a) - this.sequence(b)) | 0)
  }

  stage(journal: Journal): void {
    for (const slot of this.#dirty) {
      this.#isDirty[slot] = 0
      for (let word = 0; word <= BORN_HIGH; word++) {
        const value = this.#image[slot * SLOT_WORDS + word]!
        const index = this.#base + slot * SLOT_WORDS + word
        if (this.#words[index] !== value) journal.set(index, value)
      }
    }
    this.#dirty.length = 0
  }

  #touch(slot: number): void {
    if (this.#isDirty[slot] === 1) return
    this.#isDirty[slot] = 1
    this.#dirty.push(slot)
  }
}
