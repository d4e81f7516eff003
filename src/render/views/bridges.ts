import { components } from '../../analysis/components.ts'
import { sharesOf } from '../../analysis/flow/shares.ts'
import { resolved } from '../../analysis/resolved.ts'
import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData, GraphEdge, PathType } from '../../graph/types.ts'
import { HIGHLIGHTED, isHighlighted } from './members.ts'

/**
 * The graph without some nodes. Where a removed node joined two that stay, a bridging edge takes its place: it has the path
 * type of the way (the first on it that is not normal), the branch and ratio of its first edge, the weight and the time of
 * all that it stands for, what its last edge carries, and its share of the rates. It is highlighted where both of its ends are.
 */
export function without(graph: GraphData, removed: (node: number) => boolean): GraphData {
  const found = resolved(graph)
  const walk = waysThrough(found, removed)
  const edges = found.edges.flatMap((edge) => {
    if (removed(found.from(edge))) return []
    return removed(found.to(edge)) ? walk(edge) : [{ edge: found.given.edges[edge]!, key: '' }]
  })
  const nodes = graph.nodes.filter((_, node) => !removed(node))
  return { name: graph.name, module: graph.module, nodes, edges: merged(edges), clusters: usedClusters(graph, nodes) }
}

interface Bridge {
  readonly edge: GraphEdge
  /** Bridges with the same key are one; edges of the graph itself have none. */
  readonly key: string
}

/** What arrives at a removed node over one first edge. Several ways to it count together: the slowest, and all their rates. */
interface Arrival {
  weight: number
  share: number
  rate: number | undefined
}

/** For a first edge into removed nodes: the bridges to all that stay behind them. */
function waysThrough(graph: ResolvedGraph, removed: (node: number) => boolean): (first: number) => readonly Bridge[] {
  const gone = graph.nodes.flatMap((_, node) => (removed(node) ? [node] : []))
  const parts = components(graph, gone)
  const shares = sharesOf(graph)
  const passed = (edge: number): Arrival => ({
    weight: graph.edge(edge).weight,
    share: 1,
    rate: graph.edge(edge).rate,
  })
  return (first) => {
    // Sorting is stable: inside a loop the order stays that in which it is walked.
    const order = behind(graph, graph.to(first), removed).sort((a, b) => parts.of(a) - parts.of(b))
    const place = new Map(order.map((node, index) => [node, index]))
    const arrivals = new Map<string, Arrival>([[`${graph.to(first)} ${graph.edge(first).pathType}`, passed(first)]])
    const bridges: Bridge[] = []
    for (const node of order) {
      for (const path of ['normal', 'error', 'retry', 'dead_letter'] as const) {
        const arrival = arrivals.get(`${node} ${path}`)
        if (arrival === undefined) continue
        for (const edge of graph.out(node)) {
          const onward = onwardOf(graph, arrival, { node, edge, gain: shares[edge]?.gain ?? 0 })
          const way: PathType = path === 'normal' ? graph.edge(edge).pathType : path
          const to = graph.to(edge)
          if (!removed(to)) bridges.push(bridgeOf(graph, { first, last: edge, path: way, arrival: onward }))
          // Turns inside a removed loop add nothing to the way through it.
          else if ((place.get(to) ?? 0) > (place.get(node) ?? 0)) {
            join(arrivals, `${to} ${way}`, onward)
          }
        }
      }
    }
    return bridges
  }
}

function onwardOf(
  graph: ResolvedGraph,
  { weight, share, rate }: Arrival,
  { node, edge, gain }: { node: number; edge: number; gain: number },
): Arrival {
  const { latencyMs = 0 } = graph.node(node)
  const into = sumOf(graph.in(node).map((each) => graph.edge(each).rate))
  const out = graph.edge(edge).rate
  const factor = into === undefined || out === undefined || into === 0 ? gain : out / into
  // Of a way whose first edge says no rate, a later one may: where nothing else comes to the node.
  const said = graph.in(node).length === 1 ? out : undefined
  return {
    weight: weight + latencyMs + graph.edge(edge).weight,
    share: share * gain,
    rate: rate === undefined ? said : rate * factor,
  }
}

