import type { Memory } from '../lane/memory.ts'
import { bucketOf, COUNT_WORDS, LEAST, MOST, SQUARES, SUB_BUCKETS, SUM, TOTAL } from './histogram-layout.ts'
import { summaryOffset } from './histogram.ts'

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
  readonly counts: Int32Array
  readonly total: number
  readonly sum: number
  readonly squares: number
  readonly min: number
  readonly max: number
}

export function copyHistograms(memory: Memory, offsets: readonly number[]): HistogramCopy {
  return addInto(new Int32Array(COUNT_WORDS), memory, offsets)
}

/** @param counts zeros, to which the histograms are added */
function addInto(counts: Int32Array, { words, floats }: Memory, offsets: readonly number[]): HistogramCopy {
  let [sum, squares, min, max] = [0, 0, Infinity, 0]
  for (const offset of offsets) {
    const summary = summaryOffset(offset) / 8
    if (floats[summary + TOTAL] === 0) continue
    const from = offset / 4
    // Only what lies between the extremes was ever counted: most histograms use a tenth of their buckets.
    const end = bucketOf(floats[summary + MOST]!)
    for (let i = bucketOf(floats[summary + LEAST]!); i <= end; i++) counts[i]! += words[from + i]!
    sum += floats[summary + SUM]!
    squares += floats[summary + SQUARES]!
    min = Math.min(min, floats[summary + LEAST]!)
    max = Math.max(max, floats[summary + MOST]!)
  }
  // Of the counts themselves: a reader may see them and the writer's total at different moments.
  let total = 0
  if (max >= min) for (let i = bucketOf(min), end = bucketOf(max); i <= end; i++) total += counts[i]!
  return { counts, total, sum, squares, min: total === 0 ? 0 : min, max }
}

/**
 * The values below which so large shares of the values lie: the upper ends of their buckets, as HdrHistogram says them.
 * @param shares rising, so that one walk over the buckets finds them all
 */
export function percentiles({ counts, total, min, max }: HistogramCopy, shares: readonly number[]): readonly number[] {
  const found: number[] = []
  const end = bucketOf(max)
  let [i, passed] = [bucketOf(min) - 1, 0]
  for (const share of shares) {
    const rank = Math.max(1, Math.ceil(share * total))
    while (passed < rank && i < end) passed += counts[++i]!
    found.push(passed >= rank ? Math.min(max, upperEnd(i)) : max)
  }
  return found
}

/** The largest value that is counted at an index. */
export function upperEnd(index: number): number {
  const half = SUB_BUCKETS / 2
  const bucket = Math.max(0, Math.floor(index / half) - 1)
  const sub = index - bucket * half
  return (sub + 1) * 2 ** bucket - 1
}

/** One place for all summaries, as each is done with it before the next begins: snapshots would make megabytes of garbage. */
const scratch = new Int32Array(COUNT_WORDS)

export function summarize(memory: Memory, offsets: readonly number[]): HistogramSummary {
  const copy = addInto(scratch, memory, offsets)
  const summary = summaryOf(copy)
  scratch.fill(0, bucketOf(copy.min), bucketOf(copy.max) + 1)
  return summary
}

export function summaryOf(copy: HistogramCopy): HistogramSummary {
  const { total, sum, squares, min, max } = copy
  const mean = total === 0 ? 0 : sum / total
  const deviation = total === 0 ? 0 : Math.sqrt(Math.max(0, squares / total - mean * mean))
  const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = total === 0 ? [] : percentiles(copy, [0.5, 0.9, 0.99, 0.999])
  return { count: total, mean, deviation, min, max, p50, p90, p99, p999 }
}
