import type { GraphData } from '../../graph/types.ts'
import { belowOf, drainRateOf } from './below.ts'
import type { FlowOptions, Model } from './model.ts'
import { offeredTo } from './offered.ts'
import { steadyModel } from './overflow.ts'
import { partsOf } from './parts.ts'
import { predict, type Prediction } from './predict.ts'
import { predictedParts } from './predicted-parts.ts'
import { windowsOf } from './windows.ts'

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
  /** `drainRate - offered`: negative where it fills up. Absent where nothing limits what comes, and something what leaves. */
  readonly headroom?: number
  /** The same as a share of what is offered, `drainRate / offered - 1`: -1 where nothing leaves, infinite where nothing comes. */
  readonly relativeHeadroom: number
  /**
   * Records that can come to be in it: its capacity, but no more than the windows of the sources above it let come there. A
   * source record that becomes several on its way counts as all of them.
   */
  readonly reach: number
  /** From empty, at the offered rate: `capacity / (offered - drainRate)`. Infinite where it never fills, or where `reach` is less. */
  readonly timeToFullS: number
  /** From there, with nothing coming in: `reach / drainRate`. */
  readonly timeToDrainS: number
  /** How long it takes in what comes while nothing leaves: `reach / in`. */
  readonly absorbsS: number
}

/**
 * All buffers, those with the least relative headroom first. Cost: one prediction; linear in chains and loops without branches, else some
 * passes over what is above and below each buffer. See `offeredTo` for what several sources cost.
 */
export function buffers(graph: GraphData, options: FlowOptions = {}): readonly BufferFlow[] {
  const model = steadyModel(graph, options)
  return buffersOf(model, predict(model))
}

export function buffersOf(model: Model, prediction: Prediction): readonly BufferFlow[] {
  const split = partsOf(model)
  const found =
    split === undefined
      ? buffersIn(model, prediction)
      : predictedParts(split, prediction).flatMap(({ part, predicted }) => buffersIn(part, predicted))
  const order = (id: string): number => model.graph.number(id)
  return found.sort((a, b) => least(a.relativeHeadroom, b.relativeHeadroom) || order(a.node) - order(b.node))
}

function least(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function buffersIn(model: Model, prediction: Prediction): BufferFlow[] {
  const windows = windowsOf(model)
  const below = belowOf(model, prediction)
  const offered = offeredTo(model, prediction)
  const drainRate = drainRateOf(model, prediction)
  return lowestFirst(model).map((node) => {
    const { id, capacity } = model.graph.node(node)
    const under = below(node)
    return flowOf({
      node: id,
      capacity,
      in: prediction.into[node]!,
      out: prediction.leaving[node]!,
      offered: offered(node, under),
      drainRate: model.graph.out(node).length === 0 ? 0 : drainRate(node, under),
      reach: Math.min(capacity, windows.reach(node)),
    })
  })
}

function lowestFirst({ graph, traffic }: Model): readonly number[] {
  const all = graph.nodes.flatMap(({ kind }, node) => (kind === 'buffer' ? [node] : []))
  return all.sort((a, b) => traffic.place(b) - traffic.place(a))
}

type Rates = Pick<BufferFlow, 'node' | 'capacity' | 'in' | 'out' | 'offered' | 'drainRate' | 'reach'>

function flowOf(rates: Rates): BufferFlow {
  const { node, capacity, in: into, out, offered, drainRate, reach } = rates
  const gathers = offered - drainRate
  return {
    node,
    capacity,
    in: into,
    out,
    dropped: into === out ? 0 : into - out,
    offered,
    drainRate,
    ...(offered < Infinity || drainRate === Infinity
      ? { headroom: drainRate === Infinity ? Infinity : drainRate - offered }
      : {}),
    relativeHeadroom: drainRate === Infinity || offered === 0 ? Infinity : drainRate / offered - 1,
    reach,
    timeToFullS: gathers > 0 && reach >= capacity ? capacity / gathers : Infinity,
    timeToDrainS: reach === 0 ? 0 : reach / drainRate,
    absorbsS: into === 0 ? Infinity : reach / into,
  }
}
