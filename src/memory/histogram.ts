/**
 * Histograms in shared memory, in the layout of HdrHistogram with two significant digits: values from 1 to 2^42, exact to
 * 1 % of themselves. One writer each, no locks; anyone reads at any time.
 *
 *     0       counts, one float per bucket
 *     GROUPS  the counts of each 128 buckets together, one float each, so that a reader need not look at all
 *     TOTAL   TOTAL, SUM, SUM of squares, LEAST, MOST: one float each
 *
 * A count is a float because it is exact up to 2^53 and stored whole: a million records a second reach that in 285 years. The
 * writer stores a value's bucket first, then its group, then the summary, all as plain stores. A reader meets each float
 * before or after its store, and floats of one value may be on both sides: counts, groups and summary of a running histogram
 * may differ by the values of the last moment.
 */
const SUB_BUCKETS = 256
const HALF = SUB_BUCKETS / 2
const HALF_BITS = 7
/** Values above are counted as this one: 2^42 ns is 73 minutes. */
export const MOST_VALUE: number = 2 ** 42 - 1
const BUCKETS = 42 - HALF_BITS
/** Buckets `GROUP_BUCKETS * g` up to the next group's are group g. */
export const GROUP_BITS: number = HALF_BITS
export const GROUP_BUCKETS: number = HALF
export const GROUP_COUNT: number = BUCKETS + 1
export const BUCKET_COUNT: number = GROUP_COUNT * GROUP_BUCKETS

// Indexes into a histogram's floats, behind those of its buckets.
export const GROUPS: number = BUCKET_COUNT
export const TOTAL: number = GROUPS + GROUP_COUNT
export const SUM: number = TOTAL + 1
export const SQUARES: number = TOTAL + 2
export const LEAST: number = TOTAL + 3
export const MOST: number = TOTAL + 4
export const HISTOGRAM_BYTES: number = 8 * (MOST + 1)

/** Index of the bucket of `value` (at least 0): the same as HdrHistogram's `countsArrayIndex`. */
export function bucketOf(value: number): number {
  const high = Math.floor(value / 0x1_0000_0000)
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(value | 0 | (SUB_BUCKETS - 1))
  const bucket = bits - (HALF_BITS + 1)
  const sub = high > 0 ? Math.floor(value / 2 ** bucket) : (value >>> 0) >>> bucket
  return ((bucket + 1) << HALF_BITS) + (sub - HALF)
}

/** The largest value that is counted in a bucket. */
export function upperEnd(index: number): number {
  const bucket = Math.max(0, Math.floor(index / HALF) - 1)
  const sub = index - bucket * HALF
  return (sub + 1) * 2 ** bucket - 1
}
