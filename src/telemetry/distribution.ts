import { upperEnd } from '../memory/histogram.ts'
import type { HistogramCopy } from './histogram-read.ts'

/** One point of a distribution, as HdrHistogram prints it. */
export interface DistributionPoint {
  /** Of all values, from 0 to 1. */
  readonly share: number
  readonly value: number
  /** Values up to this one. */
  readonly count: number
}

/** Points in each half of what is left: 50 to 75 %, 75 to 87.5 %, … */
const TICKS = 5

/**
 * The points of an HDR plot: they come closer the nearer to 100 %, so that the tail is as well seen as the middle. The last
 * point is the largest value. One pass over the buckets.
 */
export function distribution({ counts, total, min, max }: HistogramCopy): DistributionPoint[] {
  if (total === 0) return []
  const points: DistributionPoint[] = [{ share: 0, value: min, count: 0 }]
  let passed = 0
  let wanted = 0
  for (let i = 0; i < counts.length && passed < total; i++) {
    if (counts[i] === 0) continue
    passed += counts[i]!
    const share = passed / total
    if (share < wanted && passed < total) continue
    const value = Math.min(max, upperEnd(i))
    points.push({ share, value, count: passed })
    while (wanted <= share && wanted < 1) wanted = nextShare(wanted)
  }
  return points
}

function nextShare(share: number): number {
  const halves = Math.floor(Math.log2(1 / (1 - share))) + 1
  const next = share + 1 / (TICKS * 2 ** halves)
  return next > share ? next : 1
}
