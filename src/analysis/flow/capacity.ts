import { isStage } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { coreLoad, limitsMet, stepToFull } from './filling.ts'
import { SAME } from './limits.ts'
import { droppingBuffers, outsideOf, type FlowOptions, type Model } from './model.ts'
import { settledModel, steadyModel } from './overflow.ts'
import { partsOf } from './parts.ts'
import { named, predict, type NamedLimit, type Prediction } from './predict.ts'
import { predictedParts } from './predicted-parts.ts'
import { times } from './times.ts'

/** One thing that may limit the graph: a stage, or the cores. */
export interface Bottleneck {
  readonly by: 'stage' | 'cores'
  /** The stage; with `cores`, the one that burns most. */
  readonly node?: string
  /** Load under the predicted flow, 0 to 1. */
  readonly utilisation: number
  /**
   * Load if nothing limited the sources: above 1 it cannot keep up with what is declared. Sources that declare no rate count
   * with what they are predicted to send.
   */
  readonly pressure: number
  readonly saturated: boolean
  /** Records per second of all sources, if this one alone had no limit. Without saturation: as now. */
  readonly throughputWithout: number
}

/**
 * Stages (and the cores, where `cpu` stages share them) ranked by what limits the graph: those that are full first, then by
 * pressure. Stages that declare no service time limit nothing and are left out.
 * Cost: one prediction, and one more, of the piece of the graph that it is in, for each without which a source would send more.
 */
export function bottlenecks(graph: GraphData, options: FlowOptions = {}): readonly Bottleneck[] {
  const model = steadyModel(graph, options)
  const prediction = predict(model)
  const full = new Set(prediction.met.flatMap(({ by, node }) => (by === 'stage' && node !== undefined ? [node] : [])))
  const without = throughputWithout(graph, model, prediction)
  const found: Bottleneck[] = model.graph.nodes.flatMap(({ id, kind }, node) => {
    const rate = model.services[node]?.rate ?? Infinity
    if (!isStage(kind) || rate === Infinity) return []
    const saturated = full.has(node)
    return [
      {
        by: 'stage' as const,
        node: id,
        utilisation: Math.min(1, (prediction.into[node] ?? 0) / rate),
        pressure: (prediction.offered[node] ?? 0) / rate,
        saturated,
        throughputWithout: saturated ? without(node) : prediction.throughput,
      },
    ]
  })
  found.push(...coreBottleneck(graph, model, prediction, options))
  return found.sort((a, b) => Number(b.saturated) - Number(a.saturated) || b.pressure - a.pressure)
}

function coreBottleneck(graph: GraphData, model: Model, prediction: Prediction, options: FlowOptions): Bottleneck[] {
  if (model.cores === Infinity || coreLoad(model, prediction.offered) === 0) return []
  const limit = prediction.met.find(({ by }) => by === 'cores')
  const most = model.services.reduce(
    (best, { coreSeconds }, node) => {
      const load = times(prediction.into[node] ?? 0, coreSeconds)
      return load > best.load ? { node, load } : best
    },
    { node: -1, load: 0 },
  )
  const free = limit === undefined ? model : steadyModel(graph, { ...options, cores: Infinity })
  return [
    {
      ...(most.node === -1 ? {} : { node: model.graph.id(most.node) }),
      by: 'cores',
      utilisation: Math.min(1, coreLoad(model, prediction.into) / model.cores),
      pressure: coreLoad(model, prediction.offered) / model.cores,
      saturated: limit !== undefined,
      throughputWithout: (limit === undefined ? prediction : predict(free)).throughput,
    },
  ]
}

/** The throughput with one full stage that has no limit. Where no source is held by that one, it stays as it is. */
function throughputWithout(graph: GraphData, model: Model, prediction: Prediction): (node: number) => number {
  const { throughput, holders, origins, rates } = prediction
  const holding = new Set(holders.map((limit) => limit?.node))
  // Without it a buffer may drop that did not; and a loop that grows ends the filling of everything.
  const isSettled = droppingBuffers(model.graph).length === 0 && model.traffic.growing.length === 0
  const split = isSettled ? partsOf(model) : undefined
  const byPart = split?.parts.map(() => 0)
  if (split !== undefined) origins.forEach(({ node }, index) => void (byPart![split.of[node]!]! += rates[index]!))
  return (node) => {
    if (!isSettled) return predict(settledModel(graph, unlimited(model, node))).throughput
    if (!holding.has(node) || throughput === Infinity) return throughput
    if (split === undefined) return predict(unlimited(model, node)).throughput
    const part = split.of[node]!
    return throughput - byPart![part]! + predict(unlimited(split.parts[part]!.model, split.place[node]!)).throughput
  }
}

