import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { components, type Components } from '../components.ts'
import { resolved } from '../resolved.ts'
import type { EdgeFilter } from '../types.ts'
import { loopTraffic, type LoopTraffic } from './loop-traffic.ts'
import { cutTraffic, type FlowOptions, type Model } from './model.ts'
import { steadyModel } from './overflow.ts'
import { predict, type Prediction } from './predict.ts'
import { fastestRoutes, slowestRoutes, type Crossing, type FastestRoutes, type RouteTimes } from './routes.ts'
import { sharesOf } from './shares.ts'
import { times as product } from './times.ts'
import { waitingMs } from './waiting.ts'

/** How long records take to one sink. Times are ms; a sink's own service counts. */
export interface SinkLatency {
  readonly sink: string
  /** The slowest way, from its source. */
  readonly path: readonly string[]
  /** The fastest way, without waiting, everything right at the first try: no record can be faster. */
  readonly minMs: number
  /** The slowest way, without waiting, everything right at the first try. */
  readonly maxMs: number
  /** The slowest way, without waiting, with retries as often as is to be expected. The critical path is the largest of these. */
  readonly criticalMs: number
  /** What waiting in lanes and open batches adds on that way: an estimate. */
  readonly queueMs: number
  /** The mean over all ways that records take, with retries and waiting; absent where none is expected to come here. */
  readonly meanMs?: number
}

/** How long records are on their way: fastest, mean and longest. */
export interface Latency {
  /** The sink with the longest critical path; `undefined` where no source reaches a sink. */
  readonly critical: SinkLatency | undefined
  readonly sinks: readonly SinkLatency[]
}

/**
 * Times from the sources to each sink that one reaches: declared service times of nodes, and weights of edges. `paths`
 * leaves edges out. Cost: linear, times the entries of each loop and the length of the paths.
 * @throws LOOP_TOO_LARGE
 */
export function latency(graph: GraphData, { paths, ...options }: FlowOptions & EdgeFilter = {}): Latency {
  const model = steadyModel(graph, options)
  const prediction = predict(model)
  const found = resolved(graph, paths === undefined ? {} : { paths })
  const parts = components(found)
  const waiting = waitingMs(model, prediction)
  const plain = timesOf(model)
  const waited: RouteTimes = { ...plain, node: (node) => plain.node(node) + (waiting[node] ?? 0) }
  const sources = found.nodes.flatMap(({ kind }, node) => (kind === 'source' ? [node] : []))
  const least = fastestRoutes(found, sources, plain)
  const short = shortCrossing(found, parts, plain)
  const loopOf = loopsOf(found, parts)
  const crossing = expectedCrossing(found, parts, plain, loopOf)
  const waitedCrossing = expectedCrossing(found, parts, waited, loopOf)
  const once = slowestRoutes(found, parts, plain, (entry, exit) => short(entry).ms(exit))
  const expected = slowestRoutes(found, parts, plain, crossing)
  const mean = meanTimes(model, prediction, waited)
  const sinks = found.nodes.flatMap(({ kind, id }, node): SinkLatency[] => {
    if (kind !== 'sink' || least.ms(node) === Infinity) return []
    const legs = expected.path(node)
    return [
      {
        sink: id,
        path: legs
          .flatMap(({ entry, exit }) => (entry === exit ? [entry] : short(entry).path(exit)))
          .map((each) => found.id(each)),
        minMs: least.ms(node),
        maxMs: once.ms[node]!,
        criticalMs: expected.ms[node]!,
        queueMs: legs.reduce((sum, { entry, exit }) => sum + waitedCrossing(entry, exit) - crossing(entry, exit), 0),
        ...(Number.isFinite(mean[node]) ? { meanMs: mean[node]! } : {}),
      },
    ]
  })
  return { critical: slowestOf(sinks), sinks }
}

function slowestOf(sinks: readonly SinkLatency[]): SinkLatency | undefined {
  return sinks.reduce<SinkLatency | undefined>(
    (most, sink) => (most === undefined || sink.criticalMs > most.criticalMs ? sink : most),
    undefined,
  )
}

function timesOf({ graph, services }: Model): RouteTimes {
  return { node: (node) => services[node]?.serviceMs ?? 0, edge: (edge) => graph.edge(edge).weight }
}

/** The fastest ways from one node to the others of its component. */
type ShortCrossing = (entry: number) => FastestRoutes

