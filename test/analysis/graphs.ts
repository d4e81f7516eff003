/** Graphs for tests: short ways to write them, and random ones for properties. */
import fc from 'fast-check'
import type { GraphData, GraphEdge, GraphNode, NodeKind, PathType } from 'millrace'

/** A graph from `kind id` texts and `from > to` texts; options follow in an object. */
export function graphOf(
  nodes: readonly (GraphNode | string)[],
  edges: readonly (GraphEdge | string)[],
  clusters: GraphData['clusters'] = [],
): GraphData {
  return { name: 'test', nodes: nodes.map(nodeOf), edges: edges.map(edgeOf), clusters }
}

function nodeOf(node: GraphNode | string): GraphNode {
  if (typeof node !== 'string') return node
  const [kind = '', id = ''] = node.split(' ')
  return { kind: kind as NodeKind, id }
}

function edgeOf(edge: GraphEdge | string): GraphEdge {
  if (typeof edge !== 'string') return edge
  const [from = '', to = ''] = edge.split(' > ')
  return { from, to }
}

/** Small directed graphs as edge lists over `size` nodes, with cycles, self-loops and parallel edges. */
export const digraphs = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 18 }),
  }),
)

/** A graph of transforms over such an edge list. */
export function transforms(
  size: number,
  edges: readonly (readonly [number, number])[],
  pathType?: PathType,
): GraphData {
  return {
    name: 'random',
    nodes: Array.from({ length: size }, (_, index) => ({ id: `n${index}`, kind: 'transform' as const })),
    edges: edges.map(([from, to]) => ({
      from: `n${from}`,
      to: `n${to}`,
      ...(pathType === undefined ? {} : { pathType }),
    })),
    clusters: [],
  }
}
