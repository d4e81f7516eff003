import { isStage } from '../../graph/resolve.ts'
import type { GraphData, NodeKind } from '../../graph/types.ts'
import type { Forecast } from '../flow/forecast.ts'
import type { Measurements } from '../types.ts'
import { blame } from './blame.ts'
import { measuredOf, type Measured } from './measured.ts'

/** Records per second, and the share of its workers' time that a stage was busy, 0 to 1. */
export interface RehearsedFigures {
  readonly in: number
  readonly out: number
  readonly utilisation: number
}

/** Prediction beside fact. */
export interface Rehearsal {
  readonly nodes: Readonly<
    Record<string, { readonly predicted: RehearsedFigures; readonly measured: RehearsedFigures }>
  >
  /** Of all rates into nodes: the largest `|measured / predicted - 1|`. */
  readonly largestError: number
  /** Stages; null where there is none. */
  readonly bottleneck: { readonly predicted: string | null; readonly measured: string | null }
}

/** Holds what was forecast for some time against what was measured over the same time. */
export function compare(graph: GraphData, forecast: Forecast, measurements: Measurements): Rehearsal {
  const measured = measuredOf(graph, measurements)
  const nodes = forecast.nodes.map(({ id, kind, ...predicted }, node) => {
    const figures = { in: predicted.in, out: predicted.out, utilisation: predicted.utilisation }
    return [id, { predicted: figures, measured: measuredFigures(measured, node, kind) }] as const
  })
  return {
    nodes: Object.fromEntries(nodes),
    largestError: Math.max(0, ...nodes.map(([, each]) => relativeError(each.predicted.in, each.measured.in))),
    bottleneck: { predicted: forecast.bottleneck ?? null, measured: blame(graph, measurements).root ?? null },
  }
}

/**
 * How far a measured rate is off: a share of the predicted one. Where nothing was predicted, anything is off by 1; where no limit
 * was, nothing is.
 */
export function relativeError(predicted: number, measured: number): number {
  if (predicted === measured || predicted === Infinity) return 0
  return predicted === 0 ? 1 : Math.abs(measured / predicted - 1)
}

function measuredFigures(measured: Measured, node: number, kind: NodeKind): RehearsedFigures {
  const { graph, seconds } = measured
  const held = kind === 'buffer' ? heldMore(measured, graph.out(node)) : 0
  return {
    in: measured.arrived(node) / seconds,
    out: (measured.records(graph.out(node)) - held) / seconds,
    utilisation: measured.node(node)?.busy ?? 0,
  }
}

/** How many more records wait behind these edges than before: in a buffer, they have not left it. */
function heldMore({ graph, edge }: Measured, edges: readonly number[]): number {
  let held = 0
  const seen = new Set(edges)
  for (const each of seen) {
    const { queued, queuedBefore = 0 } = edge(each)
    held += queued - queuedBefore
    if (isStage(graph.node(graph.to(each)).kind)) continue
    for (const next of graph.out(graph.to(each))) seen.add(next)
  }
  return held
}
