import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData, GraphEdge, GraphNode } from '../../graph/types.ts'
import { DEFAULT_MAX_DEMAND } from '../loops/lanes.ts'
import { resolved } from '../resolved.ts'

/** A graph with a buffer wherever records can wait: its own buffers, and one for every lane that has none. */
export interface QueueGraph {
  readonly graph: GraphData
  /** Node numbers of the buffers, with what they hold, and the workers that write to them. */
  readonly queues: ReadonlyMap<number, Queue>
}

export interface Queue {
  /** Records. */
  readonly capacity: number
  readonly writers: number
  /** What does not fit is dropped. */
  readonly drops: boolean
}

/** Nodes and edges of the graph keep their numbers; what is added comes after them. */
export function queueGraph(graph: GraphData, maxDemand: number = DEFAULT_MAX_DEMAND): QueueGraph {
  const found = resolved(graph)
  const nodes: GraphNode[] = [...graph.nodes]
  const edges: GraphEdge[] = [...graph.edges]
  const queues = new Map<number, Queue>()
  found.nodes.forEach(({ kind, capacity, whenFull }, node) => {
    if (kind !== 'buffer') return
    queues.set(node, { capacity, writers: writersTo(found, node).workers, drops: whenFull !== 'block' })
  })
  for (const edge of found.edges) {
    const [from, to] = [found.from(edge), found.to(edge)]
    const before = writersTo(found, from, edge)
    if (!isStage(found.node(to).kind) || before.isBuffered || found.edge(edge).fuse) continue
    const id = `lane ${edge}\u0000`
    const perRing = found.edge(edge).maxDemand ?? maxDemand
    queues.set(nodes.length, {
      capacity: perRing * before.workers * found.node(to).workers,
      writers: before.workers,
      drops: false,
    })
    nodes.push({ id, kind: 'buffer' })
    edges[edge] = { ...graph.edges[edge]!, to: id }
    edges.push({ from: id, to: found.id(to) })
  }
  return { graph: { name: graph.name, nodes, edges, clusters: [] }, queues }
}

/** The workers that write what leaves a node, and whether a buffer lies between: up through nodes without threads. */
function writersTo(graph: ResolvedGraph, node: number, edge?: number): { workers: number; isBuffered: boolean } {
  if (edge !== undefined && isStage(graph.node(node).kind))
    return { workers: graph.node(node).workers, isBuffered: false }
  let workers = 0
  let isBuffered = edge !== undefined && graph.node(node).kind === 'buffer'
  const seen = new Set([node])
  for (const each of seen) {
    for (const into of graph.in(each)) {
      const from = graph.from(into)
      if (isStage(graph.node(from).kind)) workers += graph.node(from).workers
      else {
        if (graph.node(from).kind === 'buffer') isBuffered = true
        seen.add(from)
      }
    }
  }
  return { workers: Math.max(1, workers), isBuffered }
}
