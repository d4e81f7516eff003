import { subgraph } from '../../graph/resolve.ts'
import { components } from '../components.ts'
import { cutTraffic, type Model } from './model.ts'
import type { Traffic } from './traffic.ts'

/** A piece of a graph that is filled by itself: nothing in it depends on what comes after it. */
interface Section {
  readonly model: Model
  /** Numbers of its nodes in the whole graph, ascending. A buffer that parts the flow may end one section and begin another. */
  readonly nodes: readonly number[]
}

/** A graph in sections, each after those that send to it. */
interface Sections {
  readonly sections: readonly Section[]
  /** Section of what comes to a node, by node number. */
  readonly of: Int32Array
  /** Section of what leaves a node, and the node's number there. */
  readonly from: Int32Array
  readonly place: Int32Array
}

/** What does not depend on how fast stages serve: it holds for all models with the same traffic. */
interface Layout extends Omit<Sections, 'sections'> {
  readonly sections: readonly {
    readonly nodes: readonly number[]
    readonly model: Omit<Model, 'services' | 'weight'>
  }[]
}

/**
 * The pieces of a graph between the buffers that part its flow, where there are several. What is full in one does not concern
 * those above it. Where what leaves a buffer comes back to it, all that lies on the way round is one section. Stages that
 * share the cores, and loops that grow, concern all of it. Linear.
 */
export function sectionsOf(model: Model): Sections | undefined {
  if (model.traffic.growing.length > 0) return undefined
  if (model.cores < Infinity && model.services.some(({ coreSeconds }) => coreSeconds > 0)) return undefined
  const before = known.get(model.traffic)
  if (before !== undefined && before.services === model.services && before.weight === model.weight)
    return before.sections
  const layout = before === undefined ? layoutOf(model) : before.layout
  const sections = layout && withServices(layout, model)
  known.set(model.traffic, { layout, services: model.services, weight: model.weight, sections })
  return sections
}
/** One model is filled many times, with other limits of its sources. */
const known = new WeakMap<
  Traffic,
  Pick<Model, 'services' | 'weight'> & { readonly layout: Layout | undefined; readonly sections: Sections | undefined }
>()

function withServices(layout: Layout, { services, weight }: Model): Sections {
  const sections = layout.sections.map(({ nodes, model }) => ({
    nodes,
    model: {
      ...model,
      services: nodes.map((node) => services[node]!),
      weight: (node: number) => weight(nodes[node]!),
    },
  }))
  return { ...layout, sections }
}

function layoutOf(model: Model): Layout | undefined {
  const { graph, parting } = model
  const { of, from, count } = sectionNumbers(model)
  if (count === 1) return undefined
  const nodes = Array.from({ length: count }, (): number[] => [])
  graph.nodes.forEach((_, node) => {
    nodes[of[node]!]!.push(node)
    if (from[node] !== of[node]) nodes[from[node]!]!.push(node)
  })
  const edges = Array.from({ length: count }, (): number[] => [])
  for (const edge of graph.edges) edges[of[graph.to(edge)]!]!.push(edge)
  const place = new Int32Array(of.length)
  const sections = nodes.map((members, section) => {
    members.forEach((node, index) => void (from[node] === section && (place[node] = index)))
    const own = edges[section]!
    const inner = subgraph(graph, members, own)
    const shares = own.map((edge) => model.shares[edge]!)
    const parts = new Set(members.flatMap((node, index) => (parting.has(node) ? [index] : [])))
    const traffic = cutTraffic(inner, shares, parts)
    return { nodes: members, model: { graph: inner, shares, cores: Infinity, traffic, sources: [], parting: parts } }
  })
  return { sections, of, from, place }
}

/** The section of what comes to each node and of what leaves it: another one only where a buffer parts the flow. */
function sectionNumbers({ graph, parting }: Model): { of: Int32Array; from: Int32Array; count: number } {
  const size = graph.nodes.length
  // Every node is a point; what leaves a buffer that parts the flow is another one.
  const leaving = Int32Array.from(graph.nodes, (_, node) => node)
  let points = size
  for (const node of parting) leaving[node] = points++
  const joined = Int32Array.from({ length: points }, (_, point) => point)
  const find = (point: number): number => {
    let at = point
    while (joined[at] !== at) at = joined[at] = joined[joined[at]!]!
    return at
  }
  for (const edge of graph.edges) joined[find(graph.to(edge))] = find(leaving[graph.from(edge)]!)
  const pieces: number[] = []
  const piece = new Int32Array(points)
  for (let point = 0; point < points; point++) if (joined[point] === point) piece[point] = pieces.push(point) - 1
  const pieceOf = (point: number): number => piece[find(point)]!
  const next: number[] = []
  const sends = pieces.map((): number[] => [])
  for (const node of parting) sends[pieceOf(node)]!.push(next.push(pieceOf(leaving[node]!)) - 1)
  // Pieces that send to each other are one section.
  const order = components({ nodes: pieces, out: (each) => sends[each]!, to: (each) => next[each]! })
  const section = (point: number): number => order.of(pieceOf(point))
  return {
    of: Int32Array.from(graph.nodes, (_, node) => section(node)),
    from: leaving.map(section),
    count: order.count,
  }
}