function join(arrivals: Map<string, Arrival>, key: string, onward: Arrival): void {
  const before = arrivals.get(key)
  if (before === undefined) arrivals.set(key, { ...onward })
  else {
    before.weight = Math.max(before.weight, onward.weight)
    before.share += onward.share
    before.rate = before.rate === undefined || onward.rate === undefined ? undefined : before.rate + onward.rate
  }
}

function bridgeOf(
  graph: ResolvedGraph,
  { first, last, path, arrival }: { first: number; last: number; path: PathType; arrival: Arrival },
): Bridge {
  const { from, when, ratio } = graph.edge(first)
  const { to, dataType } = graph.edge(last)
  const share = ratio === undefined ? undefined : Math.min(1, ratio * arrival.share)
  const edge: GraphEdge = {
    from,
    to,
    ...(path === 'normal' ? {} : { pathType: path }),
    ...(when === undefined ? {} : { when }),
    ...(dataType === undefined ? {} : { dataType }),
    ...(share === undefined ? {} : { ratio: share }),
    ...(arrival.weight === 0 ? {} : { weight: arrival.weight }),
    ...(arrival.rate === undefined ? {} : { rate: arrival.rate }),
    ...(isHighlighted(graph.edge(first)) && isHighlighted(graph.edge(last)) ? { [HIGHLIGHTED]: true } : {}),
  }
  return { edge, key: JSON.stringify([from, to, path, when, dataType]) }
}

/** Removed nodes that are reached from `start` over removed nodes, `start` included. */
function behind(graph: ResolvedGraph, start: number, removed: (node: number) => boolean): number[] {
  const seen = new Set([start])
  for (const node of seen) {
    for (const edge of graph.out(node)) if (removed(graph.to(edge))) seen.add(graph.to(edge))
  }
  return [...seen]
}

/** Bridges that cannot be told apart become one: the slower weight, both rates and ratios. */
function merged(bridges: readonly Bridge[]): readonly GraphEdge[] {
  const edges: GraphEdge[] = []
  const places = new Map<string, number>()
  for (const { edge, key } of bridges) {
    const place = key === '' ? undefined : places.get(key)
    const before = place === undefined ? undefined : edges[place]
    if (place === undefined || before === undefined) {
      if (key !== '') places.set(key, edges.length)
      edges.push(edge)
      continue
    }
    const rate = sumOf([before.rate, edge.rate])
    const ratio = sumOf([before.ratio, edge.ratio])
    const weight = Math.max(before.weight ?? 0, edge.weight ?? 0)
    const { rate: _rate, ratio: _ratio, weight: _weight, ...rest } = before
    edges[place] = {
      ...rest,
      ...(ratio === undefined ? {} : { ratio: Math.min(1, ratio) }),
      ...(weight === 0 ? {} : { weight }),
      ...(rate === undefined ? {} : { rate }),
      ...(isHighlighted(before) || isHighlighted(edge) ? { [HIGHLIGHTED]: true } : {}),
    }
  }
  return edges.map((edge) => Object.freeze(edge))
}

/** The sum, where all are known. */
function sumOf(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (sum, value) => (sum === undefined || value === undefined ? undefined : sum + value),
    0,
  )
}

/** The clusters that hold any of the nodes, and those that hold these. */
export function usedClusters({ clusters }: GraphData, nodes: GraphData['nodes']): GraphData['clusters'] {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const used = new Set<string>()
  for (const { cluster } of nodes) {
    for (let id = cluster; id !== undefined && !used.has(id); id = parents.get(id)) used.add(id)
  }
  return clusters.filter(({ id }) => used.has(id))
}
