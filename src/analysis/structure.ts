import type { ResolvedGraph } from '../graph/resolve.ts'
import type { GraphData, NodeKind } from '../graph/types.ts'
import { components } from './components.ts'
import { describeCycle, elementaryCycles } from './cycles.ts'
import { edgeShares } from './flow/shares.ts'
import { unknownNode } from './nearest.ts'
import { resolved } from './resolved.ts'
import type { Cycle, EdgeFilter } from './types.ts'

/** A node with many edges. */
export interface Hub {
  readonly node: string
  readonly in: number
  readonly out: number
}

/** Everything about the shape of a graph. Lists of ids follow the order of `graph.nodes`, unless said otherwise. */
export interface Structure {
  readonly sources: readonly string[]
  readonly sinks: readonly string[]
  /** A topological order, or `undefined` where the filtered edges form a cycle. */
  readonly order: readonly string[] | undefined
  readonly cycles: readonly Cycle[]
  /** There are more cycles than were listed. */
  readonly incomplete: boolean
  /** Strongly connected components that hold a cycle, in topological order. */
  readonly loops: readonly (readonly string[])[]
  /** Not reached from any source. */
  readonly orphans: readonly string[]
  /** No sink is reached from here. */
  readonly deadEnds: readonly string[]
  /** Nodes whose failures no error or dead-letter edge takes. */
  readonly unhandledErrors: readonly string[]
  /** Nodes with three edges or more, those with most first. */
  readonly hubs: readonly Hub[]
}

/** What `structure` looks with. */
export interface StructureOptions extends EdgeFilter {
  /** Most cycles that are listed. Default: 1,000. */
  readonly maxCycles?: number
}

/** All structural facts at once. Cost: linear in nodes and edges, but for the cycles (see `cycles`). */
export function structure(graph: GraphData, options: StructureOptions = {}): Structure {
  const found = resolved(graph, options)
  const parts = components(found)
  const { cycles: list, incomplete } = cycles(graph, options)
  return {
    sources: idsOfKind(graph, 'source'),
    sinks: idsOfKind(graph, 'sink'),
    order: orderOf(found),
    cycles: list,
    incomplete,
    loops: parts.members
      .filter((_, index) => parts.isLoop(index))
      .map((members) => members.map((node) => found.id(node))),
    orphans: orphans(graph, options),
    deadEnds: deadEnds(graph, options),
    unhandledErrors: unhandledErrors(graph),
    hubs: hubs(graph, options),
  }
}

/** Ids in an order in which every edge leads forward; of several such orders always the same one. `undefined` on a cycle. */
export function topologicalOrder(graph: GraphData, filter: EdgeFilter = {}): readonly string[] | undefined {
  return orderOf(resolved(graph, filter))
}

function orderOf(graph: ResolvedGraph): readonly string[] | undefined {
  const missing = graph.nodes.map((_, node) => graph.in(node).length)
  const order = graph.nodes.flatMap((_, node) => (missing[node] === 0 ? [node] : []))
  for (const node of order) {
    for (const edge of graph.out(node)) {
      const next = graph.to(edge)
      if (--missing[next]! === 0) order.push(next)
    }
  }
  return order.length < graph.nodes.length ? undefined : order.map((node) => graph.id(node))
}

/**
 * Every elementary cycle, parallel edges apart, and whether some were left out. There may be exponentially many: at most
 * `maxCycles` are listed. Cost: O((nodes + edges) × (cycles listed + 1)).
 */
export function cycles(
  graph: GraphData,
  { maxCycles = 1_000, ...filter }: StructureOptions = {},
): { readonly cycles: readonly Cycle[]; readonly incomplete: boolean } {
  const found = resolved(graph, filter)
  const list = elementaryCycles(found, maxCycles)
  const shares = edgeShares(graph)
  return { cycles: list.cycles.map((edges) => describeCycle(found, shares, edges)), incomplete: list.incomplete }
}

/** Indices of the edges that lie on any cycle. Linear. */
export function loopEdges(graph: GraphData, filter: EdgeFilter = {}): ReadonlySet<number> {
  const found = resolved(graph, filter)
  const parts = components(found)
  return new Set(found.edges.filter((edge) => parts.of(found.from(edge)) === parts.of(found.to(edge))))
}

/** Nodes that no source reaches: all of them where there is no source. */
export function orphans(graph: GraphData, filter: EdgeFilter = {}): readonly string[] {
  const found = resolved(graph, filter)
  return unseen(found, walk(found, numbersOfKind(graph, 'source'), 'down'))
}

/** Nodes from which no sink is reached: all of them where there is no sink. */
export function deadEnds(graph: GraphData, filter: EdgeFilter = {}): readonly string[] {
  const found = resolved(graph, filter)
  return unseen(found, walk(found, numbersOfKind(graph, 'sink'), 'up'))
}

