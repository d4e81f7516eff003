import type { GraphData, GraphEdge, GraphNode, WhenFull } from '../graph/types.ts'

/** A graph with its edges by node, as the plan walks it. */
export interface Network {
  readonly graph: GraphData
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly out: ReadonlyMap<string, readonly number[]>
  /** Ids of the nodes that run in the workers of the node before them. */
  readonly fused: ReadonlySet<string>
}

export function networkOf(graph: GraphData): Network {
  const out = new Map<string, number[]>(graph.nodes.map(({ id }) => [id, []]))
  graph.edges.forEach((edge, index) => out.get(edge.from)!.push(index))
  return {
    graph,
    nodes: new Map(graph.nodes.map((node) => [node.id, node])),
    out,
    fused: new Set(graph.edges.filter(({ fuse }) => fuse === true).map(({ to }) => to)),
  }
}

export function edgesOut(network: Network, node: string): readonly number[] {
  return network.out.get(node) ?? []
}

export function edgeAt({ graph }: Network, index: number): GraphEdge {
  return graph.edges[index]!
}

export function nodeAt({ nodes }: Network, id: string): GraphNode {
  return nodes.get(id)!
}

export function isStage({ nodes, fused }: Network, id: string): boolean {
  const { kind } = nodes.get(id)!
  return (kind === 'source' || kind === 'transform' || kind === 'sink') && !fused.has(id)
}

/** A path from a node that decides where records go to the next one that does: buffers and merges with one edge lie between. */
export interface Path {
  readonly edges: readonly number[]
  readonly to: string
  /** Records that the buffers on the path hold together; undefined where there are none. */
  readonly capacity: number | undefined
  readonly whenFull: WhenFull
}

export function follow(network: Network, edge: number, defaultCapacity: number): Path {
  const edges = [edge]
  let to = edgeAt(network, edge).to
  let capacity: number | undefined
  let whenFull: WhenFull = 'block'
  for (;;) {
    const node = nodeAt(network, to)
    if (node.kind === 'buffer') {
      capacity = (capacity ?? 0) + (node.capacity ?? defaultCapacity)
      if (whenFull === 'block') whenFull = node.whenFull ?? 'block'
    }
    const next = edgesOut(network, to)
    if ((node.kind !== 'buffer' && node.kind !== 'merge') || next.length !== 1) return { edges, to, capacity, whenFull }
    edges.push(next[0]!)
    to = edgeAt(network, next[0]!).to
  }
}
