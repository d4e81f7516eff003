import { isStage, type ResolvedNode } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { isHop, graphParts } from '../parts.ts'
import type { Model } from './model.ts'
import type { Prediction } from './predict.ts'
import { rateAt } from './service.ts'
import { times } from './times.ts'

/** One cluster under the predicted flow, all that lies in it counted, inner clusters too. Rates are records per second. */
export interface ClusterFlow {
  readonly id: string
  /** Records that come over edges from outside, and that go over edges to the outside. */
  readonly in: number
  readonly out: number
  /** Records that its own sources make. */
  readonly made: number
  /** Workers of its stages, and cores that they keep busy. */
  readonly workers: number
  readonly cores: number
  /** Its stage with the largest `in / serviceRate`, and that load, 0 to 1. Absent where it has no stage that takes time. */
  readonly busiest?: { readonly node: string; readonly utilisation: number }
}

/** The figures of each part, as if each were a cluster. */
export function partFlows(data: GraphData, model: Model, prediction: Prediction): readonly ClusterFlow[] {
  if (!data.nodes.some(isHop)) return []
  const parts = graphParts(data)
  const partOf = new Map(parts.flatMap(({ name, nodes }) => nodes.map((id) => [id, name] as const)))
  const nodes = model.graph.nodes.map((node) => ({ ...node, cluster: partOf.get(node.id) }) as ResolvedNode)
  const graph = { ...model.graph, nodes, node: (number: number) => nodes[number]! }
  return clusterFlows({ ...data, clusters: parts.map(({ name }) => ({ id: name })) }, { ...model, graph }, prediction)
}

interface Sums {
  in: number
  out: number
  made: number
  workers: number
  cores: number
  busiest: { node: string; utilisation: number } | undefined
}

/** The figures of each cluster, in the order of the graph. Linear in nodes, edges and clusters, but for edges between deep ones. */
export function clusterFlows(
  data: GraphData,
  model: Model,
  { into, leaving, rates }: Prediction,
): readonly ClusterFlow[] {
  if (data.clusters.length === 0) return []
  const { graph, shares, services } = model
  const tree = treeOf(data)
  const sums = new Map(data.clusters.map(({ id }): [string, Sums] => [id, none()]))
  const at = (cluster: string | undefined): Sums => sums.get(cluster ?? '') ?? none()
  graph.nodes.forEach(({ id, kind, cluster }, node) => {
    if (!isStage(kind)) return
    const sum = at(cluster)
    const utilisation = Math.min(1, times(into[node]!, 1 / rateAt(services, node)))
    sum.workers += services[node]!.fused === undefined ? graph.node(node).workers : 0
    sum.cores += times(into[node]!, services[node]!.coreSeconds)
    if (utilisation > (sum.busiest?.utilisation ?? 0)) sum.busiest = { node: id, utilisation }
  })
  model.sources.forEach(({ node }, index) => void (at(graph.node(node).cluster).made += rates[index]!))
  // What crosses a border counts from the innermost cluster up to the first that holds both ends.
  for (const edge of graph.edges) {
    const rate = times(leaving[graph.from(edge)]!, shares[edge]?.gain ?? 0)
    const [from, to] = [graph.node(graph.from(edge)).cluster, graph.node(graph.to(edge)).cluster]
    if (from === to || rate === 0) continue
    const meets = tree.meeting(from, to)
    for (let id = from; id !== undefined && id !== meets; id = tree.parent(id)) at(id).out += rate
    for (let id = to; id !== undefined && id !== meets; id = tree.parent(id)) at(id).in += rate
  }
  for (const id of tree.innermostFirst) {
    const parent = tree.parent(id)
    if (parent === undefined) continue
    const [own, outer] = [at(id), at(parent)]
    outer.made += own.made
    outer.workers += own.workers
    outer.cores += own.cores
    if ((own.busiest?.utilisation ?? 0) > (outer.busiest?.utilisation ?? 0)) outer.busiest = own.busiest
  }
  return [...sums].map(([id, { busiest, ...sum }]) => ({ id, ...sum, ...(busiest === undefined ? {} : { busiest }) }))
}

function none(): Sums {
  return { in: 0, out: 0, made: 0, workers: 0, cores: 0, busiest: undefined }
}

interface Tree {
  /** Undefined for an outermost cluster, for one that lies in itself, and for none. */
  parent(id: string): string | undefined
  /** The innermost cluster that holds both. */
  meeting(a: string | undefined, b: string | undefined): string | undefined
  readonly innermostFirst: readonly string[]
}

function treeOf({ clusters }: GraphData): Tree {
  const said = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const depths = new Map<string, number>()
  for (const start of said.keys()) {
    const trail: string[] = []
    let id: string | undefined = start
    // A ring of clusters, which is a problem, ends where it comes back to itself.
    for (
      const seen = new Set<string>();
      id !== undefined && said.has(id) && !depths.has(id) && !seen.has(id);
      id = said.get(id)
    ) {
      seen.add(id)
      trail.push(id)
    }
    let depth = id === undefined ? 0 : (depths.get(id) ?? 0)
    for (const each of trail.reverse()) depths.set(each, ++depth)
  }
  const depth = (id: string | undefined): number => (id === undefined ? 0 : (depths.get(id) ?? 0))
  const parent = (id: string): string | undefined => {
    const found = said.get(id)
    return found !== undefined && depth(found) > 0 && depth(found) < depth(id) ? found : undefined
  }
  return {
    parent,
    meeting: (a, b) => {
      let [left, right] = [depth(a) === 0 ? undefined : a, depth(b) === 0 ? undefined : b]
      while (left !== right) {
        if (depth(left) >= depth(right)) left = left === undefined ? undefined : parent(left)
        else right = right === undefined ? undefined : parent(right)
      }
      return left
    },
    innermostFirst: [...said.keys()].sort((a, b) => depth(b) - depth(a)),
  }
}
