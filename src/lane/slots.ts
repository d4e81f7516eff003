import { addFailures, droppedIn, failedIn, hasGap, isReleased } from './failures.ts'
import type { Journal } from './journal.ts'
import type { Memory } from '../memory/memory.ts'
import {
  BORN,
  BORN_HIGH,
  COUNT,
  FAILURES,
  HIGH,
  LOW,
  NO_SLOT,
  SEQUENCE,
  SLOT_WORDS,
  TRACE,
  type SlotsLayout,
  bornAt,
} from '../memory/slots.ts'

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

  /** Its TRACE: 0 where it is not traced. */
  trace(slot: number): number {
    return this.#image[slot * SLOT_WORDS + TRACE]!
  }

  /** A handler has released its records: they count as done. */
  isReleased(slot: number): boolean {
    return isReleased(this.#image[slot * SLOT_WORDS + FAILURES]!)
  }

  /** An event of the slot was dropped somewhere. */
  hasGap(slot: number): boolean {
    return hasGap(this.#image[slot * SLOT_WORDS + FAILURES]!)
  }

  /** Decides, right after `open`, whether and why the slot is traced. */
  setTrace(slot: number, trace: number): void {
    this.#image[slot * SLOT_WORDS + TRACE] = trace
  }

  /** Opens a slot for a chunk of `count` records; `settle` then says which ids were born. */
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
    this.#image[at + TRACE] = 0
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

  /** All slots that are open, oldest chunk first. */
  openSlots(): number[] {
    const open: number[] = []
    for (let slot = 0; slot < this.capacity; slot++) if (this.count(slot) > 0) open.push(slot)
    return open.sort((a, b) => (this.sequence(a) - this.sequence(b)) | 0)
  }

  /** The open slot of the chunk with this sequence; NO_SLOT if there is none. */
  slotOf(sequence: number): number {
    for (let slot = 0; slot < this.capacity; slot++)
      if (this.count(slot) > 0 && this.sequence(slot) === sequence) return slot
    return NO_SLOT
  }

  stage(journal: Journal): void {
    for (const slot of this.#dirty) {
      this.#isDirty[slot] = 0
      for (let word = 0; word < SLOT_WORDS; word++) {
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
