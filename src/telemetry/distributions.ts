import type { Bucket, Distributions } from '../analysis/types.ts'
import type { Plan, StagePlan } from '../plan/types.ts'
import type { HistogramKind } from '../figures.ts'
import { upperEnd } from '../memory/histogram.ts'
import type { HistogramCopy } from './histogram-read.ts'
import type { Snapshot, StageSnapshot } from './snapshot.ts'

const KINDS = ['service', 'lane', 'endToEnd'] as const satisfies readonly HistogramKind[]

/**
 * The times that all stages measured since the start, as the plain data that `pathPercentiles` takes. Each bucket is 1 % wide
 * at most. Cost: a snapshot, and about 50 µs a stage.
 */
export function distributions(pipeline: {
  readonly plan: Plan
  histogram(node: string, kind: HistogramKind): HistogramCopy | undefined
  snapshot(): Snapshot
}): Distributions {
  const { stages } = pipeline.snapshot()
  const shown = pipeline.plan.nodeStages
  return Object.fromEntries(
    shown.map((stage) => {
      const times = KINDS.flatMap((kind) => {
        const copy = pipeline.histogram(stage.node, kind)
        return copy === undefined ? [] : [[kind, bucketsOf(copy)] as const]
      })
      return [stage.node, { ...Object.fromEntries(times), isServedOnLane: isServedOnLane(stage, stages[stage.node]!) }]
    }),
  )
}

/** Calls that may overlap and batches by key take their records off the lane first; others leave them there until they are done. */
function isServedOnLane({ kind, input }: StagePlan, { workers }: StageSnapshot): boolean {
  const batch = input?.batch
  if (kind === 'source') return false
  return batch === undefined ? !workers.some(({ isAsync }) => isAsync) : !batch.keyed
}

function bucketsOf({ counts, min, max }: HistogramCopy): Bucket[] {
  const buckets: Bucket[] = []
  counts.forEach((count, i) => {
    if (count === 0) return
    const from = Math.max(min, i === 0 ? 0 : upperEnd(i - 1) + 1)
    buckets.push({ fromMs: from / 1e6, toMs: Math.min(max, upperEnd(i)) / 1e6, count })
  })
  return buckets
}
