import type { Bucket } from '../types.ts'

/** A time that varies: its values in ms, rising, and the share of each; the shares add up to 1. */
export interface Spread {
  readonly values: Float64Array
  readonly shares: Float64Array
}

/** Values of a sum are rounded up to this many for each doubling: by 0.27 % at most. */
const PER_DOUBLING = 256
/** By how much of itself a sum is rounded up, at most. */
export const ROUNDING: number = 2 ** (1 / PER_DOUBLING) - 1
/** One nanosecond, in ms: what is less, and not 0, counts as so much. */
const LEAST_MS = 1e-6

const NO_TIME: Spread = { values: Float64Array.of(0), shares: Float64Array.of(1) }

/** The values at the upper ends of their buckets, as HdrHistogram says them; `undefined` where nothing was counted. */
export function spreadOf(buckets: readonly Bucket[] = []): Spread | undefined {
  const counted = buckets.filter(({ count }) => count > 0).sort((a, b) => a.toMs - b.toMs)
  const total = counted.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return undefined
  return {
    values: Float64Array.from(counted, ({ toMs }) => toMs),
    shares: Float64Array.from(counted, ({ count }) => count / total),
  }
}

/** By how much of itself a value may lie below the upper end of its bucket, at most: 0 to 1. */
export function widest(buckets: readonly Bucket[] = []): number {
  return buckets.reduce((most, { fromMs, toMs }) => (toMs > 0 ? Math.max(most, 1 - fromMs / toMs) : most), 0)
}

/**
 * The sum of times that do not depend on each other. They are added two by two, so that each value is rounded up only as often
 * as `roundings` says. Cost: of each addition, the product of the numbers of values.
 */
export function sumOf(spreads: readonly Spread[]): Spread {
  const [only = NO_TIME, ...more] = spreads
  if (more.length === 0) return only
  const half = spreads.length >> 1
  return plus(sumOf(spreads.slice(0, half)), sumOf(spreads.slice(half)))
}

/** How often a value is rounded up in a sum of so many times. */
export function roundings(times: number): number {
  return Math.ceil(Math.log2(Math.max(1, times)))
}

/** Every value of one with every value of the other, their shares multiplied; each sum is rounded up to a step of the scale. */
function plus(a: Spread, b: Spread): Spread {
  const steps = scaleUpTo(a.values.at(-1)! + b.values.at(-1)!)
  const shares = new Float64Array(steps.length)
  const size = b.values.length
  let least = 0
  for (let i = 0; i < a.values.length; i++) {
    const [value, share] = [a.values[i]!, a.shares[i]!]
    // Both rise, so no step is looked for twice.
    while (steps[least]! < value + b.values[0]!) least++
    for (let j = 0, step = least; j < size; j++) {
      const sum = value + b.values[j]!
      while (steps[step]! < sum) step++
      shares[step]! += share * b.shares[j]!
    }
  }
  return { values: steps.filter((_, step) => shares[step]! > 0), shares: shares.filter((share) => share > 0) }
}

function scaleUpTo(most: number): Float64Array {
  const steps = [0]
  for (let step = 0; steps.at(-1)! < most; step++) steps.push(LEAST_MS * 2 ** (step / PER_DOUBLING))
  return Float64Array.from(steps)
}

/** The least value that so large a share of the values does not exceed. */
export function percentile({ values, shares }: Spread, share: number): number {
  let passed = 0
  // Shares were added up, so they may miss a round figure by what rounding took.
  const found = values.findIndex((_, i) => (passed += shares[i]!) >= share - 1e-12)
  return values.at(found)!
}
