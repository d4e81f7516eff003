import { resolved } from '../analysis/resolved.ts'
import { known } from '../analysis/structure.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData, GraphEdge, GraphNode } from '../graph/types.ts'
import { HIGHLIGHTED, isHighlighted, membersOf } from './views/members.ts'

/** What is to be seen at once: a `Path` is one. */
export interface Highlight {
  /** Ids of nodes. */
  readonly nodes?: readonly string[]
  /** Indices into `graph.edges`. */
  readonly edges?: readonly number[]
}

/** How one line is drawn: the outline of a node, or an edge. */
export interface Stroke {
  readonly color: string
  /** In points. */
  readonly width: number
}

/**
 * No kind, path type or heat has this colour, and its contrast is 3 or more on light pages and on dark ones (what WCAG 2 asks of
 * lines): a page may be dark, with clusters that are light.
 */
const COLOR = '#d01fd0'
/** What a highlighted line is wider than it would be, in points. */
const WIDER = 2.5

/** The lines of what is highlighted, made once for a picture. Others stay as they are. */
export interface Highlighter {
  node(node: GraphNode, stroke: Stroke): Stroke
  edge(edge: GraphEdge, stroke: Stroke): Stroke
}

/** Only lines change: a node keeps its fill, an edge its dashes. */
export function highlighter({ nodes = [] }: Highlight): Highlighter {
  const ids = new Set(nodes)
  return {
    node: (node, stroke) => (membersOf(node).some((id) => ids.has(id)) ? strong(stroke) : stroke),
    edge: (edge, stroke) => (isHighlighted(edge) ? strong(stroke) : stroke),
  }
}

function strong({ width }: Stroke): Stroke {
  return { color: COLOR, width: width + WIDER }
}

/** The graph with its highlighted edges marked, so that views carry the marks on. @throws NODE_UNKNOWN, EDGE_UNKNOWN */
export function withMarks(graph: GraphData, { nodes = [], edges = [] }: Highlight): GraphData {
  const found = resolved(graph)
  for (const node of nodes) known(found, node)
  for (const edge of edges) if (graph.edges[edge] === undefined) throw new MillraceError('EDGE_UNKNOWN', { edge })
  if (edges.length === 0) return graph
  const marked = new Set(edges)
  const mark = (edge: GraphEdge, index: number): GraphEdge =>
    marked.has(index) ? Object.assign({ ...edge }, { [HIGHLIGHTED]: true }) : edge
  return { name: graph.name, nodes: graph.nodes, clusters: graph.clusters, edges: graph.edges.map(mark) }
}
