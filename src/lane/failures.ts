/**
 * What went wrong with a slot's records, as one word: those that failed in the lower half, those that a buffer dropped above it,
 * and in the highest bit whether an event of the slot was dropped. Each count stops at its most, which is more than a slot has
 * records, so the order of additions does not matter.
 */
const MOST_FAILED = 0xffff
const MOST_DROPPED = 0x7fff
/** An event of the slot was dropped: by itself this is no news to the source, it comes with what else there is to tell. */
export const GAP_FAILURE: number = 1 << 31

export function failuresWord(failed: number, dropped: number): number {
  return (Math.min(MOST_DROPPED, dropped) << 16) | Math.min(MOST_FAILED, failed)
}

export function addFailures(one: number, other: number): number {
  return (
    failuresWord(failedIn(one) + failedIn(other), droppedIn(one) + droppedIn(other)) | ((one | other) & GAP_FAILURE)
  )
}

export function failedIn(word: number): number {
  return word & MOST_FAILED
}

export function droppedIn(word: number): number {
  return (word >>> 16) & MOST_DROPPED
}

export function hasGap(word: number): boolean {
  return (word & GAP_FAILURE) !== 0
}
