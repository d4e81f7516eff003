/** The one edge of these that carries records, where there is exactly one. */
export function onlyEdge(edges: readonly number[], gain: (edge: number) => number): number | undefined {
  let only: number | undefined
  for (const edge of edges) {
    if (gain(edge) === 0) continue
    if (only !== undefined) return undefined
    only = edge
  }
  return only
}
