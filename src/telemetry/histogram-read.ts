import type { Memory } from '../memory/memory.ts'
import {
  bucketOf,
  BUCKET_COUNT,
  GROUPS,
  GROUP_BITS,
  GROUP_BUCKETS,
  GROUP_COUNT,
  LEAST,
  MOST,
  SQUARES,
  SUM,
  TOTAL,
  upperEnd,
} from '../memory/histogram.ts'

/** What a histogram says in short. Times are nanoseconds, batch sizes records. */
export interface HistogramSummary {
  readonly count: number
  readonly mean: number
  readonly deviation: number
  readonly min: number
  readonly max: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
}

/** A copy of histograms of several workers, added up: plain memory, which no worker changes. */
export interface HistogramCopy {
  readonly counts: Float64Array
  readonly total: number
  readonly sum: number
  readonly squares: number
  readonly min: number
  readonly max: number
}

/** What the owner of a histogram keeps beside its counts, of several together; `min` is infinite where there is nothing. */
interface Figures {
  readonly sum: number
  readonly squares: number
  readonly min: number
  readonly max: number
}

function figuresOf({ floats }: Memory, offsets: readonly number[]): Figures {
  let [sum, squares, min, max] = [0, 0, Infinity, 0]
  for (const offset of offsets) {
    const at = offset / 8
    if (floats[at + TOTAL] === 0) continue
    sum += floats[at + SUM]!
    squares += floats[at + SQUARES]!
    min = Math.min(min, floats[at + LEAST]!)
    max = Math.max(max, floats[at + MOST]!)
  }
  return { sum, squares, min, max }
}

/** Cost: about 10 µs. */
export function copyHistograms(memory: Memory, offsets: readonly number[]): HistogramCopy {
  const counts = new Float64Array(BUCKET_COUNT)
  const { min, max, ...sums } = figuresOf(memory, offsets)
  let total = 0
  // Only what lies between the extremes was ever counted.
  const [first, last] = min <= max ? [bucketOf(min), bucketOf(max)] : [0, -1]
  for (const offset of offsets) {
    for (let i = first; i <= last; i++) {
      const count = memory.floats[offset / 8 + i]!
      counts[i]! += count
      // Of the counts themselves: a reader may see them and the writer's total at different moments.
      total += count
    }
  }
  return { counts, total, ...sums, min: total === 0 ? 0 : min, max }
}

/** Counts as percentiles look at them: first for the group, then for the bucket in it. Bucket b of them is the sum of `floats[from + b]`. */
interface Counted {
  readonly total: number
  readonly max: number
  readonly groups: ArrayLike<number>
  readonly floats: Float64Array
  readonly from: readonly number[]
}

/**
 * The values below which so large shares of the values lie: the upper ends of their buckets, as HdrHistogram says them.
 * @param shares rising, so that one walk over the groups finds them all
 */
function percentiles({ total, max, groups, floats, from }: Counted, shares: readonly number[]): readonly number[] {
  if (total === 0) return shares.map(() => 0)
  const last = bucketOf(max) >> GROUP_BITS
  let [group, before] = [0, 0]
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total))
    while (group < last && before + groups[group]! < rank) before += groups[group++]!
    const end = (group + 1) * GROUP_BUCKETS
    let passed = before
    for (let bucket = group * GROUP_BUCKETS; bucket < end; bucket++) {
      for (let i = 0; i < from.length; i++) passed += floats[from[i]! + bucket]!
      if (passed >= rank) return Math.min(max, upperEnd(bucket))
    }
    // A group was read before its writer had counted the value there.
    return Math.min(max, upperEnd(end - 1))
  })
}

/** One place for all groups, as each summary is done with them before the next begins. */
const groups = new Float64Array(GROUP_COUNT)

/** Of several histograms together, as they stand in shared memory. Cost: some microseconds; most buckets are not looked at. */
export function summaryOfHistograms(memory: Memory, offsets: readonly number[]): HistogramSummary {
  const { floats } = memory
  const from = offsets.map((offset) => offset / 8)
  let total = 0
  for (let group = 0; group < GROUP_COUNT; group++) {
    let count = 0
    for (let i = 0; i < from.length; i++) count += floats[from[i]! + GROUPS + group]!
    groups[group] = count
    total += count
  }
  const figures = figuresOf(memory, offsets)
  // The first value is counted a moment before its figures are there.
  const isBegun = figures.min <= figures.max
  return summary(figures, { total: isBegun ? total : 0, max: figures.max, groups, floats, from })
}

export function summaryOfCopy(copy: HistogramCopy): HistogramSummary {
  const { counts, total, max } = copy
  const sums = Array.from({ length: GROUP_COUNT }, (_, group) =>
    counts.subarray(group * GROUP_BUCKETS, (group + 1) * GROUP_BUCKETS).reduce((sum, count) => sum + count, 0),
  )
  return summary(copy, { total, max, groups: sums, floats: counts, from: [0] })
}

function summary({ sum, squares, min, max }: Figures, counted: Counted): HistogramSummary {
  const { total } = counted
  const mean = total === 0 ? 0 : sum / total
  const deviation = total === 0 ? 0 : Math.sqrt(Math.max(0, squares / total - mean * mean))
  const [p50, p90, p99, p999] = percentiles(counted, SHARES) as [number, number, number, number]
  return { count: total, mean, deviation, min: total === 0 ? 0 : min, max, p50, p90, p99, p999 }
}

const SHARES = [0.5, 0.9, 0.99, 0.999]
