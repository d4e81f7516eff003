import { LINE_BYTES } from './memory.ts'

/**
 * How far a source worker has come, stored by its journal, so that a successor goes on there.
 *
 *     0    EMITTED low, high   records handed on by all lives
 *     8    SEQUENCE            chunks handed on, modulo 2^32
 *     12   CURSOR              0 none, 1 or 2 the place of the last cursor, 3 the source has cursors and none was handed on
 *     16   FINISHED            1 once the source has said that it makes no more
 *     20   BEYOND              records handed on after the one with that cursor
 *     24   BEHIND              records handed on since that cursor came first
 *     28  WRAPS                how often SEQUENCE has come round
 *     32  LAST                 0; once `finish` was called, 1 + the records of it that were handed on
 *     36  FLUSHED              number of the last flush before which all has ended
 *     40  LINE                 0 none, 1 or 2 the place of what is known of the watermark
 *     128  two places for a cursor, so that one is whole at any moment: a word for its length, then MessagePack
 *     …    two places for what is known of the watermark, likewise
 */
export const EMITTED_LOW = 0
export const EMITTED_HIGH = 1
export const SEQUENCE = 2
export const CURSOR = 3
export const FINISHED = 4
export const BEYOND = 5
export const BEHIND = 6
export const WRAPS = 7
export const LAST = 8
export const FLUSHED = 9
export const LINE = 10
const PLACE_BYTES = 4096
export const MAX_CURSOR_BYTES: number = PLACE_BYTES - 4
/** A value of CURSOR. */
export const NO_CURSOR_YET = 3
export const PROGRESS_BYTES: number = LINE_BYTES + 4 * PLACE_BYTES

/** Offset of a place, from the start. */
export function cursorPlace(place: 1 | 2): number {
  return LINE_BYTES + (place - 1) * PLACE_BYTES
}

/** The same of what is known of the watermark. */
export function linePlace(place: 1 | 2): number {
  return cursorPlace(place) + 2 * PLACE_BYTES
}
