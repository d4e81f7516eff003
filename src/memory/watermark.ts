import { LINE_BYTES } from './memory.ts'
import { MAX_CURSOR_BYTES } from './progress.ts'

/**
 * The watermark of a source worker in a durable run: the cursor below which all of its records have ended. Stored by the worker, and
 * read by the thread that keeps it on disk, at any time.
 *
 *     0    MOVED  0 none; else how often it has moved, modulo 2^32: the last bit names its place. Stored by the worker's journal
 *     128  two places, so that one is whole at any moment: a word for its length, one for the CRC-32 of its bytes, then MessagePack
 */
export const MOVED = 0
const PLACE_BYTES = LINE_BYTES + MAX_CURSOR_BYTES + 4
export const WATERMARK_BYTES: number = LINE_BYTES + 2 * PLACE_BYTES
/** Words of a place before the bytes. */
export const LENGTH = 0
export const CRC = 1
export const PLACE_HEAD_BYTES = 8

/** Offset of the place of the watermark that has moved so often, from the start. */
export function watermarkPlace(moved: number): number {
  return LINE_BYTES + (moved & 1) * PLACE_BYTES
}
