import { resolved } from '../../analysis/resolved.ts'
import { known, walk } from '../../analysis/structure.ts'
import { MillraceError } from '../../errors.ts'
import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData, GraphEdge, GraphNode } from '../../graph/types.ts'
import { usedClusters, without } from './bridges.ts'
import { MEMBERS, membersOf } from './members.ts'

/** A part of a graph, or the graph seen from farther away: again a graph. The graph itself stays as it is. */
export type View = (graph: GraphData) => GraphData

/** How far a focus reaches, and which way. */
export interface FocusOptions {
  /** Edges to go from the node, or Infinity. Default: 1. */
  readonly radius?: number
  readonly direction?: 'up' | 'down' | 'both'
}

/** A node and its neighbours. @throws NODE_UNKNOWN, VIEW_INVALID */
export function focus(node: string, { radius = 1, direction = 'both' }: FocusOptions = {}): View {
  return (graph) => {
    const found = resolved(graph)
    return induced(graph, around(found, [known(found, node)], radius, direction))
  }
}

/** All nodes on a way from one node to another, and, with a radius, their neighbours. @throws NODE_UNKNOWN, VIEW_INVALID */
export function focusBetween(from: string, to: string, { radius = 0 }: { readonly radius?: number } = {}): View {
  return (graph) => {
    const found = resolved(graph)
    const below = walk(found, [known(found, from)], 'down')
    const above = walk(found, [known(found, to)], 'up')
    const between = [...below].filter((node) => above.has(node))
    return induced(graph, around(found, between, radius, 'both'))
  }
}

/** The nodes that are wanted, joined by bridging edges where others lay between them. */
export function filter(wanted: (node: GraphNode) => boolean): View {
  return (graph) => {
    const keep = graph.nodes.map(wanted)
    return without(graph, (node) => keep[node] === false)
  }
}

/** Level 0: sources and sinks. Level 1: transforms too. Level 2: all. What lies between is bridged. @throws VIEW_INVALID */
export function zoom(level: number): View {
  if (![0, 1, 2].includes(level)) throw new MillraceError('VIEW_INVALID', { zoom: level })
  return filter(({ kind }) => {
    return level === 2 || kind === 'source' || kind === 'sink' || (level === 1 && kind === 'transform')
  })
}

/** How a collapsed group is drawn. */
export interface CollapseOptions {
  /** Id of the node that takes the place of the others. Default: the cluster's. */
  readonly id?: string
  readonly label?: string
}

/**
 * One node in place of several: of a cluster and all in it, or of the nodes that are wanted (which need an `id`). Edges to
 * and from the others stay as they are, parallel ones too; edges among them go. @throws VIEW_INVALID
 */
export function collapse(what: string | ((node: GraphNode) => boolean), options: CollapseOptions = {}): View {
  return (graph) => {
    const inside = typeof what === 'string' ? inCluster(graph, what) : what
    const members = graph.nodes.filter(inside)
    const own = graph.clusters.find(({ id }) => id === what)
    const id = options.id ?? (typeof what === 'string' ? what : undefined)
    const first = members[0]
    if (first === undefined || id === undefined) {
      throw new MillraceError('VIEW_INVALID', { collapse: typeof what === 'string' ? what : 'nodes', id })
    }
    const ids = new Set(members.map((node) => node.id))
    if (graph.nodes.some((node) => node.id === id && !ids.has(id)))
      throw new MillraceError('VIEW_INVALID', { id, taken: true })
    const node = collapsed(members, { id, label: options.label ?? own?.label, cluster: own?.parent })
    const nodes = graph.nodes.flatMap((each) => (each === first ? [node] : ids.has(each.id) ? [] : [each]))
    const edges = graph.edges.flatMap((edge) => redirected(edge, ids, id))
    return { name: graph.name, module: graph.module, nodes, edges, clusters: usedClusters(graph, nodes) }
  }
}

function collapsed(
  members: readonly GraphNode[],
  { id, label, cluster }: { id: string; label: string | undefined; cluster: string | undefined },
): GraphNode {
  const kinds = new Set(members.map(({ kind }) => kind))
  const [only] = kinds
  const rates = members.flatMap(({ rate }) => rate ?? [])
  const kind = kinds.size === 1 && only !== undefined ? only : 'transform'
  return Object.freeze({
    id,
    kind,
    label: label ?? id,
    description: members.map((node) => node.label ?? node.id).join(', '),
    ...(cluster === undefined ? {} : { cluster }),
    ...(kind === 'source' && rates.length > 0 ? { rate: rates.reduce((sum, rate) => sum + rate) } : {}),
    [MEMBERS]: members.flatMap(membersOf),
  })
}

function redirected(edge: GraphEdge, ids: ReadonlySet<string>, id: string): readonly GraphEdge[] {
  const [fromInside, toInside] = [ids.has(edge.from), ids.has(edge.to)]
  if (fromInside && toInside) return []
  if (!fromInside && !toInside) return [edge]
  return [Object.freeze({ ...edge, from: fromInside ? id : edge.from, to: toInside ? id : edge.to })]
}

/** Whether a node lies in a cluster, or in one that lies in it. */
function inCluster({ clusters }: GraphData, id: string): (node: GraphNode) => boolean {
  const inside = new Set([id])
  for (const outer of inside) for (const { id: inner, parent } of clusters) if (parent === outer) inside.add(inner)
  return ({ cluster }) => cluster !== undefined && inside.has(cluster)
}

function around(
  graph: ResolvedGraph,
  start: readonly number[],
  radius: number,
  direction: 'up' | 'down' | 'both',
): ReadonlySet<number> {
  if ((!Number.isInteger(radius) && radius !== Infinity) || radius < 0)
    throw new MillraceError('VIEW_INVALID', { radius })
  const seen = new Set(start)
  let rim = [...seen]
  for (let step = 0; step < radius && rim.length > 0; step++) {
    const next = rim.flatMap((node) => [
      ...(direction === 'up' ? [] : graph.out(node).map((edge) => graph.to(edge))),
      ...(direction === 'down' ? [] : graph.in(node).map((edge) => graph.from(edge))),
    ])
    rim = [...new Set(next)].filter((node) => !seen.has(node))
    for (const node of rim) seen.add(node)
  }
  return seen
}

/** The nodes and all edges among them. */
function induced(graph: GraphData, keep: ReadonlySet<number>): GraphData {
  const nodes = graph.nodes.filter((_, node) => keep.has(node))
  const ids = new Set(nodes.map(({ id }) => id))
  const edges = graph.edges.filter(({ from, to }) => ids.has(from) && ids.has(to))
  return { name: graph.name, module: graph.module, nodes, edges, clusters: usedClusters(graph, nodes) }
}
