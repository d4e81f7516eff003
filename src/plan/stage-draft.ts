import type { WhenFull } from '../graph/types.ts'
import type { LimitPlan } from './limit-plan.ts'
import type { StagePlan } from './types.ts'

/** A stage before its workers and lanes are known; `paths` are the paths that its links will take, by link number. */
export interface StageDraft {
  readonly stage: Omit<StagePlan, 'workers' | 'sourcesAbove' | 'sizing' | 'limit'> & {
    readonly limit: Omit<LimitPlan, 'offset'>
  }
  readonly paths: readonly LinkDraft[]
  /** Counters of each of its workers. */
  readonly counters: number
}

export interface LinkDraft {
  readonly index: number
  readonly from: string
  readonly to: string
  readonly edges: readonly number[]
  /** Edge whose `selector` chooses the workers of a broadcast. */
  readonly selectorEdge: number | undefined
  readonly capacity: number | undefined
  readonly whenFull: WhenFull
  readonly dropEdge: number | undefined
}
