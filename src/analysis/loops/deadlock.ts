import type { GraphData } from '../../graph/types.ts'
import { adjacency, type Adjacency } from '../adjacency.ts'
import { components } from '../components.ts'
import { describeCycle, elementaryCycles } from '../cycles.ts'
import { mostInFlight } from './in-flight.ts'
import { DEFAULT_MAX_DEMAND, isStage, lanePaths, type LanePath } from './lanes.ts'
import { quote } from '../problems.ts'
import { reconvergences, type Reconvergence } from './reconvergence.ts'
import type { Cycle } from '../types.ts'

/** What to enlarge so that a loop is safe: `capacity` records on each lane over this edge. */
export interface Enlargement {
  /** Index into `graph.edges`. */
  readonly edge: number
  /** The buffer on that lane, whose `capacity` says its size; without one the edge's `maxDemand` does. */
  readonly buffer?: string
  readonly capacity: number
}

/** Whether the workers of one cycle can come to wait for each other in a ring. */
export interface LoopVerdict {
  readonly cycle: Cycle
  readonly safe: boolean
  /**
   * Safe: `fits`, the lanes hold all that may be in the loop at once; `drops`, a full lane of it drops instead of blocking;
   * `unreached`, no source reaches it. Not safe: `tooSmall`; `multiplies`, one record may become several inside the loop,
   * so no capacity is enough.
   */
  readonly reason: 'fits' | 'drops' | 'unreached' | 'tooSmall' | 'multiplies'
  readonly why: string
  /** The most records that may be in the loop at once; infinite where it multiplies them. */
  readonly inFlight: number
  /** Records that the lanes of the cycle hold together, one lane for each edge. */
  readonly capacity: number
  /** The smallest change that makes this cycle safe by itself; absent where it is safe or nothing helps. */
  readonly enlarge?: Enlargement
}

export interface Deadlock {
  /** No loop can block itself. */
  readonly safe: boolean
  readonly loops: readonly LoopVerdict[]
  readonly reconvergences: readonly Reconvergence[]
  /** Changes that together make all loops safe, but for those that multiply records. */
  readonly enlarge: readonly Enlargement[]
  /** There are more cycles than were looked at: `enlarge` then covers the rest too, by more than may be needed. */
  readonly incomplete: boolean
}

export interface DeadlockOptions {
  /** Records on a lane whose edges and buffers say nothing. Default: 4,096. */
  readonly maxDemand?: number
  /** Most cycles that are looked at one by one. Default: 1,000. */
  readonly maxCycles?: number
}

/**
 * Proves, by credit, which loops cannot block themselves. Workers of a loop wait for each other only when every lane on the
 * way round is full; so a loop is safe where its lanes hold all that can be in it at once, which the windows of the sources
 * bound. Joins take whatever comes first, so paths that meet again never block each other.
 */
export function deadlock(graph: GraphData, options: DeadlockOptions = {}): Deadlock {
  const { maxDemand = DEFAULT_MAX_DEMAND, maxCycles = 1_000 } = options
  const found = adjacency(graph)
  const parts = components(found)
  const { cycles, incomplete } = elementaryCycles(found, maxCycles)
  const inFlight = new Map(
    parts.members.flatMap((_, index) => (parts.isLoop(index) ? [[index, mostInFlight(found, parts, index)]] : [])),
  )
  const larger = new Map<number, Enlargement>()
  const onLoop = (edge: number): number =>
    parts.of(found.from(edge)) === parts.of(found.to(edge)) ? (inFlight.get(parts.of(found.from(edge))) ?? 0) : 0
  const loops = cycles.map((edges) => {
    const records = onLoop(edges[0] ?? -1)
    return verdictOf(found, edges, { records, maxDemand, larger })
  })
  if (incomplete) enlargeBackEdges(found, onLoop, larger)
  const met = reconvergences(found)
  return {
    safe: !incomplete && loops.every(({ safe }) => safe),
    loops,
    reconvergences: met.list,
    enlarge: [...larger.values()].sort((a, b) => a.edge - b.edge),
    incomplete: incomplete || met.incomplete,
  }
}

interface Bounds {
  readonly records: number
  readonly maxDemand: number
  /** What earlier cycles asked for, by edge; this one adds what it still lacks. */
  readonly larger: Map<number, Enlargement>
}

