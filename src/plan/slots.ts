import { ackLaneBytes } from '../memory/acks.ts'
import { MAX_SLOTS } from '../memory/slots.ts'
import { powerOfTwo } from './lane-sizes.ts'

/** Slots where chunks may hold many records: enough of them for chunks that stay small. */
const MAX_SHARED_SLOTS = 4096
/** What all ack lanes to one source stage take together before its windows are cut into fewer slots. */
const ACKS_BYTES = 1 << 28
const LEAST_SLOTS = 256
/** Entries of an ack lane, at least, where there are not very many. */
const ACK_ENTRIES = 1024

export function slotsOf(window: number, chunk: number): number {
  return Math.min(MAX_SLOTS, chunk === 1 ? window : Math.min(window, MAX_SHARED_SLOTS))
}

/** A hand-off owes at most an entry for each slot, so it always fits an empty ack lane. */
export function ackEntries({ slots, window, chunk }: { slots: number; window: number; chunk: number }): number {
  return powerOfTwo(slots < slotsOf(window, chunk) ? slots : Math.max(ACK_ENTRIES, slots))
}

/**
 * Slots where very many ack lanes lead to the workers of a source stage: each has room for all of them.
 * @param slots where there are few
 */
export function sharedSlots(slots: number, ackLanes: number): number {
  let shared = slots
  while (shared > LEAST_SLOTS && ackLanes * ackLaneBytes(Math.max(ACK_ENTRIES, shared)) > ACKS_BYTES) shared >>= 1
  return shared
}

/** What the reasons beside all ack lanes to one source stage take together before each has less room; and the least of it. */
const REASONS_BYTES = 1 << 25
const LEAST_REASON_BYTES = 1024

/** Words of the reasons beside each of so many ack lanes; 0 where none are asked for. */
export function reasonWords(asked: number, ackLanes: number): number {
  if (asked === 0) return 0
  let bytes = Math.max(LEAST_REASON_BYTES, powerOfTwo(asked))
  while (bytes > LEAST_REASON_BYTES && ackLanes * bytes > REASONS_BYTES) bytes >>= 1
  return bytes / 4
}
