import { subgraph } from '../../graph/resolve.ts'
import { cutTraffic, type Model, type Origin } from './model.ts'

/** A piece of a graph that no edge joins to the rest, as a model of its own. */
export interface Part {
  readonly model: Model
  /** Numbers of its nodes in the whole graph, ascending. */
  readonly nodes: readonly number[]
}

/** A graph in pieces. */
export interface Parts {
  readonly parts: readonly Part[]
  /** Part of a node, and its number there. */
  readonly of: Int32Array
  readonly place: Int32Array
}

/**
 * The pieces of a graph that do not know of each other, where there are several: what is full in one does not concern the
 * others, unless they share the cores, or a loop that grows ends the filling of all. Linear.
 */
export function partsOf(model: Model): Parts | undefined {
  if (!known.has(model)) known.set(model, split(model))
  return known.get(model)
}
/** A prediction and what is read off it take the same parts. */
const known = new WeakMap<Model, Parts | undefined>()

function split(model: Model): Parts | undefined {
  if (model.traffic.growing.length > 0) return undefined
  if (model.cores < Infinity && model.services.some(({ coreSeconds }) => coreSeconds > 0)) return undefined
  const { members, of } = pieces(model)
  if (members.length === 1) return undefined
  const place = new Int32Array(of.length)
  for (const nodes of members) nodes.forEach((node, index) => void (place[node] = index))
  const sources = members.map((): Origin[] => [])
  for (const source of model.sources) sources[of[source.node]!]!.push({ ...source, node: place[source.node]! })
  return { parts: members.map((nodes, part) => partOf(model, nodes, place, sources[part]!)), of, place }
}

function pieces({ graph }: Model): { members: readonly number[][]; of: Int32Array } {
  const of = new Int32Array(graph.nodes.length).fill(-1)
  const members: number[][] = []
  graph.nodes.forEach((_, root) => {
    if (of[root] !== -1) return
    const reached = [root]
    const reach = (node: number): void => {
      if (of[node] === -1) reached.push(node)
      of[node] = members.length
    }
    of[root] = members.length
    for (const node of reached) {
      for (const edge of graph.out(node)) reach(graph.to(edge))
      for (const edge of graph.in(node)) reach(graph.from(edge))
    }
    members.push(reached.sort((a, b) => a - b))
  })
  return { members, of }
}

function partOf(model: Model, nodes: readonly number[], place: Int32Array, sources: readonly Origin[]): Part {
  const edges = nodes.flatMap((node) => model.graph.out(node)).sort((a, b) => a - b)
  const graph = subgraph(model.graph, nodes, edges)
  const shares = edges.map((edge) => model.shares[edge]!)
  const parting = new Set(nodes.flatMap((node) => (model.parting.has(node) ? [place[node]!] : [])))
  return {
    nodes,
    model: {
      graph,
      shares,
      services: nodes.map((node) => model.services[node]!),
      cores: Infinity,
      traffic: cutTraffic(graph, shares, parting),
      sources,
      parting,
      weight: (node) => model.weight(nodes[node]!),
    },
  }
}
