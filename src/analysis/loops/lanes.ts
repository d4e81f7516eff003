import type { NodeKind } from '../../graph/types.ts'
import { NODE_OPTIONS } from '../../options.ts'
import type { Adjacency } from '../adjacency.ts'

/** Records on a lane for which neither its edges nor a buffer say anything. */
export const DEFAULT_MAX_DEMAND = 4_096

/** Defaults of the option tables that the analysis counts with. */
export const SOURCE_DEFAULTS = { window: NODE_OPTIONS.window.default, concurrency: NODE_OPTIONS.concurrency.default }

/** Kinds that get threads. Conditionals, merges and buffers live on the lanes between them. */
export function isStage(kind: NodeKind): boolean {
  return kind === 'source' || kind === 'transform' || kind === 'sink'
}

/** What runs from one stage to the next, through nodes without threads: one ring for each pair of workers. */
export interface LanePath {
  /** Edge indices, in the order of the flow. */
  readonly edges: readonly number[]
  /** Rings: workers that write times workers that read. */
  readonly lanes: number
  /**
   * Records that one ring holds: the first `maxDemand` on the way, else what its buffers hold together, shared by the
   * rings, else the default. 0 where fused.
   */
  readonly capacity: number
  /** The graph says the capacity; otherwise the plan is free to choose it. */
  readonly isSaid: boolean
  /** A buffer on the way drops records when it is full, so a writer never waits for it. */
  readonly drops: boolean
  /** The buffer on the way whose `capacity` counts. */
  readonly buffer: string | undefined
}

/** Cuts a path of edges, or a cycle, into lanes: a new one begins at each stage. It must begin at a stage. */
export function lanePaths(graph: Adjacency, path: readonly number[], maxDemand: number): readonly LanePath[] {
  const lanes: LanePath[] = []
  let edges: number[] = []
  for (const edge of path) {
    edges.push(edge)
    if (!isStage(graph.node(graph.to(edge)).kind)) continue
    lanes.push(laneOf(graph, edges, maxDemand))
    edges = []
  }
  return lanes
}

function laneOf(graph: Adjacency, edges: readonly number[], maxDemand: number): LanePath {
  const lanes = workersOf(graph, graph.from(edges[0] ?? -1)) * workersOf(graph, graph.to(edges.at(-1) ?? -1))
  const buffers = edges.map((edge) => graph.node(graph.to(edge))).filter(({ kind }) => kind === 'buffer')
  const demand = edges.map((edge) => graph.edge(edge).maxDemand).find((said) => said !== undefined)
  const held = buffers.reduce((sum, { capacity = NODE_OPTIONS.capacity.default }) => sum + capacity, 0)
  const fused = edges.some((edge) => graph.edge(edge).fuse === true)
  return {
    edges,
    lanes,
    capacity: fused ? 0 : (demand ?? (buffers.length > 0 ? Math.ceil(held / lanes) : maxDemand)),
    isSaid: fused || demand !== undefined || buffers.length > 0,
    drops: buffers.some(({ whenFull = 'block' }) => whenFull !== 'block'),
    buffer: demand === undefined ? buffers[0]?.id : undefined,
  }
}

export function workersOf(graph: Adjacency, node: number): number {
  return graph.node(node).concurrency ?? SOURCE_DEFAULTS.concurrency
}