/** A component crossed by the fastest way: each node on it once. */
function shortCrossing(graph: ResolvedGraph, parts: Components, times: RouteTimes): ShortCrossing {
  const known = new Map<number, FastestRoutes>()
  return (entry) => {
    const members = parts.members[parts.of(entry)] ?? []
    const found = known.get(entry) ?? fastestRoutes(graph, [entry], times, new Set(members))
    known.set(entry, found)
    return found
  }
}

type LoopOf = (component: number) => { readonly loop: LoopTraffic; readonly gain: (edge: number) => number }

/** The equations of each loop, once for all times that are followed through it. */
function loopsOf(graph: ResolvedGraph, parts: Components): LoopOf {
  const shares = sharesOf(graph)
  const gain = (edge: number): number => shares[edge]?.gain ?? 0
  const known = new Map<number, LoopTraffic>()
  return (component) => {
    const loop = known.get(component) ?? loopTraffic(graph, parts.members[component] ?? [], gain)
    known.set(component, loop)
    return { loop, gain }
  }
}

/**
 * A loop crossed as often as is to be expected: the mean time at which records that entered at `entry` are done at `exit`,
 * over all turns they make before. Where no record is expected there, or the loop grows, the fastest way.
 */
function expectedCrossing(graph: ResolvedGraph, parts: Components, times: RouteTimes, loopOf: LoopOf): Crossing {
  const short = shortCrossing(graph, parts, times)
  const known = new Map<number, ReadonlyMap<number, number>>()
  const scratch = { visits: new Float64Array(graph.nodes.length), sums: new Float64Array(graph.nodes.length) }
  return (entry, exit) => {
    const component = parts.of(entry)
    if (!parts.isLoop(component)) return times.node(entry)
    const members = parts.members[component] ?? []
    const { loop, gain } = loopOf(component)
    const found =
      known.get(entry) ??
      (loop.grows ? NOTHING : meanCrossing(graph, { members, gain, loop, entry, times, ...scratch }))
    known.set(entry, found)
    return found.get(exit) ?? short(entry).ms(exit)
  }
}
const NOTHING: ReadonlyMap<number, number> = new Map()

interface Entered {
  readonly members: readonly number[]
  readonly gain: (edge: number) => number
  readonly loop: LoopTraffic
  readonly entry: number
  readonly times: RouteTimes
  /** By node of the whole graph; what other loops left there does not matter. */
  readonly visits: Float64Array
  readonly sums: Float64Array
}

/**
 * Follows one record that enters: how many visits each node gets of it, and the sum of the times at which those visits end.
 * The sum obeys the same equations as the visits, fed by the time that each visit and each edge adds.
 */
function meanCrossing(
  graph: ResolvedGraph,
  { members, gain, loop, entry, times, visits, sums }: Entered,
): ReadonlyMap<number, number> {
  const inside = new Set(members)
  for (const node of members) visits[node] = sums[node] = 0
  visits[entry] = 1
  loop.solve(visits)
  for (const node of members) {
    sums[node]! += visits[node]! * times.node(node)
    for (const edge of graph.out(node)) {
      if (inside.has(graph.to(edge))) sums[graph.to(edge)]! += visits[node]! * gain(edge) * times.edge(edge)
    }
  }
  loop.solve(sums)
  return new Map(members.flatMap((node) => (visits[node]! > 0 ? [[node, sums[node]! / visits[node]!]] : [])))
}

/** The mean time at which records are done at each node, over all ways and turns, weighted by the predicted flow. */
function meanTimes(model: Model, prediction: Prediction, times: RouteTimes): Float64Array {
  const { graph, shares, sources } = model
  const traffic = model.parting.size === 0 ? model.traffic : cutTraffic(graph, shares, new Set())
  const outside = new Float64Array(graph.nodes.length)
  sources.forEach(({ node }, index) => {
    const rate = prediction.rates[index] ?? 0
    // Without finite rates the sources count alike.
    outside[node] = Number.isFinite(prediction.throughput) && prediction.throughput > 0 ? rate : 1
  })
  const into = traffic.solve(outside)
  const sums = into.map((rate, node) => product(rate, times.node(node)))
  for (const edge of graph.edges) {
    const carried = product(into[graph.from(edge)]!, shares[edge]?.gain ?? 0)
    sums[graph.to(edge)]! += product(carried, times.edge(edge))
  }
  const total = traffic.solve(sums)
  return total.map((sum, node) => sum / into[node]!)
}
