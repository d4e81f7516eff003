import type { Memory } from '../lane/memory.ts'
import {
  COUNT_WORDS,
  GROUP_BITS,
  GROUP_WORDS,
  LEAST,
  MOST,
  MOST_VALUE,
  SQUARES,
  SUM,
  TOTAL,
  bucketOf,
} from './histogram-layout.ts'

/** The writing side of a histogram in shared memory. Plain stores of one thread: a reader may see a value a moment late. */
export class Histogram {
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #counts: number
  readonly #summary: number

  constructor(memory: Memory, offset: number) {
    this.#words = memory.words
    this.#floats = memory.floats
    this.#counts = offset / 4
    this.#summary = summaryOffset(offset) / 8
  }

  /** Records `count` values. Negative ones count as 0, those above the range as its end. Cost: 10 ns. */
  record(value: number, count = 1): void {
    const kept = value > MOST_VALUE ? MOST_VALUE : value > 0 ? Math.floor(value) : 0
    const bucket = bucketOf(kept)
    this.#words[this.#counts + bucket]! += count
    this.#words[this.#counts + COUNT_WORDS + (bucket >> GROUP_BITS)]! += count
    const at = this.#summary
    const total = this.#floats[at + TOTAL]!
    this.#floats[at + TOTAL] = total + count
    this.#floats[at + SUM]! += kept * count
    this.#floats[at + SQUARES]! += kept * kept * count
    if (total === 0 || kept < this.#floats[at + LEAST]!) this.#floats[at + LEAST] = kept
    if (kept > this.#floats[at + MOST]!) this.#floats[at + MOST] = kept
  }
}

/** Where the summary of a histogram at `offset` stands: behind the groups, at a multiple of 8. */
export function summaryOffset(offset: number): number {
  return (offset + 4 * (COUNT_WORDS + GROUP_WORDS) + 7) & -8
}
