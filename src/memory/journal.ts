/**
 * A worker's journal: the words that make its hand-off atomic.
 *
 *     0    MARK: how many entries are valid; 0 while none is under way
 *     8    image of the worker's counters (`counters` floats)
 *     …    two first entries: word index (0 for none), value
 *     …    entries: word index, value
 *
 * Invariants (test/lane/journal.test.ts, test/interleave):
 *   J1  MARK is stored non-zero only after all entries and the image are written, and zero only after all are applied
 *   J2  an entry is "this word becomes this value", and the word is written by this worker alone, so that applying
 *       it twice is applying it once
 *   J3  nothing of a hand-off is seen by another worker before MARK is set
 *   X1  the first entries are applied before all others (`trace.ts`)
 * After a death, `recover` applies a marked journal and leaves an unmarked one: the hand-off happened wholly or not at all.
 */
export interface JournalLayout {
  readonly offset: number
  readonly entries: number
  /** Where the worker's counters lie, and how many there are. */
  readonly countersOffset: number
  readonly counters: number
}

export const MARK = 0
export const IMAGE_BYTES = 8
/** Entries that are applied before all others. */
export const FIRST_ENTRIES = 2

export function journalBytes(entries: number, counters: number): number {
  return IMAGE_BYTES + 8 * counters + 8 * FIRST_ENTRIES + 8 * entries
}
