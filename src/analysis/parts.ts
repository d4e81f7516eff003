import type { GraphData, GraphNode, Via } from '../graph/types.ts'
import { TECHNOLOGIES } from '../graph/types.ts'
import { NATS_VIA_OPTIONS } from '../options/index.ts'

/**
 * A part of a graph: what hangs together without crossing a buffer with `via`, and all that the records of such a buffer go to. It can run
 * as a process by itself.
 */
export interface GraphPart {
  /** Of the outermost cluster that holds just this part, else of its first node. */
  readonly name: string
  /** Its nodes in the order of the graph, without the buffers between the parts. */
  readonly nodes: readonly string[]
  /** Buffers with `via` that it takes records from, and that it sends records to. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** Messages that a reader of a buffer with `via` has taken and not settled, where nothing else is said. */
export const VIA_WINDOW: number = NATS_VIA_OPTIONS.window.default

/** A buffer with an address. */
export function isHop<T extends Pick<GraphNode, 'kind' | 'via'>>(node: T): node is T & { readonly via: Via } {
  const { kind, via } = node
  return kind === 'buffer' && typeof via === 'object' && via !== null && TECHNOLOGIES.includes(via.technology)
}

/**
 * The parts of a graph, in its order. A graph without `via` is one part, by its own name. Total on broken graphs. Linear in nodes
 * and edges.
 */
export function graphParts(graph: GraphData): readonly GraphPart[] {
  const hops = new Set(graph.nodes.filter(isHop).map(({ id }) => id))
  if (hops.size === 0) return [{ name: graph.name, nodes: graph.nodes.map(({ id }) => id), reads: [], writes: [] }]
  const partOf = componentsOf(graph, hops)
  const groups = new Map<string, { nodes: string[]; reads: Set<string>; writes: Set<string> }>()
  for (const { id } of graph.nodes) {
    const part = partOf(id)
    if (part === undefined) continue
    const group = groups.get(part)
    if (group === undefined) groups.set(part, { nodes: [id], reads: new Set(), writes: new Set() })
    else group.nodes.push(id)
  }
  for (const { from, to } of graph.edges) {
    if (hops.has(to)) groups.get(partOf(from) ?? '')?.writes.add(to)
    if (hops.has(from)) groups.get(partOf(to) ?? '')?.reads.add(from)
  }
  const names = namesOf(
    graph,
    [...groups.values()].map(({ nodes }) => nodes),
  )
  return [...groups.values()].map(({ nodes, reads, writes }, index) => ({
    name: names[index]!,
    nodes,
    reads: [...reads],
    writes: [...writes],
  }))
}

/** Union of what edges join, buffers with `via` left out: the first node of each stands for it. */
function componentsOf({ nodes, edges }: GraphData, hops: ReadonlySet<string>): (id: string) => string | undefined {
  const leaders = new Map(nodes.filter(({ id }) => !hops.has(id)).map(({ id }) => [id, id]))
  const find = (id: string): string | undefined => {
    let at = leaders.get(id)
    if (at === undefined) return undefined
    while (leaders.get(at) !== at) at = leaders.get(at)!
    // Shorter ways for those who ask next.
    for (let on = id; on !== at;) {
      const next = leaders.get(on)!
      leaders.set(on, at)
      on = next
    }
    return at
  }
  const readers = new Map<string, string>()
  for (const { from, to } of edges) {
    // All that the records of a queue go to is one part: their one reader holds it together.
    const [one, other] = [find(hops.has(from) ? (readers.get(from) ?? to) : from), find(to)]
    if (hops.has(from) && other !== undefined) readers.set(from, to)
    if (one !== undefined && other !== undefined && one !== other) leaders.set(other, one)
  }
  return find
}

/** Each part by the outermost cluster that holds all of it and nothing of another one, else by its first node. */
function namesOf({ nodes, clusters }: GraphData, parts: readonly (readonly string[])[]): readonly string[] {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const around = new Map(nodes.map(({ id, cluster }) => [id, chainOf(cluster, parents)]))
  const holds = new Map<string, Set<number>>()
  const counts = parts.map((members, part) => {
    const count = new Map<string, number>()
    for (const cluster of members.flatMap((id) => around.get(id) ?? [])) {
      count.set(cluster, (count.get(cluster) ?? 0) + 1)
      holds.set(cluster, (holds.get(cluster) ?? new Set()).add(part))
    }
    return count
  })
  const taken = new Set<string>()
  return parts.map((members, part) => {
    // From the outermost one inwards.
    const own = [...(around.get(members[0]!) ?? [])]
      .reverse()
      .find((cluster) => holds.get(cluster)!.size === 1 && counts[part]!.get(cluster) === members.length)
    let name = own ?? members[0]!
    while (taken.has(name)) name += "'"
    taken.add(name)
    return name
  })
}

function chainOf(cluster: string | undefined, parents: ReadonlyMap<string, string | undefined>): readonly string[] {
  const chain = new Set<string>()
  for (let at = cluster; at !== undefined && parents.has(at) && !chain.has(at); at = parents.get(at)) chain.add(at)
  return [...chain]
}
