import { LINE_BYTES } from './memory.ts'
import type { TextsLayout } from './texts.ts'

/**
 * A worker's stash: a ring that it writes and reads itself, for records that are neither upstream's any more nor done.
 * Entries end in any order: an entry that is done is marked, and the room comes back when all before it are done too. Where
 * an old entry keeps the room of ended ones, it is moved to the tail.
 *
 *     0     TAIL  HEAD      bytes ever put, bytes ever given back
 *     128   text table of the stash's codec (`textBytes`)
 *     …     ring of entries (`ringBytes`, a power of two)
 *
 * An entry is a frame of one record (see `lane.ts`), whose header goes on:
 *
 *     40   STATE: 0 open, 1 done        44  GROUP: the batch it was handed over with, or 0;
 *                                       -1: that batch is done, and waits here for its late records
 *     48   ORDER: counts up with every entry; kept when the entry is moved
 *     56   DUE: not before this time, in ms of the monotonic clock (8 bytes)
 *     64   SINCE: time of the first failure, in ms since 1970, or 0 (8 bytes)
 *     72   further anchors, one word each, then the encoded record from the next multiple of 8
 *
 * Everything here is stored by this worker only, and what others must find after its death is stored by its journal:
 *   T1  between HEAD and TAIL as the words say stand whole entries; nothing there is overwritten before HEAD has passed it
 *   T2  STATE, GROUP and DUE of an entry below TAIL change by the journal only
 */
export interface StashLayout {
  readonly offset: number
  readonly textBytes: number
  readonly ringBytes: number
}

export const TAIL = 0
export const HEAD = 1
export const STATE = 10
export const GROUP = 11
export const ORDER = 12
export const DUE = 7 // in floats
export const SINCE = 8 // in floats
export const ENTRY_HEADER_BYTES = 72
export const OPEN = 0
export const DONE = 1
/** In GROUP. */
export const HANDED_OVER = -1

export function stashBytes(layout: Pick<StashLayout, 'textBytes' | 'ringBytes'>): number {
  return LINE_BYTES + layout.textBytes + layout.ringBytes
}

export function stashTexts(layout: StashLayout): TextsLayout {
  return { usedWord: layout.offset / 4 + 2, offset: layout.offset + LINE_BYTES, bytes: layout.textBytes }
}
