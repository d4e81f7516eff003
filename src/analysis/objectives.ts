import type { GraphData } from '../graph/types.ts'
import { latency } from './flow/latency.ts'
import type { FlowOptions } from './flow/model.ts'
import { simulate } from './flow/simulate.ts'
import { measuredGraph } from './live/measured.ts'
import type { Measurements } from './types.ts'

/** Figures that an objective may bound: times from end to end, records per second of all sources, the share that fails. */
export const OBJECTIVE_FIGURES = ['p50', 'p99', 'p999', 'throughput', 'errors'] as const
/** One of these figures. */
export type ObjectiveFigure = (typeof OBJECTIVE_FIGURES)[number]

/** What is to hold: at most `bound` (ms; a share of errors, 0 to 1), at least `bound` (records per second of throughput). */
export interface Objective {
  readonly figure: ObjectiveFigure
  readonly bound: number
}

/** What an objective comes to. */
export interface ObjectiveOutcome extends Objective {
  /** `undefined` where nothing says it: errors without measurements, times without a way to a sink. */
  readonly value: number | undefined
  readonly isKept: boolean
  /** Of times: the sink that takes longest, and the way there. */
  readonly sink?: string
  readonly path?: readonly string[]
}

/** What objectives are held against. */
export interface ObjectiveOptions extends FlowOptions {
  /** Where given, what was measured takes the place of what is declared. */
  readonly measurements?: Measurements | undefined
}

/** How much longer than its mean a wait is of which so many are shorter, where waits spread as random arrivals do: `-ln(1 - p)`. */
const TAILS = { p50: Math.log(2), p99: Math.log(100), p999: Math.log(1_000) } as const

const FULL = 1 - 1e-9

/**
 * Whether objectives hold. A percentile is that of the slowest way: the times of its stages (their 99th percentiles, where
 * measured, for p99 and p999), and its waits, spread as random arrivals spread them. All that is rare counts as if it happened at
 * once, so a time that is kept here is not exceeded by chance alone. Two simulations. @throws LOOP_TOO_LARGE
 */
export function objectives(
  graph: GraphData,
  wanted: readonly Objective[],
  { measurements, ...options }: ObjectiveOptions = {},
): readonly ObjectiveOutcome[] {
  const base = measurements === undefined ? graph : measuredGraph(graph, measurements)
  return wanted.map(({ figure, bound }) => {
    if (figure === 'throughput') {
      const value = throughputOf(graph, base, measurements, options)
      return { figure, bound, value, isKept: value >= bound }
    }
    if (figure === 'errors') {
      const value = errorsOf(graph, measurements)
      return { figure, bound, value, isKept: value !== undefined && value <= bound }
    }
    const slowest = slowestWay(base, figure, { measurements, ...options })
    if (slowest === undefined) return { figure, bound, value: undefined, isKept: false }
    return { figure, bound, ...slowest, isKept: slowest.value <= bound }
  })
}

function slowestWay(
  graph: GraphData,
  figure: keyof typeof TAILS,
  { measurements, ...options }: ObjectiveOptions,
): { readonly value: number; readonly sink: string; readonly path: readonly string[] } | undefined {
  const full = new Set(
    simulate(graph, options).nodes.flatMap(({ id, utilisation }) => (utilisation >= FULL ? [id] : [])),
  )
  const ways = latency(graph, options).sinks.map(({ sink, path, criticalMs, queueMs }) => {
    const rare = path.reduce((sum, node) => sum + rareMs(measurements, node, figure), 0)
    // Before a full stage all room is taken at all times: everybody waits as long.
    const tail = path.some((node) => full.has(node)) ? 1 : TAILS[figure]
    return { value: criticalMs + rare + tail * queueMs, sink, path }
  })
  return ways.toSorted((a, b) => b.value - a.value)[0]
}

/** What the percentile of a stage is beyond its mean, where that was measured. */
function rareMs(measurements: Measurements | undefined, node: string, figure: keyof typeof TAILS): number {
  const measured = measurements?.nodes[node]
  if (measured === undefined) return 0
  return (figure === 'p50' ? measured.p50Ms : measured.p99Ms) - measured.serviceMs
}

function throughputOf(
  { nodes }: GraphData,
  base: GraphData,
  measurements: Measurements | undefined,
  options: FlowOptions,
): number {
  if (measurements === undefined) return simulate(base, options).throughput
  return madeBySources(nodes, measurements) / measurements.seconds
}

function errorsOf({ nodes }: GraphData, measurements: Measurements | undefined): number | undefined {
  if (measurements === undefined) return undefined
  const made = madeBySources(nodes, measurements)
  const lost = Object.values(measurements.nodes).reduce(
    (sum, { failed, deadLettered }) => sum + failed + deadLettered,
    0,
  )
  return made === 0 ? 0 : lost / made
}

function madeBySources(nodes: GraphData['nodes'], measurements: Measurements): number {
  const sources = nodes.filter(({ kind }) => kind === 'source')
  return sources.reduce((sum, { id }) => sum + (measurements.nodes[id]?.in ?? 0), 0)
}
