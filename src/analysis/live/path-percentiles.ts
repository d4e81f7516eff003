import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { latency } from '../flow/latency.ts'
import { resolved } from '../resolved.ts'
import { known, walk } from '../structure.ts'
import type { Bucket, Distributions, StageDistributions } from '../types.ts'
import { percentile, ROUNDING, roundings, spreadOf, sumOf, widest, type Spread } from './spread.ts'

/** Times in ms that half, 99 of 100 and 999 of 1,000 records do not exceed. */
export interface Percentiles {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** How long records are on a way, from the hand-off of their source until they have left the last lane. */
export interface PathPercentiles {
  /** Ids, from the source on. */
  readonly nodes: readonly string[]
  /** What follows from the times in lanes and in service that its stages measured, if none of them depended on another. */
  readonly convolved: Percentiles
  /** Rounding makes the convolved figures too large by this share of themselves at most, 0 to 1; never too small. */
  readonly error: number
  /** The sums of the same percentiles of all parts: what records would take to which all that is rare happens at once. */
  readonly sums: Percentiles
  /** What the last stage measured from the source to itself; `undefined` where it measured nothing. */
  readonly measured: Percentiles | undefined
  /** `measured - convolved`: what lies in the parts' dependence on each other, and in times that are none of them. */
  readonly dependence: Percentiles | undefined
  /** Every record comes to the last stage on this way, so that what it measured is of this way alone. */
  readonly isOnlyWay: boolean
  /** Stages on the way of which a time is missing; it counts as 0. */
  readonly unmeasured: readonly string[]
}

/**
 * Percentiles of the time that records are on each of the `ways` (ids of nodes, from a source on), the way with the largest
 * 99th first. Default: the slowest way to each sink, as `latency` says of the graph as declared; for the ways of the measured
 * one give `measuredGraph(…)`. Cost: for each stage the product of the numbers of values of what is added, up to some tens of
 * milliseconds: half a second for a way of twelve stages whose times spread widely. @throws NODE_UNKNOWN
 */
export function pathPercentiles(
  graph: GraphData,
  distributions: Distributions,
  { ways = latency(graph).sinks.map(({ path }) => path) }: { readonly ways?: readonly (readonly string[])[] } = {},
): readonly PathPercentiles[] {
  const found = resolved(graph)
  const times = new Map(Object.entries(distributions))
  return ways
    .filter((way) => way.length > 0)
    .map((way) => percentilesOf(found, way, (id) => times.get(id) ?? {}))
    .sort((a, b) => b.convolved.p99Ms - a.convolved.p99Ms)
}

function percentilesOf(
  graph: ResolvedGraph,
  way: readonly string[],
  timesOf: (id: string) => StageDistributions,
): PathPercentiles {
  const stages = way.filter((id) => {
    const { kind } = graph.node(known(graph, id))
    return isStage(kind) && kind !== 'source'
  })
  // End to end is measured as the lane before the last stage is: until the records have left it.
  const last = stages.at(-1)
  const parts = stages.flatMap((id): Part[] => {
    const { lane, service, isServedOnLane = false } = timesOf(id)
    return [{ id, buckets: lane }, ...(id === last || isServedOnLane ? [] : [{ id, buckets: service }])]
  })
  const spreads = parts.flatMap(({ buckets }) => spreadOf(buckets) ?? [])
  const convolved = figuresOf(sumOf(spreads))
  const measured = last === undefined ? undefined : spreadOf(timesOf(last).endToEnd)
  const figures = measured && figuresOf(measured)
  const rounded = (1 + ROUNDING) ** roundings(spreads.length)
  return {
    nodes: way,
    convolved,
    error: 1 - (1 - Math.max(0, ...parts.map(({ buckets }) => widest(buckets)))) / rounded,
    sums: each((name) => spreads.reduce((sum, spread) => sum + figuresOf(spread)[name], 0)),
    measured: figures,
    dependence: figures && each((name) => figures[name] - convolved[name]),
    isOnlyWay: isOnlyWay(graph, way),
    unmeasured: stages.filter((id) => parts.some((part) => part.id === id && spreadOf(part.buckets) === undefined)),
  }
}

/** A time that a record spends on a way. */
interface Part {
  readonly id: string
  readonly buckets: readonly Bucket[] | undefined
}

function figuresOf(spread: Spread): Percentiles {
  return { p50Ms: percentile(spread, 0.5), p99Ms: percentile(spread, 0.99), p999Ms: percentile(spread, 0.999) }
}

function each(figure: (name: keyof Percentiles) => number): Percentiles {
  return { p50Ms: figure('p50Ms'), p99Ms: figure('p99Ms'), p999Ms: figure('p999Ms') }
}

/** Of the edges between nodes that a source reaches and that lead to the end of the way, all join what follows on it. */
function isOnlyWay(graph: ResolvedGraph, way: readonly string[]): boolean {
  const sources = graph.nodes.flatMap(({ kind }, node) => (kind === 'source' ? [node] : []))
  const above = walk(graph, [known(graph, way.at(-1)!)], 'up')
  const next = new Map(way.map((id, at) => [known(graph, id), graph.number(way[at + 1] ?? '')]))
  const on = [...walk(graph, sources, 'down')].filter((node) => above.has(node))
  return on.every((node) =>
    graph.out(node).every((edge) => !above.has(graph.to(edge)) || next.get(node) === graph.to(edge)),
  )
}