/** The model with one stage that is never full; the cores that it burns still count. */
function unlimited(model: Model, node: number): Model {
  const services = model.services.map((service, other) => (other === node ? { ...service, rate: Infinity } : service))
  return { ...model, services }
}

/** The most that one source can make. */
export interface SourceMax {
  readonly id: string
  /** What it is predicted to send now. */
  readonly rate: number
  /** Most that it could send with the other sources as predicted, whatever rate it declares. Infinite without any limit. */
  readonly max: number
  /** What is full then: every way to more must begin here. */
  readonly cut: readonly NamedLimit[]
}

/** The most that the sources can make before a stage is full, and what is full then. */
export interface MaxRate {
  readonly sources: readonly SourceMax[]
  /** All sources together, in the proportion of their declared rates (of their predicted ones where they declare none). */
  readonly together: { readonly factor: number; readonly throughput: number; readonly cut: readonly NamedLimit[] }
}

/**
 * The largest rate that each source alone, and all of them in proportion, can keep up, and what is full at it. Declared
 * rates do not bind here; a `rateLimit` does. Cost: one prediction, and one solution for each source, of its piece of the graph.
 */
export function maxRate(graph: GraphData, options: FlowOptions = {}): MaxRate {
  const model = steadyModel(graph, options)
  const prediction = predict(model)
  const rates = prediction.rates
  const sources = sourceMaxima(model, prediction)
  const direction = prediction.origins.map(({ offered }, index) => (offered < Infinity ? offered : (rates[index] ?? 0)))
  const { factor, cut } = mostAlong(model, prediction, { from: rates.map(() => 0), direction })
  const all = direction.slice(0, model.sources.length).reduce((sum, rate) => sum + rate, 0)
  return { sources, together: { factor, throughput: times(all, factor), cut } }
}

interface Ray {
  readonly from: readonly number[]
  readonly direction: readonly number[]
}

/** The most of each source, in its own piece of the graph. */
function sourceMaxima(model: Model, prediction: Prediction): readonly SourceMax[] {
  const split = partsOf(model)
  if (split === undefined) return model.sources.map((_, source) => sourceMax(model, prediction, source))
  const parts = predictedParts(split, prediction)
  const next = parts.map(() => 0)
  return model.sources.map(({ node }) => {
    const { part, predicted } = parts[split.of[node]!]!
    return sourceMax(part, predicted, next[split.of[node]!]!++)
  })
}

function sourceMax(model: Model, prediction: Prediction, source: number): SourceMax {
  const { rates } = prediction
  const others = rates.map((rate, index) => (index === source ? 0 : rate))
  const alone = rates.map((_, index) => (index === source ? 1 : 0))
  const { factor, cut } = mostAlong(model, prediction, { from: others, direction: alone })
  return { id: model.graph.id(model.sources[source]!.node), rate: rates[source]!, max: factor, cut }
}

/** How far all origins can go from some rates in some direction, and what is full there. */
function mostAlong(
  model: Model,
  { origins }: Prediction,
  { from, direction }: Ray,
): { factor: number; cut: NamedLimit[] } {
  if (direction.some((rate) => rate === Infinity)) return { factor: 1, cut: [{ by: 'nothing' }] }
  const base = model.traffic.solve(outsideOf(model, origins, from))
  const growth = model.traffic.solve(outsideOf(model, origins, direction))
  let factor = stepToFull(model, base, growth)
  const cut: NamedLimit[] = []
  model.sources.forEach(({ node, window }, index) => {
    const { rateLimit = Infinity } = model.graph.node(node)
    const most = Math.min(rateLimit, window)
    if (most === Infinity || (direction[index] ?? 0) === 0) return
    const room = (most - (from[index] ?? 0)) / (direction[index] ?? 0)
    if (room < factor * (1 - SAME)) cut.splice(0)
    if (room <= factor * (1 + SAME)) {
      cut.push({ by: rateLimit <= window ? 'rateLimit' : 'window', node: model.graph.id(node) })
    }
    factor = Math.min(factor, room)
  })
  if (factor === Infinity) return { factor, cut: [{ by: 'nothing' }] }
  const into = base.map((rate, node) => rate + times(growth[node] ?? 0, factor))
  return { factor, cut: [...cut, ...limitsMet(model, into, growth).map((limit) => named(model, limit))] }
}
