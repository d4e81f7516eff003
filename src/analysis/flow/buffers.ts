import { coreLoad, type Counts, stepToFull } from './filling.ts'
import { cutTraffic, feeders, inject, type Model } from './model.ts'
import { steadyModel } from './overflow.ts'
import { predict, type Prediction } from './predict.ts'
import type { FlowOptions } from './model.ts'
import type { GraphData } from '../../graph/types.ts'
import { NODE_OPTIONS } from '../../options.ts'
import { times } from './times.ts'
import { windowsOf, type Windows } from './windows.ts'

/** One buffer under the predicted flow. Rates are records per second, times are seconds, `capacity` is records. */
export interface BufferFlow {
  readonly node: string
  readonly capacity: number
  readonly in: number
  readonly out: number
  /** Lost because the buffer was full and its `whenFull` drops. */
  readonly dropped: number
  /** What would come if the buffer never filled: the sources, as far as the stages above it let them. */
  readonly offered: number
  /** What the stages below can take from it at most, with everything else as predicted; 0 where nothing reads it. */
  readonly drainRate: number
  /** `drainRate - offered`: negative where it fills up. */
  readonly headroom: number
  /**
   * Records that can come to be in it: its capacity, but no more than the windows of the sources above it let come there. A
   * source record that becomes several on its way counts as all of them.
   */
  readonly reach: number
  /** From empty, at the offered rate: `reach / (offered - drainRate)`. Infinite where it never fills. */
  readonly timeToFullS: number
  /** From there, with nothing coming in: `reach / drainRate`. */
  readonly timeToDrainS: number
  /** How long it takes in what comes while nothing leaves: `reach / in`. */
  readonly absorbsS: number
}

/** All buffers, those with least headroom first. Cost: two predictions for each buffer above a full stage, else three solutions. */
export function buffers(graph: GraphData, options: FlowOptions = {}): readonly BufferFlow[] {
  const model = steadyModel(graph, options)
  return buffersOf(model, predict(model))
}

export function buffersOf(model: Model, prediction: Prediction): readonly BufferFlow[] {
  const windows = windowsOf(model)
  return model.graph.nodes
    .flatMap(({ kind }, node) => (kind === 'buffer' ? [bufferOf(model, prediction, windows, node)] : []))
    .sort((a, b) => a.headroom - b.headroom)
}

function bufferOf(model: Model, prediction: Prediction, windows: Windows, node: number): BufferFlow {
  const { id, capacity = NODE_OPTIONS.capacity.default } = model.graph.node(node)
  const into = prediction.into[node] ?? 0
  const out = prediction.leaving[node] ?? 0
  const perRecord = visitsBelow(model, node)
  const offered = offeredTo(model, prediction, node, perRecord)
  const drainRate = model.graph.out(node).length === 0 ? 0 : drainOf(model, prediction, out, perRecord)
  const gathers = offered - drainRate
  const reach = Math.min(capacity, windows.reach(node))
  return {
    node: id,
    capacity,
    in: into,
    out,
    dropped: into === out ? 0 : into - out,
    offered,
    drainRate,
    headroom: drainRate === Infinity ? Infinity : drainRate - offered,
    reach,
    timeToFullS: gathers > 0 ? reach / gathers : Infinity,
    timeToDrainS: reach / drainRate,
    absorbsS: reach / into,
  }
}

/** Visits to each node of one record that leaves the buffer, until it ends or comes back to the buffer. */
function visitsBelow(model: Model, node: number): Float64Array {
  const outside = new Float64Array(model.graph.nodes.length)
  inject(model, node, 1, outside)
  if (!model.traffic.isOnLoop(node)) return model.traffic.solve(outside)
  return cutTraffic(model.graph, model.shares, [...model.parting, node]).solve(outside)
}

function drainOf(model: Model, { into }: Prediction, out: number, perRecord: Float64Array): number {
  const others = into.map((rate, node) => Math.max(0, rate - times(out, perRecord[node]!)))
  return stepToFull(model, others, perRecord)
}

/** What comes to the buffer when only stages that are not below it limit the sources. */
function offeredTo(model: Model, prediction: Prediction, node: number, perRecord: Float64Array): number {
  const notBelow: Counts = (other) => perRecord[other] === 0
  const heldBack = prediction.met.some(({ by, node: full = -1 }) =>
    by === 'cores' ? coreLoad(model, perRecord) > 0 : !notBelow(full),
  )
  const reached = feeders(model, [node])
  const feeds = prediction.origins.some((origin) => reached.has(origin.node))
  if (!heldBack || !feeds) return prediction.into[node] ?? 0
  return predict(model, { counts: notBelow }).into[node] ?? 0
}
