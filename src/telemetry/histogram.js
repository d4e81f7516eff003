import { COUNT_WORDS, LEAST, MOST, MOST_VALUE, SQUARES, SUM, TOTAL, bucketOf } from './histogram-layout.js'
/** The writing side of a histogram in shared memory. Plain stores of one thread: a reader may see a value a moment late. */
export class Histogram {
  #words
  #floats
  #counts
  #summary
  constructor(memory, offset) {
    this.#words = memory.words
    this.#floats = memory.floats
    this.#counts = offset / 4
    this.#summary = summaryOffset(offset) / 8
  }
  /** Records `count` values. Negative ones count as 0, those above the range as its end. Cost: 10 ns. */
  record(value, count = 1) {
    const kept = value > MOST_VALUE ? MOST_VALUE : value > 0 ? Math.floor(value) : 0
    this.#words[this.#counts + bucketOf(kept)] += count
    const at = this.#summary
    const total = this.#floats[at + TOTAL]
    this.#floats[at + TOTAL] = total + count
    this.#floats[at + SUM] += kept * count
    this.#floats[at + SQUARES] += kept * kept * count
    if (total === 0 || kept < this.#floats[at + LEAST]) this.#floats[at + LEAST] = kept
    if (kept > this.#floats[at + MOST]) this.#floats[at + MOST] = kept
  }
}
/** Where the summary of a histogram at `offset` stands: behind the counts, at a multiple of 8. */
export function summaryOffset(offset) {
  return (offset + 4 * COUNT_WORDS + 7) & -8
}
