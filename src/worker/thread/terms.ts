import { MillraceError } from '../../errors.ts'
import { isSigned } from '../../lane/signature.ts'
import type { Memory } from '../../memory/memory.ts'
import type { GraphData } from '../../plan/definition.ts'
import { termsOf } from '../../plan/terms.ts'
import type { LaneEnd, Plan, WorkerPlan } from '../../plan/types.ts'
import { LIBRARY_VERSION } from '../../version.ts'

/**
 * Holds the lanes of a worker against the graph that it has found itself: a module may give another one in a worker than
 * where `run` was called, and may be another one by the time that a successor loads it.
 * @param planned the graph that the plan was made of
 * @throws LANE_DIFFERS with what the lane was laid out for, and what this worker would send or expect on it
 */
export function checkTerms(
  plan: Plan,
  { inputs, outputs }: WorkerPlan,
  memory: Memory,
  found: GraphData,
  planned: GraphData,
): void {
  const check = ({ link, layout }: LaneEnd): void => {
    const { edges, from, toNode } = plan.links[link]!
    const own = termsOf(found, edges)
    if (isSigned(memory, layout, LIBRARY_VERSION, own)) return
    const agreed = termsOf(planned, edges)
    const why = own === agreed ? { library: LIBRARY_VERSION } : { planned: agreed, found: own }
    const module = plan.module
    throw new MillraceError('LANE_DIFFERS', { from: plan.stages[from]!.node, to: toNode, ...why, module })
  }
  inputs.forEach(check)
  outputs.forEach(check)
}
