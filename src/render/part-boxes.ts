import { isHop, graphParts } from '../analysis/parts.ts'
import type { GraphData } from '../graph/types.ts'

/**
 * The graph with a box round each part: what lies between buffers with `via`. A part that has a cluster for itself has its box; one that
 * shares a cluster with another part gets none, for boxes do not cross.
 */
export function withPartBoxes(graph: GraphData): GraphData {
  if (!graph.nodes.some(isHop)) return graph
  const parts = graphParts(graph)
  if (parts.length < 2) return graph
  const outermost = outermostIn(graph)
  const partOf = new Map(parts.flatMap(({ name, nodes }) => nodes.map((id) => [id, name] as const)))
  // A buffer between parts that lies in a cluster keeps it, and may so be in the box of a part.
  const sharers = new Map<string, Set<string>>()
  for (const { id, cluster } of graph.nodes) {
    const box = outermost(cluster)
    const part = partOf.get(id)
    if (box !== undefined && part !== undefined) sharers.set(box, (sharers.get(box) ?? new Set()).add(part))
  }
  const clusterOf = new Map(graph.nodes.map(({ id, cluster }) => [id, cluster]))
  const ids = new Set(graph.clusters.map(({ id }) => id))
  const boxes = new Map<string, string>()
  for (const { name, nodes } of parts) {
    const clusters = nodes.map((id) => outermost(clusterOf.get(id)))
    const isShared = clusters.some((box) => box !== undefined && sharers.get(box)!.size > 1)
    if (ids.has(name) || isShared) continue
    boxes.set(name, `part ${name}`)
  }
  const boxOfCluster = (id: string): string | undefined => {
    const [part, ...more] = sharers.get(id) ?? []
    return part === undefined || more.length > 0 ? undefined : boxes.get(part)
  }
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      const box = node.cluster === undefined ? boxes.get(partOf.get(node.id) ?? '') : undefined
      return box === undefined ? node : { ...node, cluster: box }
    }),
    clusters: [
      ...graph.clusters.map((cluster) => {
        const box = cluster.parent === undefined ? boxOfCluster(cluster.id) : undefined
        return box === undefined ? cluster : { ...cluster, parent: box }
      }),
      ...[...boxes].map(([name, id]) => ({ id, label: name, style: 'dashed' })),
    ],
  }
}

/** The outermost cluster around what is in a cluster. */
function outermostIn({ clusters }: GraphData): (cluster: string | undefined) => string | undefined {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  return (cluster) => {
    const seen = new Set<string>()
    let at = cluster
    while (at !== undefined && parents.has(at) && !seen.has(at)) {
      seen.add(at)
      const parent = parents.get(at)
      if (parent === undefined || !parents.has(parent)) return at
      at = parent
    }
    return undefined
  }
}
