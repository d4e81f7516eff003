import { fillSections } from './fill-sections.ts'
import type { Filling } from './filling.ts'
import type { CountsAsLimit, Limit } from './limits.ts'
import { outsideOf, type Model, type Origin } from './model.ts'

/** A filling that has settled: also what leaves the buffers that drop is in balance with what comes to them. */
export interface Prediction extends Filling {
  readonly origins: readonly Origin[]
  /** Records per second that leave each node for its edges, before they are shared out. */
  readonly leaving: Float64Array
  /** Rate into each node if no stage and no core limited anything. Sources that declare no rate count as predicted. */
  readonly offered: Float64Array
  /** Records per second of all sources together. */
  readonly throughput: number
}

export interface PredictOptions {
  /** Which stages limit. Default: all. */
  readonly counts?: CountsAsLimit
  /** Of a buffer that parts the flow: more is there than comes, so it sends whatever is taken. Default: none. */
  readonly hasBacklog?: (node: number) => boolean
}

/** Fills the graph from all its origins. */
export function predict(model: Model, { counts, hasBacklog = () => false }: PredictOptions = {}): Prediction {
  const buffers = [...model.parting].map((node): Origin => {
    return {
      node,
      most: Infinity,
      offered: Infinity,
      window: Infinity,
      weight: model.weight(node),
      follows: !hasBacklog(node),
      by: 'nothing',
    }
  })
  const origins = [...model.sources, ...buffers]
  const filling = fillSections(model, origins, counts)
  const leaving = Float64Array.from(filling.into)
  origins.forEach(({ node }, index) => void (leaving[node] = filling.rates[index] ?? 0))
  return {
    ...filling,
    origins,
    leaving,
    offered: offeredOf(model, origins, filling),
    throughput: model.sources.reduce((sum, _, index) => sum + (filling.rates[index] ?? 0), 0),
  }
}

function offeredOf(model: Model, origins: readonly Origin[], { rates }: Filling): Float64Array {
  const offered = origins.map((origin, index) => (origin.offered < Infinity ? origin.offered : (rates[index] ?? 0)))
  return model.traffic.solve(outsideOf(model, origins, offered))
}

/** A limit without the number of its node, as results show it. */
export interface NamedLimit {
  readonly by: Limit['by']
  /** The stage that is full, by its handler or (`rateLimit`) its limit; with `cores`, the stage that burns most. */
  readonly node?: string
}

export function named(model: Model, { by, node }: Limit): NamedLimit {
  if (node === undefined) return { by }
  const isLimited = by === 'stage' && model.services[node]?.isLimited === true
  return { by: isLimited ? 'rateLimit' : by, node: model.graph.id(node) }
}
