import type { GraphData, NodeKind } from '../../graph/types.ts'
import { bottleneckOf } from './bottleneck.ts'
import { modelOf, type FlowOptions, type Model } from './model.ts'
import { NEGLIGIBLE, flowAt, growthOf, massGrowth, onTheirWay, type Moment } from './moment.ts'
import { predict, type Prediction } from './predict.ts'
import { queueGraph, type Queue } from './queues.ts'
import { atRates, meanBetween, noneOf, type Rates } from './totals.ts'
import { rateAt } from './service.ts'
import { times } from './times.ts'
import { totalWindow, windowsOf } from './windows.ts'

/** What `forecast` looks with. */
export interface ForecastOptions extends FlowOptions {
  /** How long from the start, all lanes and buffers empty. */
  readonly seconds: number
  /** What came before this is left out of the means. Default: 0. */
  readonly fromSeconds?: number
  /** Records on each ring of a lane of which the graph says nothing. Default: 8,192. */
  readonly maxDemand?: number
}

/** One node over that time. Rates are means, in records per second. */
export interface NodeForecast {
  readonly id: string
  readonly kind: NodeKind
  readonly in: number
  readonly out: number
  /** `in / serviceRate`, 0 to 1. */
  readonly utilisation: number
  /** Of a buffer: records in it at the end. */
  readonly held?: number
}

/** What a graph does over time, from empty lanes on. */
export interface Forecast {
  readonly nodes: readonly NodeForecast[]
  /** What limits what comes out at the end, as `simulate` names it: the last full stage on its way, else a source or the stage nearest to it. */
  readonly bottleneck: string | undefined
  /** Seconds after which nothing changes any more; infinite where that is not reached. Then the flow is as `simulate` says. */
  readonly settledS: number
}

/**
 * Changes of the flow that are followed. Short queues may fill and drain for ever: what is left counts as the second half. In a
 * large graph, where each costs predictions that grow with it, they are fewer.
 */
const MAX_CHANGES = 1_000
const LEAST_CHANGES = 20
const WORK = 400_000

/**
 * The flow from a start with everything empty. `simulate` says where it ends; until the buffers and lanes before a full stage
 * are full too, which may take hours, the stages before them run as fast as they can. They are followed here as they fill:
 * between two moments at which one becomes full or empty, all rates are constant (a fluid model).
 * Cost: some predictions for each such moment, each linear but for what lies on one loop.
 * @throws GRAPH_INVALID where a figure is no number, or negative; LOOP_TOO_LARGE
 */
export function forecast(
  graph: GraphData,
  { seconds, fromSeconds = 0, maxDemand, ...options }: ForecastOptions,
): Forecast {
  const moment = startOf(graph, maxDemand, options)
  const size = moment.model.graph.nodes.length
  const most = Math.max(LEAST_CHANGES, Math.min(MAX_CHANGES, Math.floor(WORK / size)))
  let totals = noneOf(moment.model.graph.nodes.length)
  let [from, half] = [totals, totals]
  let flow: Prediction | undefined
  let settledS = Infinity
  for (let changes = 0; totals.seconds < seconds; changes++) {
    const isFollowed = changes < most
    if (isFollowed) flow = flowAt(moment)
    const rates = isFollowed ? flow! : meanBetween(half, totals)
    const change = isFollowed ? nextChange(moment, flow!) : Infinity
    if (isFollowed && change === Infinity) settledS = Math.min(settledS, totals.seconds)
    const end = totals.seconds < fromSeconds ? fromSeconds : seconds
    const until = Math.min(end, totals.seconds + change)
    advance(moment, rates, until - totals.seconds)
    totals = atRates(totals, rates, until)
    if (until <= fromSeconds) from = totals
    if (changes === most >> 1) half = totals
  }
  const means = meanBetween(from, totals)
  const limiting = flow === undefined ? undefined : bottleneckOf(moment.model, flow)
  return {
    nodes: graph.nodes.map((_, node) => nodeOf(moment, node, { in: means.into[node]!, leaving: means.leaving[node]! })),
    bottleneck: limiting?.node === undefined ? undefined : moment.model.graph.id(limiting.node),
    settledS,
  }
}

function startOf(graph: GraphData, maxDemand: number | undefined, options: FlowOptions): Moment {
  const { graph: withQueues, queues } = queueGraph(graph, maxDemand)
  const model = { ...modelOf(withQueues, options), weight: (node: number) => queues.get(node)?.writers ?? 1 }
  const held = new Float64Array(withQueues.nodes.length)
  return { model, queues, held, mass: massOf(model, queues), window: totalWindow(model.graph) }
}

/** The part of a source record that one record in each queue stands for, in the predicted flow. */
function massOf(model: Model, queues: ReadonlyMap<number, Queue>): Float64Array {
  const { rates } = predict(model)
  const windows = windowsOf(model)
  const mass = new Float64Array(model.graph.nodes.length)
  for (const node of queues.keys()) mass[node] = windows.mass(node, rates)
  return mass
}

/** Seconds until a queue becomes full or empty, or as much is on its way as may be. */
function nextChange(moment: Moment, flow: Prediction): number {
  const { queues, held, window } = moment
  let least = Infinity
  for (const [node, { capacity }] of queues) {
    const growth = growthOf(flow, node)
    const room = capacity - held[node]!
    if (growth > 0 && room > capacity * NEGLIGIBLE) least = Math.min(least, room / growth)
    if (growth < 0 && held[node]! > 0) least = Math.min(least, held[node]! / -growth)
  }
  const more = massGrowth(moment, flow)
  const left = window - onTheirWay(moment)
  return more > 0 && left > window * NEGLIGIBLE ? Math.min(least, left / more) : least
}

function advance({ queues, held }: Moment, flow: Rates, seconds: number): void {
  for (const [node, { capacity }] of queues) {
    const growth = growthOf(flow, node)
    held[node] = growth === Infinity ? capacity : Math.min(capacity, Math.max(0, held[node]! + growth * seconds))
  }
}

function nodeOf({ model, held, queues }: Moment, node: number, rates: { in: number; leaving: number }): NodeForecast {
  const { graph, shares, services } = model
  const { id, kind } = graph.node(node)
  const gain = graph.out(node).reduce((sum, edge) => sum + (shares[edge]?.gain ?? 0), 0)
  const serviceRate = rateAt(services, node)
  return {
    id,
    kind,
    in: rates.in,
    out: times(rates.leaving, gain),
    utilisation: serviceRate === Infinity ? 0 : Math.min(1, rates.in / serviceRate),
    ...(queues.has(node) ? { held: held[node]! } : {}),
  }
}
