import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'

/** The edge joins two stages in the workers of the first. What cannot be fused is a problem, and counts as it is not. */
export function isFused(graph: ResolvedGraph, edge: number): boolean {
  const [from, to] = [graph.from(edge), graph.to(edge)]
  if (!graph.edge(edge).fuse || from === -1 || to === -1 || from === to) return false
  return isStage(graph.node(from).kind) && isStage(graph.node(to).kind) && graph.in(to).length === 1
}

/** The stage in whose workers a node runs: itself, but for what is fused to the stage before it. */
export function fusedStageOf(graph: ResolvedGraph, node: number): number {
  let head = node
  for (const seen = new Set<number>(); !seen.has(head);) {
    seen.add(head)
    const fused = graph.in(head).find((edge) => isFused(graph, edge))
    if (fused === undefined) break
    head = graph.from(fused)
  }
  return head
}

/**
 * How many workers get each record that goes over an edge: all of a stage whose records go to all, with `selector` at most. The
 * copies are made by the writer, so they count on its own edge, before the buffers and merges on the way to that stage.
 */
export function copiesOf(graph: ResolvedGraph, edge: number): number {
  if (passesOn(graph, graph.from(edge))) return 1
  let to = graph.to(edge)
  for (const seen = new Set<number>(); passesOn(graph, to) && !seen.has(to);) {
    seen.add(to)
    to = graph.to(graph.out(to)[0]!)
  }
  if (to === -1) return 1
  const node = graph.node(to)
  return isStage(node.kind) && node.kind !== 'source' && node.dispatch === 'broadcast' ? node.workers : 1
}

/** A buffer or merge on the way of one lane: it has one edge, and decides nothing. */
function passesOn(graph: ResolvedGraph, node: number): boolean {
  if (node === -1) return false
  const { kind } = graph.node(node)
  return (kind === 'buffer' || kind === 'merge') && graph.out(node).length === 1
}
