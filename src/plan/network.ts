import { isStage, type ResolvedEdge, type ResolvedGraph, type ResolvedNode, resolveGraph } from '../graph/resolve.ts'
import type { GraphData, WhenFull } from '../graph/types.ts'

/** A graph without problems, as the plan walks it: by ids, which its plain data names. */
export interface Network {
  readonly given: GraphData
  readonly graph: ResolvedGraph
  /** Ids of the nodes that run in the workers of the node before them. */
  readonly fused: ReadonlySet<string>
}

export function networkOf(given: GraphData): Network {
  const graph = resolveGraph(given)
  return { given, graph, fused: new Set(graph.allEdges.filter(({ fuse }) => fuse).map(({ to }) => to)) }
}

export function edgesOut({ graph }: Network, node: string): readonly number[] {
  return graph.out(graph.number(node))
}

export function edgeAt({ graph }: Network, index: number): ResolvedEdge {
  return graph.edge(index)
}

export function nodeAt({ graph }: Network, id: string): ResolvedNode {
  return graph.node(graph.number(id))
}

/** Whether a node has workers of its own: a stage that is not fused. */
export function hasWorkers(network: Network, id: string): boolean {
  return isStage(nodeAt(network, id).kind) && !network.fused.has(id)
}

/** A path from a node that decides where records go to the next one that does: buffers and merges with one edge lie between. */
export interface NetworkPath {
  readonly edges: readonly number[]
  readonly to: string
  /** Records that the buffers on the path hold together; undefined where there are none. */
  readonly capacity: number | undefined
  readonly whenFull: WhenFull
  /** Edge into the buffer whose policy that is, if it drops. */
  readonly dropEdge: number | undefined
}

export function pathFrom(network: Network, edge: number): NetworkPath {
  const edges = [edge]
  let to = edgeAt(network, edge).to
  let capacity: number | undefined
  let whenFull: WhenFull = 'block'
  let dropEdge: number | undefined
  for (;;) {
    const node = nodeAt(network, to)
    if (node.kind === 'buffer') {
      capacity = (capacity ?? 0) + node.capacity
      if (whenFull === 'block' && node.whenFull !== 'block') {
        whenFull = node.whenFull
        dropEdge = edges.at(-1)
      }
    }
    const next = edgesOut(network, to)
    if ((node.kind !== 'buffer' && node.kind !== 'merge') || next.length !== 1)
      return { edges, to, capacity, whenFull, dropEdge }
    edges.push(next[0]!)
    to = edgeAt(network, next[0]!).to
  }
}
