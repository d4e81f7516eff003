/** Random graphs that are wider than chains: several sources, conditionals, buffers that drop, keys, windows near what the stages take. */
import { changeGraph } from '#src/analysis/flow/what-if.js'
import { type GraphData, type GraphEdge, type GraphNode } from 'millrace'
import { simulate } from 'millrace/analysis'
import { isPlain, randomGraph, randomOf } from './random-graphs.js'

/** Draws some of what a chain may have besides. */
interface Draw {
  readonly pick: <T>(...values: readonly T[]) => T
  readonly chance: (share: number) => boolean
}
type Widening = (graph: GraphData, draw: Draw) => GraphData

/** The chain of the same seed, widened. */
export function wideGraph(seed: number, isBurning = false): GraphData {
  const random = randomOf(~seed)
  const draw: Draw = {
    pick: (...values) => values[Math.floor(random() * values.length)]!,
    chance: (share) => random() < share,
  }
  const widenings: readonly Widening[] = [withSource, withBranch, withDrops, withKeys, withNearWindow]
  const wide = widenings.reduce(
    (graph, widen) => (draw.chance(0.5) ? widen(graph, draw) : graph),
    randomGraph(seed, isBurning),
  )
  return { ...wide, name: `wide ${seed}` }
}

/** A second source into some stage that is not fused. */
function withSource(graph: GraphData, { pick }: Draw): GraphData {
  const to = pick(...graph.nodes.filter(({ id, kind }) => isTaker(kind) && !isFused(graph, id))).id
  return {
    ...graph,
    nodes: [...graph.nodes, { kind: 'source', id: 'in2', rate: pick(10, 30, 60), window: pick(500, 2_000) }],
    edges: [...graph.edges, { from: 'in2', to, maxDemand: pick(8, 16) }],
  }
}

/** A conditional on some lane, whose other branch has a sink of its own. */
function withBranch(graph: GraphData, { pick, chance }: Draw): GraphData {
  const ratio = pick(0.3, 0.5, 0.8)
  const side: GraphNode = { kind: 'sink', id: 'side', latencyMs: pick(4, 10), concurrency: pick(1, 2) }
  const wide = onLane(graph, pick, { kind: 'conditional', id: 'which' }, { when: 'on', ratio })
  if (wide === undefined) return graph
  return {
    ...wide,
    nodes: [...wide.nodes, side],
    edges: [
      ...wide.edges,
      { from: 'which', to: 'side', when: 'off', ratio: 1 - ratio, ...(chance(0.5) ? { maxDemand: 16 } : {}) },
    ],
  }
}

/** A buffer that drops on some lane. */
function withDrops(graph: GraphData, { pick }: Draw): GraphData {
  const whenFull = pick('dropNewest', 'dropOldest')
  return onLane(graph, pick, { kind: 'buffer', id: 'drops', capacity: pick(10, 40), whenFull }, {}) ?? graph
}

/** Some stage takes its records by key. */
function withKeys(graph: GraphData, { pick }: Draw): GraphData {
  const able = graph.nodes.filter(({ id, kind, dispatch }) => {
    return isTaker(kind) && dispatch === undefined && !isFused(graph, id)
  })
  if (able.length === 0) return graph
  return changeGraph(graph, { nodes: { [pick(...able).id]: { dispatch: 'partition' } } })
}

/** A window that lets the first source send about as much as the stages take. */
function withNearWindow(graph: GraphData, { pick }: Draw): GraphData {
  const share = pick(0.8, 0.95, 1.05, 1.25)
  if (!isPlain(graph)) return graph
  const at = (window: number): GraphData => changeGraph(graph, { nodes: { in: { window } } })
  const most = Math.round((share * mostOf(at(100_000))) / mostOf(at(1)))
  return most < 1 ? graph : at(most)
}

/** What the first source sends if only its window and the stages hold it. */
function mostOf(graph: GraphData): number {
  return simulate(changeGraph(graph, { nodes: { in: { rate: undefined, rateLimit: undefined } } })).sources[0]!.rate
}

/** The graph with a node in the middle of some lane from stage to stage, which leaves the node over an edge with `on`. */
function onLane(graph: GraphData, pick: Draw['pick'], node: GraphNode, on: Partial<GraphEdge>): GraphData | undefined {
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]))
  const lanes = graph.edges.filter(({ from, to, fuse, pathType }) => {
    const joinsStages = [from, to].every((id) => ['source', 'transform', 'sink'].includes(kinds.get(id)!))
    return joinsStages && fuse !== true && pathType === undefined
  })
  if (lanes.length === 0) return undefined
  const lane = pick(...lanes)
  const { maxDemand: _, ...before } = lane
  const edges = graph.edges.map((edge) => (edge === lane ? { ...before, to: node.id } : edge))
  return { ...graph, nodes: [...graph.nodes, node], edges: [...edges, { from: node.id, to: lane.to, ...on }] }
}

function isTaker(kind: GraphNode['kind']): boolean {
  return kind === 'transform' || kind === 'sink'
}

function isFused(graph: GraphData, id: string): boolean {
  return graph.edges.some(({ to, fuse }) => to === id && fuse === true)
}
