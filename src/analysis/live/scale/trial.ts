import type { Needs, WorkerNeed } from './needs.ts'

/** Another number of workers for one stage. */
export interface ScaleChange {
  readonly node: string
  readonly from: number
  readonly to: number
}

/** A change that is being judged: what it promised, and how things stood before. */
export interface ScaleTrial {
  readonly changes: readonly ScaleChange[]
  readonly isMore: boolean
  /** Sources were held up, so that what they make tells what it brings; else what the stage can take does. */
  readonly isHeld: boolean
  readonly perSecond: number
  readonly promisedPerSecond: number
  /** The stages as they were, in the order of the changes. */
  readonly before: readonly WorkerNeed[]
}

/** What a change has brought beside what was promised, as factors; and whether it stays. */
export interface ScaleVerdict {
  readonly changes: readonly ScaleChange[]
  readonly isKept: boolean
  /** What the factors are of: records that the sources make, or records that the stage can take. */
  readonly by: 'throughput' | 'capacity'
  readonly promised: number
  readonly brought: number
  readonly promisedPerSecond: number
  readonly perSecond: number
}

/** Part of the promised gain that has to be there. */
const LEAST_PART = 0.25
/** More load than this much of what there was is no fault of the change. */
const MORE_LOAD = 1.1

/** @param highest load above which a stage is short of workers, by node */
export function judge(trial: ScaleTrial, needs: Needs, highest: (node: string) => number): ScaleVerdict | undefined {
  const after = trial.changes.map(({ node }) => needs.stages.find((need) => need.node === node))
  // Somebody else has resized it, or nothing is known of it.
  if (!after.every((need, i): need is WorkerNeed => need?.workers === trial.changes[i]!.to)) return undefined
  const least = (of: (need: WorkerNeed, i: number) => number): number => Math.min(...after.map(of))
  const by = trial.isHeld ? 'throughput' : 'capacity'
  const promised =
    by === 'throughput'
      ? ratio(trial.promisedPerSecond, trial.perSecond)
      : Math.min(...trial.changes.map(({ from, to }) => to / from))
  const brought =
    by === 'throughput'
      ? ratio(needs.perSecond, trial.perSecond)
      : least(({ capacity }, i) => ratio(capacity, trial.before[i]!.capacity))
  const isShort = after.some(({ node, load }) => load > highest(node))
  const hasMoreToDo = after.some(({ demand }, i) => demand > trial.before[i]!.demand * MORE_LOAD)
  const isKept = !isShort || (trial.isMore ? brought - 1 >= (promised - 1) * LEAST_PART : hasMoreToDo)
  const { changes, promisedPerSecond } = trial
  return { changes, isKept, by, promised, brought, promisedPerSecond, perSecond: needs.perSecond }
}

function ratio(after: number, before: number): number {
  return after === before ? 1 : after / before
}
