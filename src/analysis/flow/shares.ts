import type { ResolvedEdge, ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData, GraphNode, PathType } from '../../graph/types.ts'
import { isHop } from '../parts.ts'
import { copiesOf } from '../loops/workers.ts'
import { resolved } from '../resolved.ts'

/** How much of a node's records an edge carries, and why. */
export interface EdgeShare {
  /** Records on this edge per record that the node takes (of a source: per record that it makes), copies counted. */
  readonly gain: number
  /** Workers that get each record: all of a stage with `dispatch: broadcast`, if it has no `selector`; else 1. */
  readonly copies: number
  /**
   * `all`: every result takes it (edges without `when` of sources, transforms, sinks, buffers and merges). `branch`: the
   * results of one branch. `failure`: the inputs that a stage gave up, or sends back for another try.
   */
  readonly carries: 'all' | 'branch' | 'failure'
  /** The graph does not say the share; see `docs/analysis.md` for what is assumed. */
  readonly assumed: boolean
}

/** The share of each edge, by index in `graph.edges`; gain 0 for edges to nowhere. Linear. */
export function edgeShares(graph: GraphData): readonly EdgeShare[] {
  return sharesOf(resolved(graph))
}

export function sharesOf(graph: ResolvedGraph): readonly EdgeShare[] {
  const shares: EdgeShare[] = graph.allEdges.map(() => ({ gain: 0, copies: 1, carries: 'all', assumed: true }))
  graph.nodes.forEach((node, number) => {
    const edges = graph.out(number)
    const set = (edge: number, share: number, carries: EdgeShare['carries'], assumed: boolean): void => {
      const copies = copiesOf(graph, edge)
      shares[edge] = { gain: share * copies, copies, carries, assumed }
    }
    const failures = failuresOf(node, edges, graph)
    let failed = 0
    for (const { edges: members, ratio, isTaken } of failures) {
      if (isTaken) failed += ratio ?? 0
      for (const edge of members) set(edge, isTaken ? (ratio ?? 0) : 0, 'failure', isTaken && ratio === undefined)
    }
    const results = Math.max(0, 1 - failed) * (node.kind === 'transform' ? node.selectivity : 1)
    const others = edges.filter((edge) => !isFailureEdge(node, graph.edge(edge)))
    const plain = node.kind === 'conditional' ? [] : others.filter((edge) => graph.edge(edge).when === undefined)
    for (const edge of plain) set(edge, (graph.edge(edge).ratio ?? 1) * results, 'all', false)
    const groups = branchesOf(
      node,
      others.filter((edge) => !plain.includes(edge)),
      graph,
    )
    // A handler's `emit` comes on top of its results, so nothing is known of it unless branches are all there is.
    const toSplit = plain.length === 0 ? results : 0
    const declared = groups.reduce((sum, { ratio }) => sum + (ratio ?? 0), 0)
    const undeclared = groups.filter(({ ratio }) => ratio === undefined).length
    for (const { edges: members, ratio } of groups) {
      const gain = ratio ?? Math.max(0, toSplit - declared) / undeclared
      for (const edge of members) set(edge, gain, 'branch', ratio === undefined)
    }
  })
  return shares
}

/** One branch of a node: the edges that its records take, all of them, and the declared share. */
export interface Branch {
  readonly edges: readonly number[]
  readonly ratio: number | undefined
}

/**
 * Groups edges by their branch. An edge of a conditional without `when` is taken by no record; but where none of its edges has
 * a `when`, the graph is a drawing, and each edge counts as a branch of its own.
 */
export function branchesOf(node: GraphNode, edges: readonly number[], graph: ResolvedGraph): readonly Branch[] {
  const unnamed = node.kind === 'conditional' && edges.every((edge) => graph.edge(edge).when === undefined)
  const groups = new Map<string | number, number[]>()
  for (const edge of edges) {
    const key = unnamed ? edge : graph.edge(edge).when
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [edge])
    else group.push(edge)
  }
  return [...groups.values()].map((members) => ({
    edges: members,
    ratio: members.map((edge) => graph.edge(edge).ratio).find((ratio) => ratio !== undefined),
  }))
}

/** What a node fails with goes to all edges of one path. */
export interface FailurePath extends Branch {
  readonly path: PathType
  /** A record that is given up goes to the error edges, and to dead-letter edges only without them; conditionals try nothing again. */
  readonly isTaken: boolean
}

export function failuresOf(node: GraphNode, edges: readonly number[], graph: ResolvedGraph): readonly FailurePath[] {
  const failures = edges.filter((edge) => isFailureEdge(node, graph.edge(edge)))
  if (failures.length === 0) return []
  const of = (path: PathType): readonly number[] => failures.filter((edge) => graph.edge(edge).pathType === path)
  const hasErrorEdge = of('error').length > 0
  return (['error', 'dead_letter', 'retry'] as const).flatMap((path) => {
    const members = of(path)
    const ratios = members.flatMap((edge) => graph.edge(edge).ratio ?? [])
    const ratio = ratios.length === 0 ? undefined : Math.max(...ratios)
    return members.length === 0
      ? []
      : [
          {
            path,
            edges: members,
            ratio,
            isTaken: path === 'retry' ? node.kind !== 'conditional' : path === 'error' || !hasErrorEdge,
          },
        ]
  })
}

/** An edge that takes what a node gave up or sends back, not what it made. Buffers and merges pass everything on. */
export function isFailureEdge(
  node: Pick<GraphNode, 'kind' | 'via'>,
  edge: Pick<ResolvedEdge, 'when' | 'pathType'>,
): boolean {
  // Messages of a broker may be no records.
  if (isHop(node)) return edge.pathType === 'dead_letter'
  const mayFail = node.kind !== 'buffer' && node.kind !== 'merge'
  return mayFail && edge.when === undefined && edge.pathType !== 'normal'
}
