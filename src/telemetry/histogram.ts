import type { Memory } from '../memory/memory.ts'
import { GROUPS, GROUP_BITS, LEAST, MOST, MOST_VALUE, SQUARES, SUM, TOTAL, bucketOf } from '../memory/histogram.ts'

/** The writing side of a histogram in shared memory. Plain stores of one thread: a reader may see a value a moment late. */
export class Histogram {
  readonly #floats: Float64Array
  readonly #at: number

  constructor(memory: Memory, offset: number) {
    this.#floats = memory.floats
    this.#at = offset / 8
  }

  /** Records `count` values. Negative ones count as 0, those above the range as its end. Cost: 10 ns. */
  record(value: number, count = 1): void {
    const kept = value > MOST_VALUE ? MOST_VALUE : value > 0 ? Math.floor(value) : 0
    const bucket = bucketOf(kept)
    const floats = this.#floats
    const at = this.#at
    floats[at + bucket]! += count
    floats[at + GROUPS + (bucket >> GROUP_BITS)]! += count
    const total = floats[at + TOTAL]!
    floats[at + TOTAL] = total + count
    floats[at + SUM]! += kept * count
    floats[at + SQUARES]! += kept * kept * count
    if (total === 0 || kept < floats[at + LEAST]!) floats[at + LEAST] = kept
    if (kept > floats[at + MOST]!) floats[at + MOST] = kept
  }
}
