/**
 * What went wrong with a slot's records, as one word: those that failed in the lower 15 bits, whether the slot was released above them,
 * those that a buffer dropped in the upper half, and in the highest bit whether an event of the slot was dropped. Each count stops at its
 * most, which is more than a slot has records, so the order of additions does not matter.
 */
const MOST_FAILED = 0x7fff
const MOST_DROPPED = 0x7fff
/** An event of the slot was dropped: by itself this is no news to the source, it comes with what else there is to tell. */
export const GAP_FAILURE: number = 1 << 31

/** The source counts the records of the slot as done, whatever becomes of them. */
export const RELEASED_SLOT: number = 1 << 15
const FLAGS: number = GAP_FAILURE | RELEASED_SLOT

export function failuresWord(failed: number, dropped: number): number {
  return (Math.min(MOST_DROPPED, dropped) << 16) | Math.min(MOST_FAILED, failed)
}

export function addFailures(one: number, other: number): number {
  return failuresWord(failedIn(one) + failedIn(other), droppedIn(one) + droppedIn(other)) | ((one | other) & FLAGS)
}

export function failedIn(word: number): number {
  return word & MOST_FAILED
}

export function droppedIn(word: number): number {
  return (word >>> 16) & MOST_DROPPED
}

export function isReleased(word: number): boolean {
  return (word & RELEASED_SLOT) !== 0
}

export function hasGap(word: number): boolean {
  return (word & GAP_FAILURE) !== 0
}
