/** Ids of the nodes that a collapsed node stands for. A symbol, so that no option is named like it. */
export const MEMBERS = Symbol('millrace.members')
/** The nodes that a node of a view stands for: itself, unless it was collapsed. */
export function membersOf(node) {
  const members = Reflect.get(node, MEMBERS)
  return Array.isArray(members) ? members : [node.id]
}
