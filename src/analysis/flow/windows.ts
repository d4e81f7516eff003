import { SOURCE_DEFAULTS, workersOf } from '../loops/lanes.ts'
import { type Adjacency } from '../adjacency.ts'
import type { Model } from './model.ts'
import { times } from './times.ts'
import { traffic, type Traffic } from './traffic.ts'

/** What the windows of the sources let come to a node and wait there. */
export interface Windows {
  /** Source records that those sources may have on their way from which records come to the node. */
  above(node: number): number
  /** Records that can wait at the node at once. A record that becomes several there holds one place of its window. */
  reach(node: number): number
  /** The part of a source record that one record at the node stands for, with `rates` of the sources, in their order. */
  mass(node: number, rates: readonly number[]): number
}

/** Cost of each answer: two solutions of the traffic equations. @throws LOOP_TOO_LARGE */
export function windowsOf(model: Model): Windows {
  const { graph, shares, sources } = model
  const upstream = reversed(graph)
  const gain = (edge: number): number => shares[edge]?.gain ?? 0
  let whole: Traffic | undefined
  const sum = (count: (source: number, index: number) => number): number =>
    sources.reduce((total, { node }, index) => total + count(node, index), 0)
  /** Of one record of each node: the records that come to `node` a first time, and the share of which any comes. */
  const arrivals = (node: number): { records: Float64Array; share: Float64Array } => {
    const first = (edge: number): number => (graph.from(edge) === node ? 0 : gain(edge))
    const equations = model.traffic.isOnLoop(node) ? traffic(upstream, first) : (whole ??= traffic(upstream, gain))
    const there = new Float64Array(graph.nodes.length)
    there[node] = 1
    return { records: equations.solve(there), share: equations.solve(there, 1) }
  }
  return {
    above: (node) => {
      const { share } = arrivals(node)
      return sum((source) => (share[source]! > 0 ? windowOf(graph, source) : 0))
    },
    reach: (node) => {
      const { records, share } = arrivals(node)
      return sum((source) => (share[source]! > 0 ? (windowOf(graph, source) * records[source]!) / share[source]! : 0))
    },
    mass: (node, rates) => {
      const { records, share } = arrivals(node)
      const weight = (index: number): number => (rates.every(Number.isFinite) ? rates[index]! : 1)
      const arriving = sum((source, index) => times(weight(index), records[source]!))
      return arriving === 0 ? 1 : sum((source, index) => times(weight(index), share[source]!)) / arriving
    },
  }
}

/** Records that all sources together may have on their way. */
export function totalWindow(graph: Adjacency): number {
  return graph.nodes.reduce((sum, { kind }, node) => (kind === 'source' ? sum + windowOf(graph, node) : sum), 0)
}

function windowOf(graph: Adjacency, source: number): number {
  return (graph.node(source).window ?? SOURCE_DEFAULTS.window) * workersOf(graph, source)
}

function reversed(graph: Adjacency): Adjacency {
  return {
    ...graph,
    in: (node) => graph.out(node),
    out: (node) => graph.in(node),
    from: (edge) => graph.to(edge),
    to: (edge) => graph.from(edge),
  }
}
