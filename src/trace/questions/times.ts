/** What times (ms) are like: of so many, half, 95 and 99 of 100 do not exceed these. */
export interface Times {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Times, each of so many records: percentiles are those of records. */
export function timesOf(samples: readonly (readonly [ms: number, records: number])[]): Times {
  const sorted = samples.toSorted(([a], [b]) => a - b)
  const count = sorted.reduce((sum, [, records]) => sum + records, 0)
  const sum = sorted.reduce((total, [ms, records]) => total + ms * records, 0)
  const percentile = (share: number): number => {
    let seen = 0
    for (const [ms, records] of sorted) if ((seen += records) >= share * count) return ms
    return sorted.at(-1)?.[0] ?? 0
  }
  return {
    count,
    meanMs: count === 0 ? 0 : sum / count,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    maxMs: sorted.at(-1)?.[0] ?? 0,
  }
}
