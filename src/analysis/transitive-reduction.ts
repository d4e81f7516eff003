import type { ResolvedGraph } from '../graph/resolve.ts'
import { PATH_TYPES, type GraphData, type PathType } from '../graph/types.ts'
import { components, type Components } from './components.ts'
import { resolved } from './resolved.ts'
import type { EdgeFilter } from './types.ts'

/** The edges that say what leads where, and those that say nothing new. Indices into `graph.edges`, ascending. */
export interface TransitiveReduction {
  readonly kept: readonly number[]
  /** A longer way leads from one end to the other anyway. Its records are its own all the same. */
  readonly implied: readonly number[]
}

/**
 * Parts the edges into those that a longer way implies and those that are left. Each path type by itself: a way implies an edge
 * only where all of it is of that edge's type. Parallel edges are kept, or implied, together. Of a cycle every edge is kept, and
 * an edge between a cycle and what lies outside is implied only by a way through something else.
 * Cost: O(nodes × edges) at worst, linear where few nodes have several edges.
 */
export function transitiveReduction(graph: GraphData, { paths = PATH_TYPES }: EdgeFilter = {}): TransitiveReduction {
  const implied = new Set(PATH_TYPES.filter((type) => paths.includes(type)).flatMap((type) => impliedOf(graph, type)))
  const { edges } = resolved(graph, { paths })
  return { kept: edges.filter((edge) => !implied.has(edge)), implied: edges.filter((edge) => implied.has(edge)) }
}

function impliedOf(graph: GraphData, type: PathType): readonly number[] {
  const found = resolved(graph, { paths: [type] })
  const parts = components(found)
  const next = successors(found, parts)
  const by = new Int32Array(parts.count).fill(-1)
  return parts.members.flatMap((members, part) => {
    const direct = next[part]!
    if (direct.length < 2) return []
    // Ascending is topological, so what a way to one of them leads through comes before it.
    for (const each of direct) if (by[each] !== part) markBehind(each, direct.at(-1)!)
    return members.flatMap((node) => found.out(node).filter((edge) => by[parts.of(found.to(edge))] === part))

    function markBehind(start: number, last: number): void {
      const open = [start]
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        for (const each of next[at]!) {
          if (each > last) break
          if (by[each] === part) continue
          by[each] = part
          open.push(each)
        }
      }
    }
  })
}

/** By component, the others that an edge leads to, ascending. */
function successors(graph: ResolvedGraph, parts: Components): readonly (readonly number[])[] {
  return parts.members.map((members, part) => {
    const to = new Set(members.flatMap((node) => graph.out(node).map((edge) => parts.of(graph.to(edge)))))
    to.delete(part)
    return [...to].sort((a, b) => a - b)
  })
}