function verdictOf(graph: Adjacency, edges: readonly number[], { records, maxDemand, larger }: Bounds): LoopVerdict {
  const lanes = lanePaths(graph, fromStage(graph, edges), maxDemand)
  const capacity = lanes.reduce((sum, lane) => sum + lane.capacity, 0)
  const verdict = { cycle: describeCycle(graph, edges), inFlight: records, capacity }
  const drops = lanes.find((lane) => lane.drops)
  if (records === 0) {
    return { ...verdict, safe: true, reason: 'unreached', why: 'No source reaches this loop.' }
  }
  if (drops !== undefined) {
    const why = `The buffer ${quote(drops.buffer)} drops records when it is full, so no worker waits for it.`
    return { ...verdict, safe: true, reason: 'drops', why }
  }
  if (records === Infinity) {
    const why =
      'One record may become several inside the loop, so no capacity is enough: let a buffer in it drop, or multiply outside.'
    return { ...verdict, safe: false, reason: 'multiplies', why }
  }
  if (capacity >= records) {
    const why = `Its lanes hold ${capacity} records, and at most ${records} may be in the loop at once.`
    return { ...verdict, safe: true, reason: 'fits', why }
  }
  const lane = feedback(graph, lanes)
  if (lane === undefined) {
    return { ...verdict, safe: false, reason: 'tooSmall', why: 'It has no lane that could hold its records.' }
  }
  const enlarge = enlargement(graph, lane, records - (capacity - lane.capacity))
  keepLarger(enlarge, lanes, records, larger, graph)
  const place =
    enlarge.buffer === undefined
      ? `\`maxDemand\` of edge ${edgeName(graph, enlarge.edge)}`
      : `\`capacity\` of ${quote(enlarge.buffer)}`
  const why = `Its lanes hold ${capacity} records, and up to ${records} may be in the loop at once: set ${place} to ${enlarge.capacity}, or lower the \`window\` of the sources.`
  return { ...verdict, safe: false, reason: 'tooSmall', why, enlarge }
}

/** Adds the enlargement, unless those of earlier cycles already give this one what it needs. */
function keepLarger(
  enlarge: Enlargement,
  lanes: readonly LanePath[],
  records: number,
  larger: Map<number, Enlargement>,
  graph: Adjacency,
): void {
  const now = lanes.reduce((sum, lane) => {
    return sum + Math.max(lane.capacity, larger.get(closingEdge(graph, lane))?.capacity ?? 0)
  }, 0)
  if (now >= records) return
  const before = larger.get(enlarge.edge)?.capacity ?? 0
  if (enlarge.capacity > before) larger.set(enlarge.edge, enlarge)
}

/** The lane to enlarge: the one that leads back by a retry edge, else the last one of the cycle. */
function feedback(graph: Adjacency, lanes: readonly LanePath[]): LanePath | undefined {
  const open = lanes.filter(({ capacity }) => capacity > 0)
  const back = open.findLast(({ edges }) => edges.some((edge) => graph.edge(edge).pathType === 'retry'))
  return back ?? open.at(-1)
}

function enlargement(graph: Adjacency, lane: LanePath, capacity: number): Enlargement {
  const edge = closingEdge(graph, lane)
  return lane.buffer === undefined ? { edge, capacity } : { edge, buffer: lane.buffer, capacity }
}

/** The edge by which a lane is named: its retry edge, else its last. */
function closingEdge(graph: Adjacency, { edges }: LanePath): number {
  return edges.findLast((edge) => graph.edge(edge).pathType === 'retry') ?? edges.at(-1) ?? -1
}

/** The cycle's edges in an order that begins at a stage, so that it can be cut into whole lanes. */
function fromStage(graph: Adjacency, edges: readonly number[]): readonly number[] {
  const start = edges.findIndex((edge) => isStage(graph.node(graph.from(edge)).kind))
  return start <= 0 ? edges : [...edges.slice(start), ...edges.slice(0, start)]
}

/** Where there are too many cycles to look at: every edge that leads back in the order of the graph holds everything. */
function enlargeBackEdges(
  graph: Adjacency,
  inFlight: (edge: number) => number,
  larger: Map<number, Enlargement>,
): void {
  for (const edge of graph.edges) {
    const records = inFlight(edge)
    if (graph.to(edge) > graph.from(edge) || records === 0 || records === Infinity) continue
    if ((larger.get(edge)?.capacity ?? 0) < records) larger.set(edge, { edge, capacity: records })
  }
}

function edgeName(graph: Adjacency, edge: number): string {
  return `${quote(graph.edge(edge).from)} → ${quote(graph.edge(edge).to)}`
}