/** What lies above a node: all nodes whose records may come to it, and the sources among them. Not the node itself, unless it is on a cycle. @throws NODE_UNKNOWN */
export function lineage(
  graph: GraphData,
  node: string,
  filter: EdgeFilter = {},
): { readonly nodes: readonly string[]; readonly sources: readonly string[] } {
  const nodes = beyond(graph, node, 'up', filter)
  return { nodes: nodes.map(({ id }) => id), sources: idsOf(nodes, 'source') }
}

/** What lies below a node: all nodes that its records may come to, and the sinks among them. @throws NODE_UNKNOWN */
export function impact(
  graph: GraphData,
  node: string,
  filter: EdgeFilter = {},
): { readonly nodes: readonly string[]; readonly sinks: readonly string[] } {
  const nodes = beyond(graph, node, 'down', filter)
  return { nodes: nodes.map(({ id }) => id), sinks: idsOf(nodes, 'sink') }
}

/** Ids reached from the given ones, these included, in the order of `graph.nodes`. @throws NODE_UNKNOWN */
export function reachable(graph: GraphData, from: readonly string[], filter: EdgeFilter = {}): readonly string[] {
  const found = resolved(graph, filter)
  const start = from.map((id) => known(found, id))
  const seen = walk(found, start, 'down')
  return graph.nodes.filter((_, node) => seen.has(node)).map(({ id }) => id)
}

/**
 * Nodes that may fail (transforms, sinks, and conditionals with a `route`) and have no error or dead-letter edge. Nodes that
 * only failures come to are left out: where a failure's own handling fails, the record is failed to its source.
 */
export function unhandledErrors(graph: GraphData): readonly string[] {
  const all = resolved(graph)
  const healthy = resolved(graph, { paths: ['normal', 'retry'] })
  const onHealthyPath = walk(healthy, numbersOfKind(graph, 'source'), 'down')
  return graph.nodes.flatMap((node, number) => {
    const mayFail = node.kind === 'transform' || node.kind === 'sink' || node.route !== undefined
    const handled = all.out(number).some((edge) => isFailurePath(all.edge(edge).pathType))
    return mayFail && !handled && onHealthyPath.has(number) ? [node.id] : []
  })
}

/** Nodes with at least `threshold` edges, those with most first; among equals in the order of `graph.nodes`. */
export function hubs(
  graph: GraphData,
  { threshold = 3, ...filter }: EdgeFilter & { threshold?: number } = {},
): readonly Hub[] {
  const found = resolved(graph, filter)
  return graph.nodes
    .map(({ id }, node) => ({ node: id, in: found.in(node).length, out: found.out(node).length }))
    .filter((hub) => hub.in + hub.out >= threshold)
    .sort((a, b) => b.in + b.out - (a.in + a.out))
}

/** Numbers of all nodes that are reached from `start` along (down) or against (up) the edges, `start` included. */
export function walk(graph: ResolvedGraph, start: readonly number[], direction: 'up' | 'down'): ReadonlySet<number> {
  const seen = new Set(start)
  // A set may grow while it is walked: what is added is visited too.
  for (const node of seen) {
    for (const edge of direction === 'down' ? graph.out(node) : graph.in(node)) {
      seen.add(direction === 'down' ? graph.to(edge) : graph.from(edge))
    }
  }
  return seen
}

function beyond(graph: GraphData, id: string, direction: 'up' | 'down', filter: EdgeFilter): GraphData['nodes'] {
  const found = resolved(graph, filter)
  const node = known(found, id)
  const next =
    direction === 'down'
      ? found.out(node).map((edge) => found.to(edge))
      : found.in(node).map((edge) => found.from(edge))
  const seen = walk(found, next, direction)
  return graph.nodes.filter((_, number) => seen.has(number))
}

/** The number of an id. @throws NODE_UNKNOWN */
export function known(graph: ResolvedGraph, id: string): number {
  const node = graph.number(id)
  if (node === -1)
    throw unknownNode(
      id,
      graph.nodes.map((each) => each.id),
    )
  return node
}

/** Failures take it. */
export function isFailurePath(path: string | undefined): boolean {
  return path === 'error' || path === 'dead_letter'
}

function numbersOfKind(graph: GraphData, kind: NodeKind): number[] {
  return graph.nodes.flatMap((node, number) => (node.kind === kind ? [number] : []))
}

function idsOfKind(graph: GraphData, kind: NodeKind): string[] {
  return idsOf(graph.nodes, kind)
}

function idsOf(nodes: GraphData['nodes'], kind: NodeKind): string[] {
  return nodes.filter((node) => node.kind === kind).map(({ id }) => id)
}

function unseen(graph: ResolvedGraph, seen: ReadonlySet<number>): string[] {
  return graph.nodes.flatMap((node, number) => (seen.has(number) ? [] : [node.id]))
}
