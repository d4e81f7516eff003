import { isStage } from '../../graph/resolve.ts'
import { lastOf } from './last.ts'
import type { Limit } from './limits.ts'
import type { Model } from './model.ts'
import type { Prediction } from './predict.ts'

/** What limits what comes out, by number. */
export interface Limiting extends Limit {
  /** It has no more to give; otherwise it is only the stage that is nearest to that. */
  readonly saturated: boolean
}

/**
 * The bottleneck of a flow, in the order in which `blame` looks for it in a measured one: the cores; the last full stage on its
 * way, of several side by side the one with the most offered for what it can take; the source that its rate limit, else the
 * one that its window holds back most; else the stage with the largest load. Equals follow the order of the graph.
 */
export function bottleneckOf(model: Model, prediction: Prediction): Limiting | undefined {
  const { graph, services } = model
  const { met, into, offered } = prediction
  const cores = met.find(({ by }) => by === 'cores')
  if (cores !== undefined) return { by: 'cores', node: cores.node!, saturated: true }
  const pressure = (node: number): number => offered[node]! / services[node]!.rate
  const full = [...new Set(met.flatMap(({ node }) => node ?? []))].sort((a, b) => a - b)
  const last = most(lastOf(graph, full), pressure)
  if (last !== undefined) return { by: 'stage', node: last, saturated: true }
  const held = heldSource(model, prediction, 'rateLimit') ?? heldSource(model, prediction, 'window')
  if (held !== undefined) return held
  const load = (node: number): number => into[node]! / services[node]!.rate
  const loaded = graph.nodes.flatMap(({ kind }, node) => (isStage(kind) && load(node) > 0 ? [node] : []))
  const nearest = most(loaded, load)
  return nearest === undefined ? undefined : { by: 'stage', node: nearest, saturated: false }
}

function heldSource(model: Model, { limits, rates }: Prediction, by: 'rateLimit' | 'window'): Limiting | undefined {
  const held = model.sources.flatMap((_, index) => (limits[index]?.by === by ? [index] : []))
  const index = most(held, (source) => (model.sources[source]!.rate ?? Infinity) / rates[source]!)
  return index === undefined ? undefined : { by, node: model.sources[index]!.node, saturated: true }
}

/** The first of those with the largest figure. */
function most(places: readonly number[], figure: (place: number) => number): number | undefined {
  return places.reduce<number | undefined>(
    (best, place) => (best === undefined || figure(place) > figure(best) ? place : best),
    undefined,
  )
}
