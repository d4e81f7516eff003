import type { ResolvedGraph } from '../../graph/resolve.ts'
import { isHop, VIA_WINDOW } from '../parts.ts'
import type { Model } from './model.ts'
import { onlyEdge } from './only-edge.ts'
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

/** What one record of a source becomes at a node: records that come there a first time, and the share of which any comes. */
interface Arrival {
  readonly source: number
  readonly records: number
  readonly share: number
}

/** `above` and `reach` of one node. */
interface Room {
  readonly above: number
  readonly reach: number
}

/**
 * Cost of each answer: two solutions of the traffic equations above the node; nodes that follow each other without a merge share
 * them, where nothing is filtered out after it was expanded. @throws LOOP_TOO_LARGE
 */
export function windowsOf(model: Model): Windows {
  const { graph, shares, sources } = model
  const upstream = reversed(graph)
  const gain = (edge: number): number => shares[edge]?.gain ?? 0
  const isOnLoop = (node: number): boolean => model.traffic.isOnLoop(node)
  let whole: Traffic | undefined
  const arrivalsAt = (node: number): readonly Arrival[] => {
    whole ??= traffic(upstream, gain)
    // Of all visits, one in `turns` is a first one; where a loop grows without end the ways out of the node are cut instead.
    const turns = whole.turns(node)
    const first = (edge: number): number => (graph.from(edge) === node ? 0 : gain(edge))
    const equations = turns === Infinity ? traffic(upstream, first) : whole
    const there = [[node, turns === Infinity ? 1 : 1 / turns]] as const
    const records = new Map<number, number>()
    const found: Arrival[] = []
    equations.spread(there, (source, rate) => void (isSource(graph, source) && records.set(source, rate)))
    equations.spread(
      there,
      (source, share) => void (records.has(source) && found.push({ source, share, records: records.get(source)! })),
      1,
    )
    return found
  }
  const fromSources = (node: number): Room => {
    const room = { above: 0, reach: 0 }
    for (const { source, records, share } of arrivalsAt(node)) {
      const window = windowOf(graph, source)
      room.above += window
      room.reach += window * (records / share)
    }
    return room
  }
  /** The edge over which all records come, where what is known of the node before it says everything. */
  const onlyWayIn = (node: number): number | undefined => {
    if (isSource(graph, node)) return undefined
    const edge = onlyEdge(graph.in(node), gain)
    if (edge === undefined) return undefined
    const from = graph.from(edge)
    if (!isOnLoop(node) && !isOnLoop(from)) return edge
    // In a loop, what comes to `from` a first time comes here a first time if it can go nowhere else.
    const follows = model.traffic.place(node) === model.traffic.place(from) && from !== node
    return follows && gain(edge) === 1 && onlyEdge(graph.out(from), gain) === edge ? edge : undefined
  }
  /** The same for each node: told by the node before it where `after` can, else solved. */
  const following = <T>(solve: (node: number) => T, after: (before: T, gain: number) => T | undefined) => {
    const known = new Map<number, T>()
    return (node: number): T => {
      const way: number[] = []
      let top = node
      for (let edge = onlyWayIn(top); edge !== undefined && !known.has(top); edge = onlyWayIn(top)) {
        way.push(edge)
        top = graph.from(edge)
        if (top === node) break
      }
      let found = known.get(top) ?? solve(top)
      known.set(top, found)
      for (const edge of way.reverse()) {
        const to = graph.to(edge)
        found = known.get(to) ?? after(found, gain(edge)) ?? solve(to)
        known.set(to, found)
      }
      return found
    }
  }
  const roomAt = following(fromSources, afterEdge)
  const massesAt = (rates: readonly number[]): ((node: number) => Mass) => {
    const weights = rates.every(Number.isFinite) ? rates : undefined
    const weightOf = new Map(sources.map(({ node: source }, index) => [source, weights?.[index] ?? 1]))
    const massOf = (node: number): Mass => {
      const mass = { arriving: 0, places: 0 }
      for (const { source, records, share } of arrivalsAt(node)) {
        mass.arriving += times(weightOf.get(source)!, records)
        mass.places += times(weightOf.get(source)!, share)
      }
      return mass
    }
    return following(massOf, massAfter)
  }
  let last: { readonly rates: readonly number[]; readonly massAt: (node: number) => Mass } | undefined
  return {
    above: (node) => roomAt(node).above,
    // What a broker holds has no place in a window.
    reach: (node) => (isHop(graph.node(node)) ? Infinity : roomAt(node).reach),
    mass: (node, rates) => {
      if (last?.rates !== rates) last = { rates, massAt: massesAt(rates) }
      const { arriving, places } = last.massAt(node)
      return arriving === 0 ? 1 : places / arriving
    },
  }
}

/** What comes to a node each second, and the places of windows that it holds. */
interface Mass {
  readonly arriving: number
  readonly places: number
}

/** Places are those just before a node that expands; one that filters frees some, as long as none were cut to 1 on the way up. */
function massAfter({ arriving, places }: Mass, gain: number): Mass | undefined {
  if (gain >= 1) return { arriving: arriving * gain, places }
  return arriving === places ? { arriving: arriving * gain, places: places * gain } : undefined
}

/**
 * Of `m / p` of each source (see docs/analysis.md): one that expands multiplies all `m`, and the `p` are 1 just before it as well. One that filters
 * makes both smaller as long as no `p` was cut to 1 on the way up, which shows in that all `m / p` are 1.
 */
function afterEdge(before: Room, gain: number): Room | undefined {
  if (gain >= 1) return { above: before.above, reach: before.reach * gain }
  return before.reach === before.above ? before : undefined
}

/** Records that all sources together may have on their way; those that brokers hold are beside them. */
export function totalWindow(graph: ResolvedGraph): number {
  return graph.nodes.reduce((sum, each, node) => {
    if (!isSource(graph, node)) return sum
    return sum + windowOf(graph, node) + (isHop(each) ? each.capacity : 0)
  }, 0)
}

/** What reads a buffer with `via` begins a part, as a source does. */
function isSource(graph: ResolvedGraph, node: number): boolean {
  const found = graph.node(node)
  return found.kind === 'source' || isHop(found)
}

function windowOf(graph: ResolvedGraph, source: number): number {
  const node = graph.node(source)
  if (isHop(node)) return typeof node.via['window'] === 'number' ? node.via['window'] : VIA_WINDOW
  return node.window * node.workers
}

function reversed(graph: ResolvedGraph): ResolvedGraph {
  return {
    ...graph,
    in: (node) => graph.out(node),
    // Below a buffer with `via`, its reader begins.
    out: (node) => (isHop(graph.node(node)) ? [] : graph.in(node)),
    from: (edge) => graph.to(edge),
    to: (edge) => graph.from(edge),
  }
}
