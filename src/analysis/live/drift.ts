import type { GraphData, GraphNode } from '../../graph/types.ts'
import { modelOf } from '../flow/model.ts'
import type { Measurements } from '../types.ts'
import { measuredGraph, measuredOf } from './measured.ts'

/** One figure that the graph declares, beside what was measured. */
export interface Drift {
  readonly node?: string
  /** Index into `graph.edges`. */
  readonly edge?: number
  readonly figure: 'rate' | 'latencyMs' | 'serviceRate' | 'concurrency' | 'selectivity' | 'ratio'
  readonly declared: number
  readonly measured: number
  /** `measured / declared - 1`; of a ratio, the difference itself. */
  readonly drift: number
  /** The drift is more than the tolerance. */
  readonly exceeds: boolean
}

/**
 * Declared against measured, the largest drift first. Only what the graph declares is compared. `tolerance` is a share
 * (default 0.1): a figure may be off by so much, up or down.
 */
export function drift(
  graph: GraphData,
  measurements: Measurements,
  { tolerance = 0.1 }: { readonly tolerance?: number } = {},
): readonly Drift[] {
  const measured = measuredOf(graph, measurements)
  const now = measuredGraph(graph, measurements)
  // What a stage serves by itself, whatever its limit lets it.
  const { services } = modelOf({ ...now, nodes: now.nodes.map(unlimited) })
  const found: Drift[] = []
  const compare = (
    place: Pick<Drift, 'node' | 'edge'>,
    figure: Drift['figure'],
    declared?: number,
    actual?: number,
  ): void => {
    if (declared === undefined || actual === undefined || !Number.isFinite(actual)) return
    const off = figure === 'ratio' ? actual - declared : relative(declared, actual)
    found.push({ ...place, figure, declared, measured: actual, drift: off, exceeds: Math.abs(off) > tolerance })
  }
  graph.nodes.forEach((node, number) => {
    const counts = measured.node(number)
    if (counts === undefined) return
    const place = { node: node.id }
    // Where it follows the load, it is meant to be another one.
    const { concurrency } = node
    if (node.scale === undefined && concurrency !== 'cores') compare(place, 'concurrency', concurrency, counts.workers)
    if (node.kind === 'source') compare(place, 'rate', node.rate, counts.in / measurements.seconds)
    if (counts.in === 0) return
    if (counts.serviceMs > 0) {
      if (node.serviceRate === undefined) compare(place, 'latencyMs', node.latencyMs, now.nodes[number]?.latencyMs)
      else compare(place, 'serviceRate', node.serviceRate, services[number]?.rate)
    }
    if (node.kind === 'transform') compare(place, 'selectivity', node.selectivity, now.nodes[number]?.selectivity)
  })
  graph.edges.forEach((edge, index) => {
    const from = measured.graph.from(index)
    if (from === -1 || measured.arrived(from) === 0) return
    compare({ edge: index }, 'ratio', edge.ratio, now.edges[index]?.ratio)
    compare({ edge: index }, 'rate', edge.rate, measured.edge(index).records / measurements.seconds)
  })
  return found.sort((a, b) => Math.abs(b.drift) - Math.abs(a.drift))
}

function unlimited(node: GraphNode): GraphNode {
  const { rateLimit: _, ...rest } = node
  return rest
}

function relative(declared: number, measured: number): number {
  if (declared === measured) return 0
  return declared === 0 ? Infinity : measured / declared - 1
}
