import type { GraphData } from '../../../graph/types.ts'
import { type Changes, whatIf, type WhatIf } from '../../flow/what-if.ts'
import { coresOfBusy } from './cores-of-busy.ts'
import type { ScaleLook } from './look.ts'
import { trueGraph } from './true-graph.ts'

/** `whatIf` on the true rates of a running pipeline, within the cores that it may use. @throws what `whatIf` throws */
export function whatIfMeasured(graph: GraphData, look: ScaleLook, changes: Changes): WhatIf {
  return whatIf(trueGraph(graph, look), changes, { cores: coresOfBusy(look) })
}

/** By what factor the sources would make more, if a stage took so much less of its time. */
export function speedupPredicted(graph: GraphData, look: ScaleLook, node: string, speedup: number): number {
  const { latencyMs = 0 } = trueGraph(graph, look).nodes.find(({ id }) => id === node)!
  return whatIfMeasured(graph, look, { nodes: { [node]: { latencyMs: latencyMs * (1 - speedup) } } }).throughput.factor
}
