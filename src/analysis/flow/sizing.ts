import { isStage } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import type { Measurements } from '../types.ts'
import { type FlowOptions, type Model } from './model.ts'
import { steadyModel } from './overflow.ts'
import { predict } from './predict.ts'
import { roomBefore } from './waiting.ts'

/** What `sizing` looks with. */
export interface SizingOptions extends FlowOptions {
  /** Share of records that may find the room before a stage full. Default: 0.001. */
  readonly blocking?: number
  /** Mean size of a record, for the memory. Default: 256. */
  readonly recordBytes?: number
  /** Where given, the spread of the service times is measured; without it service times count as random as arrivals. */
  readonly measurements?: Measurements
}

/** The room in front of one stage: lanes and buffers together. */
export interface Sizing {
  readonly node: string
  /** `in / serviceRate` under the predicted flow. */
  readonly load: number
  /** Records that there is room for now. */
  readonly room: number
  /** Records that there should be room for; infinite where the stage is full: no room is enough for it. */
  readonly needed: number
  /** Memory for that, in bytes. */
  readonly bytes: number
  readonly enough: boolean
}

/**
 * The smallest room before each stage with which no more than `blocking` of the records find it full: the tail of the queue
 * falls by `load ^ (2 / spread)` for each record, where `spread` is the sum of the squared variations of arrivals (1, random)
 * and of service times. A batching stage needs room for two batches of each worker beside.
 */
export function sizing(graph: GraphData, options: SizingOptions = {}): readonly Sizing[] {
  const { blocking = 0.001, recordBytes = 256, measurements, ...flow } = options
  const model = steadyModel(graph, flow)
  const { into } = predict(model)
  return model.graph.nodes.flatMap(({ id, kind }, node): Sizing[] => {
    const service = model.services[node]
    const rate = into[node] ?? 0
    if (!isStage(kind) || kind === 'source' || service === undefined || service.rate === Infinity || rate === 0)
      return []
    const load = rate / service.rate
    const needed = queueFor(load, blocking, spreadOf(id, measurements)) + batchRoom(model, node)
    const room = roomBefore(model.graph, node)
    return [{ node: id, load, room, needed, bytes: needed * recordBytes, enough: room >= needed }]
  })
}

function queueFor(load: number, blocking: number, spread: number): number {
  return load >= 1 - 1e-9 ? Infinity : Math.max(1, Math.ceil((Math.log(blocking) / Math.log(load)) * (spread / 2)))
}

function batchRoom({ graph }: Model, node: number): number {
  const { batch, workers } = graph.node(node)
  return batch === undefined ? 0 : 2 * workers * batch.size
}

/** Squared variation of arrivals plus that of service times, from the measured median and 99th percentile (log-normal). */
function spreadOf(id: string, measurements: Measurements | undefined): number {
  const measured =
    measurements !== undefined && Object.hasOwn(measurements.nodes, id) ? measurements.nodes[id] : undefined
  if (measured === undefined || measured.p50Ms <= 0 || measured.p99Ms <= measured.p50Ms) return 2
  const sigma = Math.log(measured.p99Ms / measured.p50Ms) / Z99
  return 1 + (Math.exp(sigma * sigma) - 1)
}

/** Standard deviations from the median to the 99th percentile of a normal distribution. */
const Z99 = 2.326
