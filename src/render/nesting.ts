import type { GraphCluster } from '../graph/types.ts'

/** So many boxes within boxes are drawn; what lies deeper lies in the innermost of them. */
export const MOST_NESTED = 32

/** Which clusters are drawn as boxes, and what lies in which. */
export interface Nesting {
  /** Each once, in the order of the graph. */
  readonly boxes: readonly GraphCluster[]
  /** The box around a box; empty where there is none. */
  readonly around: ReadonlyMap<string, string>
  /** The box that what is in a cluster lies in; empty where it lies outside. */
  readonly boxOf: (cluster: string | undefined) => string
}

/** What lies in a cluster that is not there, or in a loop of clusters, lies outside. Linear in the clusters. */
export function nestingOf(clusters: readonly GraphCluster[]): Nesting {
  const unique = new Map(clusters.map((cluster) => [cluster.id, cluster]))
  const parentOf = (id: string): string => {
    const { parent = '' } = unique.get(id)!
    return unique.has(parent) ? parent : ''
  }
  const depths = new Map<string, number>()
  const around = new Map<string, string>()
  const boxes = new Map<string, string>()
  const place = (id: string, parent: string): void => {
    const depth = parent === '' ? 1 : depths.get(parent)! + 1
    depths.set(id, depth)
    around.set(id, parent)
    boxes.set(id, depth <= MOST_NESTED ? id : boxes.get(parent)!)
  }
  for (const start of unique.keys()) {
    const way: string[] = []
    const places = new Map<string, number>()
    let at = start
    for (; at !== '' && !depths.has(at) && !places.has(at); at = parentOf(at)) places.set(at, way.push(at) - 1)
    const loop = places.get(at)
    if (loop !== undefined) for (const member of way.splice(loop)) place(member, '')
    for (const id of way.toReversed()) place(id, parentOf(id))
  }
  return {
    boxes: [...unique.values()].filter(({ id }) => boxes.get(id) === id),
    around,
    boxOf: (cluster) => (cluster === undefined ? '' : (boxes.get(cluster) ?? '')),
  }
}

/** The innermost box that two boxes lie in; empty where there is none. */
export function sharedBox({ around }: Nesting, a: string, b: string): string {
  const outer = new Set<string>()
  for (let at = a; at !== ''; at = around.get(at)!) outer.add(at)
  let at = b
  while (at !== '' && !outer.has(at)) at = around.get(at)!
  return at
}
