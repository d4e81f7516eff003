import { LINE_BYTES } from './memory.ts'
import type { ReasonsLayout } from './reasons.ts'

/**
 * An ack lane: a ring of fixed entries from one worker back to one source worker. An entry says, for one slot, the XOR of
 * the ids that ended there and of those that were born there, and how many records failed. The order of entries does not
 * matter: when the XOR of all entries of a slot is zero, all that came of its records is done.
 *
 *     0     TAIL   entries ever committed; CRAMPED: 1 while the worker waits for room; the worker
 *     128   HEAD   entries ever taken; WANTED: 1 where the source wants to know at once; the source worker
 *     256   entries of four words: slot, low, high, failures (`failures.ts`)
 *
 * The source drains its ack lanes before it parks, so a worker that waits for room here waits for the source's loop only;
 * it says so (CRAMPED), and the source rings it after the hand-off that gives room back.
 *
 * Invariants (test/lane/acks.test.ts, test/interleave):
 *   A1  TAIL - HEAD is never negative and never more than the lane's entries
 *   A2  an entry is written only beyond TAIL and read only between HEAD and a TAIL that was loaded before
 *   A3  an entry counts once, whenever either side dies: TAIL, HEAD and the slots are stored by journals
 */
export interface AckLaneLayout {
  readonly offset: number
  /** A power of two. */
  readonly entries: number
  /** Beside it, why records failed; absent where the source asks for no reasons. */
  readonly reasons?: ReasonsLayout | undefined
}

export const TAIL = 0
export const CRAMPED = 1
export const HEAD: number = LINE_BYTES / 4
export const WANTED: number = HEAD + 1
export const ENTRIES_BYTES: number = 2 * LINE_BYTES
export const ENTRY_WORDS = 4

export function ackLaneBytes(entries: number): number {
  return ENTRIES_BYTES + 4 * ENTRY_WORDS * entries
}
