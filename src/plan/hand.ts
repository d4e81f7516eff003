import { LINE_BYTES } from '../lane/memory.ts'

/**
 * The hand of a worker: what its handler works on, said before the call, so that a death leaves a trace; and the suspects:
 * what the supervisor found in the hands of its earlier lives.
 *
 * The worker's:
 *     0   HOLDING   0 nothing, 1 a record, 2 a batch, 3 open calls, 4 a batch that an earlier life held
 *     4   ID low, ID high: base of the granule in hand; of a batch: its id
 *     12  INDEX     a record: its index under that base; open calls: how many places are in use, free ones included
 *     16  CALLED    counts up with every call, so that a watchdog tells one from the next; only where there is a `timeoutMs`
 *     20  SEGMENTS  a batch: how many pairs (input, records) say what it is made of, from SEGMENT on;
 *                   open calls: the pairs are ids, zero where the place is free
 *     24  RESUMING  1 where a hand-off left the granule in hand half sent; then its id, low and high. By the journal
 * The supervisor's, a line further:
 *     0   SUSPECTS  how many are valid, then three words each: id low, id high, deaths
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

export const HOLDS_NOTHING = 0
export const HOLDS_RECORD = 1
export const HOLDS_BATCH = 2
export const HOLDS_CALLS = 3
export const HELD_BATCH = 4

export const SUSPECTS: number = LINE_BYTES / 4
export const SUSPECT: number = SUSPECTS + 1
export const SUSPECT_WORDS = 3
export const MAX_SUSPECTS = 341
/** First segment. */
export const SEGMENT: number = SUSPECTS + SUSPECT_WORDS * (MAX_SUSPECTS + 1)

export function handBytes(segments: number): number {
  return 4 * SEGMENT + 8 * segments
}
