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
 *     28   WRAPS               how often SEQUENCE has come round
 *     32   LAST                0; once `finish` was called, 1 + the records of it that were handed on
 *     36   FLUSHED             number of the last flush before which all has ended
 *     40   LINE                0 none; else how often the line of open chunks has moved, modulo 2^32: the last bit names its place
 *     128  two places for a cursor, so that one is whole at any moment: a word for its length, then MessagePack
 *     …    two places for the line, likewise, with the CRC-32 of its bytes after the length: another thread reads it at any time
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
/** Room for a watermark of that size, and for the cursors behind it. */
const LINE_PLACE_BYTES = 2 * PLACE_BYTES
/** Words of the place of a line, and its bytes before the line. */
export const LINE_LENGTH = 0
export const LINE_CRC = 1
export const LINE_HEAD_BYTES = 8
export const MAX_LINE_BYTES: number = LINE_PLACE_BYTES - LINE_HEAD_BYTES
export const PROGRESS_BYTES: number = LINE_BYTES + 2 * PLACE_BYTES + 2 * LINE_PLACE_BYTES

/** Offset of a place, from the start. */
export function cursorPlace(place: 1 | 2): number {
  return LINE_BYTES + (place - 1) * PLACE_BYTES
}

/** Offset of the place of the line that has moved so often, from the start. */
export function linePlace(moved: number): number {
  return LINE_BYTES + 2 * PLACE_BYTES + (moved & 1) * LINE_PLACE_BYTES
}
