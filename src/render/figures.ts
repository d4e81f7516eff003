import type { BufferFlow } from '../analysis/flow/buffers.ts'
import type { Simulation } from '../analysis/flow/simulate.ts'
import type { Measurements } from '../analysis/types.ts'
import type { GraphData, GraphNode } from '../graph/types.ts'
import { sharedBox, type Nesting } from './nesting.ts'
import { durationText, percentText, rateText } from './text.ts'
import { membersOf } from './views/members.ts'

/** What a picture shows beside what the graph declares: predictions, measurements, or both (then what was measured wins). */
export interface Figures {
  readonly simulation?: Simulation
  readonly measurements?: Measurements
}

/** Figures by node id, made once for a picture. */
export interface NodeFigures {
  /** Load from 0 to 1: of a stage its utilisation, of a buffer its fill. Of several nodes in one, the highest. */
  load(node: GraphNode): number | undefined
  /** Lines under a node's name. */
  lines(node: GraphNode): readonly string[]
}

export function figuresOf(graph: GraphData, { simulation, measurements }: Figures): NodeFigures {
  const predicted = new Map(simulation?.nodes.map((node) => [node.id, node]))
  const buffers = new Map(simulation?.buffers.map((buffer) => [buffer.node, buffer]))
  const measured = new Map(Object.entries(measurements?.nodes ?? {}))
  const fills = fillsOf(graph, measurements)
  const loadOf = (id: string): number | undefined => {
    const flow = predicted.get(id)
    const isStage = flow !== undefined && (flow.kind === 'source' || flow.kind === 'transform' || flow.kind === 'sink')
    return (
      fills.get(id) ?? measured.get(id)?.busy ?? fillOf(buffers.get(id)) ?? (isStage ? flow.utilisation : undefined)
    )
  }
  const linesFor = (id: string): readonly string[] => {
    const fill = fills.get(id)
    const counts = measured.get(id)
    const flow = predicted.get(id)
    if (fill !== undefined) return [`${percentText(fill)} full`]
    if (counts !== undefined && measurements !== undefined) {
      const rate = rateText(counts.in / measurements.seconds)
      return [
        counts.p99Ms > 0 ? `${rate} · p99 ${durationText(counts.p99Ms)}` : rate,
        `${percentText(counts.busy)} busy`,
      ]
    }
    if (flow === undefined) return []
    const buffer = buffers.get(id)
    if (buffer !== undefined) return [bufferText(buffer)]
    if (flow.kind === 'source') return [`sends ${rateText(flow.in)}`]
    if (flow.kind === 'conditional' || flow.kind === 'merge') return [rateText(flow.in)]
    return [
      flow.serviceRate === Infinity ? rateText(flow.in) : `${rateText(flow.in)} · ${percentText(flow.utilisation)}`,
    ]
  }
  return {
    load: (node) => {
      const loads = membersOf(node)
        .flatMap((id) => loadOf(id) ?? Number.NaN)
        .filter((load) => !Number.isNaN(load))
      return loads.length === 0 ? undefined : Math.max(...loads)
    },
    lines: (node) => (membersOf(node).length === 1 ? linesFor(node.id) : []),
  }
}

/** The graph with the rates of its edges as predicted or measured, so that views carry them on. */
export function graphWithRates(graph: GraphData, { simulation, measurements }: Figures): GraphData {
  if (simulation === undefined && measurements === undefined) return graph
  const rates = new Map(simulation?.edges.map(({ index, rate }) => [index, rate]))
  for (const { index, records } of measurements?.edges ?? []) rates.set(index, records / (measurements?.seconds ?? 1))
  return {
    name: graph.name,
    nodes: graph.nodes,
    clusters: graph.clusters,
    edges: graph.edges.map((edge, index) => {
      const rate = rates.get(index)
      return rate === undefined ? edge : { ...edge, rate }
    }),
  }
}

/** How full the buffers were: what waits on the lanes behind each, of what there is room for. */
function fillsOf(graph: GraphData, measurements: Measurements | undefined): ReadonlyMap<string, number> {
  const buffers = new Set(graph.nodes.filter(({ kind }) => kind === 'buffer').map(({ id }) => id))
  const sums = new Map<string, { queued: number; capacity: number }>()
  for (const { index, queued, capacity } of measurements?.edges ?? []) {
    const from = graph.edges[index]?.from ?? ''
    if (!buffers.has(from)) continue
    const sum = sums.get(from) ?? { queued: 0, capacity: 0 }
    sums.set(from, { queued: sum.queued + queued, capacity: sum.capacity + capacity })
  }
  return new Map([...sums].map(([id, { queued, capacity }]) => [id, capacity === 0 ? 0 : queued / capacity]))
}

/** In the long run a buffer is full where more is offered than leaves it, else empty. */
function fillOf(buffer: BufferFlow | undefined): number | undefined {
  return buffer === undefined ? undefined : buffer.relativeHeadroom < 0 ? 1 : 0
}

function bufferText({ in: into, timeToFullS }: BufferFlow): string {
  return timeToFullS === Infinity ? rateText(into) : `${rateText(into)} · full in ${durationText(timeToFullS * 1_000)}`
}

/** What goes into each box, what comes out of it, and how busy the busiest stage in it is; nothing without figures. */
export function clusterFigures(
  { nodes, edges }: GraphData,
  nesting: Nesting,
  figures: NodeFigures,
): ReadonlyMap<string, readonly string[]> {
  const loads = nodes.map((node) => (node.kind === 'buffer' ? undefined : figures.load(node)))
  if (loads.every((load) => load === undefined)) return new Map()
  const boxes = new Map(nodes.map(({ id, cluster }) => [id, nesting.boxOf(cluster)]))
  const sums = new Map(nesting.boxes.map(({ id }): [string, ClusterSum] => [id, { in: 0, out: 0, load: -1 }]))
  const upTo = (end: string, from: string, act: (sum: ClusterSum) => void): void => {
    for (let at = from; at !== end && at !== ''; at = nesting.around.get(at)!) act(sums.get(at)!)
  }
  for (const [index, { id }] of nodes.entries())
    upTo('', boxes.get(id)!, (sum) => (sum.load = Math.max(sum.load, loads[index] ?? -1)))
  for (const { from, to, rate = 0 } of edges) {
    const [source, target] = [boxes.get(from) ?? '', boxes.get(to) ?? '']
    const shared = sharedBox(nesting, source, target)
    upTo(shared, source, (sum) => (sum.out += rate))
    upTo(shared, target, (sum) => (sum.in += rate))
  }
  return new Map([...sums].map(([id, sum]) => [id, sumLines(sum)]))
}

/** Records per second over a cluster's border, and the highest utilisation in it; below 0 where none is known. */
interface ClusterSum {
  in: number
  out: number
  load: number
}

function sumLines({ in: into, out, load }: ClusterSum): readonly string[] {
  const parts = [
    ...(into > 0 ? [`${rateText(into)} in`] : []),
    ...(out > 0 ? [`${rateText(out)} out`] : []),
    ...(load >= 0 ? [`busiest ${percentText(load)}`] : []),
  ]
  return parts.length === 0 ? [] : [parts.join(' · ')]
}
