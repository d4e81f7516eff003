import type { GraphEdge, GraphNode } from '../../graph/types.ts'

/** Ids of the nodes that a collapsed node stands for. A symbol, so that no option is named like it. */
export const MEMBERS: unique symbol = Symbol('millrace.members')

/** The nodes that a node of a view stands for: itself, unless it was collapsed. */
export function membersOf(node: GraphNode): readonly string[] {
  const members: unknown = Reflect.get(node, MEMBERS)
  return Array.isArray(members) ? (members as readonly string[]) : [node.id]
}

/** Marks an edge that is to be seen at once. A symbol, so that it goes along wherever a view copies the edge. */
export const HIGHLIGHTED: unique symbol = Symbol('millrace.highlighted')

export function isHighlighted(edge: GraphEdge): boolean {
  return Reflect.get(edge, HIGHLIGHTED) === true
}
