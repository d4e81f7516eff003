import { LINE_BYTES } from './memory.ts'

/**
 * Beside an ack lane: a ring in which its worker says why records failed, where the source tells its `ack` so. Nobody waits for room
 * here: what finds none is left out and counted.
 *
 *     0     TAIL   words ever committed; LEFT_OUT: slots of whose records no reason could be said; the worker
 *     128   HEAD   words ever taken; UNKEPT: slots whose reason the source could not keep; the source worker
 *     256   ring of words (a power of two)
 *
 * A reason is: how many slots it is for, bytes of its text, the slots, and the text (UTF-8) from the next word on. It may wrap.
 *
 * Invariants (test/lane/reasons.test.ts, test/interleave):
 *   N1  TAIL - HEAD is never negative and never more than the ring's words
 *   N2  TAIL is stored before that of the ack lane, and before all else of the hand-off: who has taken the last entry of a slot
 *       finds all reasons of its records
 *   N3  a reason counts once, whenever either side dies: TAIL and HEAD are stored by journals, and with HEAD the place in the
 *       source's stash in which it is kept
 */
export interface ReasonsLayout {
  readonly offset: number
  /** A power of two. */
  readonly words: number
}

export const TAIL = 0
export const LEFT_OUT = 1
export const HEAD: number = LINE_BYTES / 4
export const UNKEPT: number = HEAD + 1
export const RING_BYTES: number = 2 * LINE_BYTES
/** Words of a reason before its slots. */
export const REASON_WORDS = 2

export function reasonsBytes(words: number): number {
  return RING_BYTES + 4 * words
}
