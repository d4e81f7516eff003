/**
 * Histograms in shared memory, in the layout of HdrHistogram with two significant digits: values from 1 to 2^42, exact to
 * 1 % of themselves. One writer each, no locks; anyone reads at any time.
 *
 *     0    counts, one word per bucket
 *     …    groups: the counts of each 128 buckets together, one word each, so that a reader need not look at all
 *     …    COUNT, SUM, SUM of squares, LEAST, MOST: one float each
 */
export const SUB_BUCKETS = 256
const HALF = SUB_BUCKETS / 2
const HALF_BITS = 7
/** Values above are counted as this one: 2^42 ns is 73 minutes. */
export const MOST_VALUE: number = 2 ** 42 - 1
const BUCKETS = 42 - HALF_BITS
/** Buckets `GROUP_BUCKETS * g` up to the next group's are group g. */
export const GROUP_BITS: number = HALF_BITS
export const GROUP_BUCKETS: number = HALF
export const GROUP_WORDS: number = BUCKETS + 1
export const COUNT_WORDS: number = GROUP_WORDS * GROUP_BUCKETS

export const TOTAL = 0
export const SUM = 1
export const SQUARES = 2
export const LEAST = 3
export const MOST = 4
const SUMMARY_FLOATS = 5
export const HISTOGRAM_BYTES: number = 4 * (COUNT_WORDS + GROUP_WORDS) + 8 * (SUMMARY_FLOATS + 1)

/** Word index of the count of `value` (at least 0): the same as HdrHistogram's `countsArrayIndex`. */
export function bucketOf(value: number): number {
  const high = Math.floor(value / 0x1_0000_0000)
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(value | 0 | (SUB_BUCKETS - 1))
  const bucket = bits - (HALF_BITS + 1)
  const sub = high > 0 ? Math.floor(value / 2 ** bucket) : (value >>> 0) >>> bucket
  return ((bucket + 1) << HALF_BITS) + (sub - HALF)
}
