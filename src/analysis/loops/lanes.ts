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

/** What runs from one stage to the next, through nodes without threads, as one ring per pair of workers. */
export interface LanePath {
  /** Edge indices, in the order of the flow. */
  readonly edges: readonly number[]
  /** Records that one lane holds: the least of what its edges (`maxDemand`) and buffers (`capacity`) say. 0 where fused. */
  readonly capacity: number
  /** A buffer on the way drops records when it is full, so a writer never waits for it. */
  readonly drops: boolean
  /** The first buffer on the way. */
  readonly buffer: string | undefined
}

/** Cuts a path of edges, or a cycle, into lanes: a new one begins at each stage. A cycle must begin at a stage. */
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
  const buffers = edges.map((edge) => graph.node(graph.to(edge))).filter(({ kind }) => kind === 'buffer')
  const said = [
    ...edges.flatMap((edge) => graph.edge(edge).maxDemand ?? []),
    ...buffers.map(({ capacity = NODE_OPTIONS.capacity.default }) => capacity),
  ]
  const fused = edges.some((edge) => graph.edge(edge).fuse === true)
  return {
    edges,
    capacity: fused ? 0 : said.length === 0 ? maxDemand : said.reduce((least, each) => Math.min(least, each)),
    drops: buffers.some(({ whenFull = 'block' }) => whenFull !== 'block'),
    buffer: buffers[0]?.id,
  }
}
