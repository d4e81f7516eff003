/** A graph as it is drawn: folded clusters are one box each. */
import type { GraphData, GraphEdge, GraphNode } from '../graph/types.ts'

export interface ShownNode {
  readonly id: string
  readonly kind: GraphNode['kind'] | 'cluster'
  readonly title: string
  readonly cluster: string | undefined
  /** Nodes of the graph that it stands for. */
  readonly members: readonly string[]
}

interface ShownEdge {
  readonly from: string
  readonly to: string
  readonly pathType: GraphEdge['pathType']
  readonly title: string
  /** Numbers of the edges that it stands for. */
  readonly members: readonly number[]
}

export interface ShownGraph {
  readonly nodes: readonly ShownNode[]
  readonly edges: readonly ShownEdge[]
  /** Clusters that are open. */
  readonly clusters: readonly { readonly id: string; readonly title: string; readonly parent: string | undefined }[]
}

export function fold({ nodes, edges, clusters }: GraphData, folded: ReadonlySet<string>): ShownGraph {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const titles = new Map(clusters.map(({ id, label }) => [id, label ?? id]))
  /** The outermost folded cluster around a place. */
  const boxOf = (cluster: string | undefined): string | undefined => {
    let found: string | undefined
    const seen = new Set<string>()
    for (let at = cluster; at !== undefined && titles.has(at) && !seen.has(at); at = parents.get(at)) {
      seen.add(at)
      if (folded.has(at)) found = at
    }
    return found
  }
  const shown = new Map<string, ShownNode>()
  const places = new Map<string, string>()
  for (const { id, kind, label, cluster } of nodes) {
    const box = boxOf(cluster)
    const key = box === undefined ? id : `cluster ${box}`
    places.set(id, key)
    const members = [...(shown.get(key)?.members ?? []), id]
    const open = { id: key, kind, title: label ?? id, cluster, members }
    const closed = {
      id: key,
      kind: 'cluster',
      title: titles.get(box ?? '') ?? '',
      cluster: parents.get(box ?? ''),
    } as const
    shown.set(key, box === undefined ? open : { ...closed, members })
  }
  return {
    nodes: [...shown.values()],
    edges: edgesOf(edges, places),
    clusters: clusters
      .filter(({ id }) => boxOf(id) === undefined)
      .map(({ id, parent }) => ({ id, title: titles.get(id)!, parent })),
  }
}

function edgesOf(edges: readonly GraphEdge[], places: ReadonlyMap<string, string>): readonly ShownEdge[] {
  const shown = new Map<string, ShownEdge>()
  edges.forEach(({ from, to, pathType = 'normal', when }, index) => {
    const [a, b] = [places.get(from), places.get(to)]
    if (a === undefined || b === undefined || (a === b && from !== to)) return
    const key = JSON.stringify([a, b, pathType])
    const before = shown.get(key)
    const title = [before?.title, `${from} → ${to}${when === undefined ? '' : ` (${when})`}`].filter(Boolean).join('\n')
    shown.set(key, { from: a, to: b, pathType, title, members: [...(before?.members ?? []), index] })
  })
  return [...shown.values()]
}
