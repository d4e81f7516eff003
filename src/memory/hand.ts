import { LINE_BYTES } from './memory.ts'

/**
 * The hand of a worker: what user data it works on, said before it does, so that a death leaves a trace; and the suspects:
 * what the supervisor found in the hands of its earlier lives.
 *
 * The worker's:
 *     0   HOLDING   see below
 *     4   ID low, ID high: base of the chunk in hand; of a batch: its id
 *     12  INDEX     a record, or the first of several: its index under that base
 *     16  CALLED    counts up with every call, so that a watchdog tells one from the next; only where there is a `timeoutMs`
 *     20  SEGMENTS  a batch: how many pairs (input, records) say what it is made of, from SEGMENT on
 *     24  RESUMING  1 where a hand-off left the chunk in hand half sent; then its id, low and high. By the journal
 *     36  COUNT     several records: how many
 *     40  PLACES    open calls beside what HOLDING says: the pairs from SEGMENT on are ids, zero where the place is free
 *     44  READING   1 while records are read from a lane, whatever HOLDING says; then base low and high of their chunk, the
 *                   index of the first one under that base, and how many there are
 *     64  COMPLETED_BY   a batch: what completed it
 * The supervisor's, a line further:
 *     0   SUSPECTS  how many are valid
 *     4   DOUBT     records one of which has killed, nobody knows which: their base low and high, the index of the first one under
 *                   that base, and how many there are; 0 for none
 *     24  three words for each suspect: id low, id high, deaths
 *
 * Invariants (test/net):
 *   H1  whenever user data can make the thread do something (decode, handler, key, route, selector, encode), the hand names
 *       the record, or the few records, whose data it is
 *   H2  while the worker waits, for credit or for an answer, nothing but the open calls is in its hand
 */
export const HOLDING = 0
export const ID_LOW = 1
export const ID_HIGH = 2
export const INDEX = 3
export const CALLED = 4
export const SEGMENTS = 5
export const RESUMING = 6
export const RESUME_LOW = 7
export const RESUME_HIGH = 8
export const COUNT = 9
export const PLACES = 10
export const READING = 11
export const READ_LOW = 12
export const READ_HIGH = 13
export const READ_INDEX = 14
export const READ_COUNT = 15
export const COMPLETED_BY = 16

// HOLDING
export const HOLDS_NOTHING = 0
export const HOLDS_RECORD = 1
export const HOLDS_BATCH = 2
/** Several records of a chunk: one of them is being sent. */
export const HOLDS_SEVERAL = 3
/** A batch that an earlier life held. */
export const HELD_BATCH = 4

export const SUSPECTS: number = LINE_BYTES / 4
export const DOUBT_LOW: number = SUSPECTS + 1
export const DOUBT_HIGH: number = SUSPECTS + 2
export const DOUBT_INDEX: number = SUSPECTS + 3
export const DOUBT_COUNT: number = SUSPECTS + 4
export const SUSPECT: number = SUSPECTS + 6
export const SUSPECT_WORDS = 3
export const MAX_SUSPECTS = 341
/** First segment, or first open call. */
export const SEGMENT: number = SUSPECT + SUSPECT_WORDS * (MAX_SUSPECTS + 1)

export function handBytes(segments: number): number {
  return 4 * SEGMENT + 8 * segments
}
