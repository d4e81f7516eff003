/**
 * What went wrong with a slot's records, as one word: those that failed in the lower half, those that a buffer dropped in the upper
 * one. Each half stops at 65,535, which is more than a slot has records, so the order of additions does not matter.
 */
const MOST = 0xffff

export function failuresWord(failed: number, dropped: number): number {
  return (Math.min(MOST, dropped) << 16) | Math.min(MOST, failed)
}

export function addFailures(one: number, other: number): number {
  return failuresWord(failedIn(one) + failedIn(other), droppedIn(one) + droppedIn(other))
}

export function failedIn(word: number): number {
  return word & MOST
}

export function droppedIn(word: number): number {
  return word >>> 16
}
