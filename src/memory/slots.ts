import type { HeadsLayout } from './heads.ts'

/**
 * A source worker's slots: one for each chunk of its records that is on its way. All slots are the worker's end-to-end
 * window. Stored by the source worker only, through its journal; anyone may read when a slot was born.
 *
 *     0   LOW, HIGH   XOR of the ids that were born and of those that ended: zero when all is done
 *     8   FAILURES    records that failed
 *     12  COUNT       source records in the chunk; 0 while the slot is free
 *     16  SEQUENCE    how-manieth chunk of this source worker, modulo 2^32
 *     20  BORN        stamp of the chunk, in microseconds of the monotonic clock: low word, high word
 *     28  TRACE       0 where the slot is not traced; else why (low bits), and how often SEQUENCE has come round (upper 20)
 *
 * Invariants (test/lane/slots.test.ts, test/interleave):
 *   S1  while a chunk is on its way, some id of it has been born and has not ended, so the XOR is not zero
 *   S2  an id that goes on is the only child of its chunk: whatever else is born of it, all get ids of their own. Entries
 *       of different workers come in any order, and one that ends an id must not come before the one that tells of its
 *       siblings and leave zero between them
 *   S3  a slot is opened again only after it has ended, so no entry of an earlier chunk can come late
 */
export interface SlotsLayout {
  readonly offset: number
  readonly slots: number
  /** Index of the source worker among all source workers of the plan. */
  readonly source: number
  /** Of a source that is pushed into, where something can be traced: PARENT_WORDS for each slot, what its record continues. */
  readonly parents?: number
  /** Of a source whose records have heads. */
  readonly heads?: HeadsLayout
}

export const LOW = 0
export const HIGH = 1
export const FAILURES = 2
export const COUNT = 3
export const SEQUENCE = 4
export const BORN = 5
export const BORN_HIGH = 6
export const TRACE = 7
export const SLOT_WORDS = 8
/** TRACE: chosen by chance, by the source's predicate, because it always is, or to be judged at its end. */
export const BY_RATE = 1
export const BY_PREDICATE = 2
export const BY_ALWAYS = 4
export const BY_TAIL = 8
/** Its record continues a trace of another system: its words among the parents say which, and why it is traced, if it says so. */
export const BY_PARENT = 16
export const HAS_PARENT = 32
/** Trace id and span id, high words first. */
export const PARENT_WORDS = 6
export const WRAPS_SHIFT = 12
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

/** When the chunk of a slot was born; for end-to-end times at the sinks. */
export function slotBorn(words: Int32Array, layout: SlotsLayout, slot: number): number {
  const at = layout.offset / 4 + slot * SLOT_WORDS
  return bornAt(words, at)
}

export function bornAt(words: Int32Array, at: number): number {
  return words[at + BORN_HIGH]! * 2 ** 32 + (words[at + BORN]! >>> 0)
}
