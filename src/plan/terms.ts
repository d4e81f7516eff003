import { resolveEdge } from '../graph/resolve.ts'
import type { GraphData } from '../graph/types.ts'

/**
 * What goes over a link as text, for its lanes to be signed with: the edges of its path, and of each the branch, the path
 * type, the type of data and the codec with its fields in order. A link of injected records has no edges.
 */
export function termsOf({ edges }: GraphData, path: readonly number[]): string {
  const terms = path.map((index) => {
    const edge = edges[index]
    if (edge === undefined) return 'no edge'
    const { from, to, when, pathType, dataType } = edge
    const { codec } = resolveEdge(edge)
    return `${JSON.stringify(from)} -> ${JSON.stringify(to)} ${JSON.stringify({ when, pathType, dataType, codec })}`
  })
  return terms.join('; ')
}
