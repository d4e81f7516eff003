import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import { describeCycle } from '../cycles.ts'
import type { EdgeShare } from '../flow/shares.ts'
import { quote } from '../problems.ts'
import type { Cycle } from '../types.ts'
import { heldBy, type LaneFacts, lanePaths, RING_BYTES_PER_RECORD, ringFor, type LanePath } from './lanes.ts'

/** What a lane must hold so that a loop is safe. */
export interface Enlargement {
  /** Index into `graph.edges`: an edge of the lane, its retry edge where it has one, else its last. */
  readonly edge: number
  /** Records on each ring of the lane. */
  readonly capacity: number
  /** The graph says a smaller size: by the `capacity` of `buffer` where that is given, else by the edge's `maxDemand`. */
  readonly isSaid: boolean
  readonly buffer?: string
  /** The `capacity` that `buffer` needs: its rings together. */
  readonly bufferCapacity?: number
  /** What else has to be said larger, where the graph says it: `minDemand` and `laneBytes` of the lane's edges. */
  readonly minDemand?: number
  readonly laneBytes?: number
}

/** Whether the workers of one cycle can come to wait for each other in a ring. */
export interface LoopVerdict {
  readonly cycle: Cycle
  readonly safe: boolean
  /**
   * Safe: `fits`, its lanes hold all that may be in it at once; `sized`, the graph leaves a lane of it to the plan, which
   * makes it hold the rest; `drops`, a full lane of it drops instead of blocking; `unreached`, no source reaches it.
   * Not safe: `tooSmall`; `multiplies`, one record may become any number in the loop, there or in a loop before it, so no
   * capacity is enough.
   */
  readonly reason: 'fits' | 'sized' | 'drops' | 'unreached' | 'tooSmall' | 'multiplies'
  readonly why: string
  /** The most records that may be in the loop at once; infinite where it multiplies them. */
  readonly inFlight: number
  /** Different records that the lanes of the cycle hold before it can stand still: more than `inFlight` where it is safe. */
  readonly capacity: number
  /** The smallest change that makes this cycle safe by itself; absent where it is safe without one, or nothing helps. */
  readonly enlarge?: Enlargement
}

export interface Bounds {
  readonly shares: readonly EdgeShare[]
  readonly records: number
  readonly facts: LaneFacts
  /** What earlier cycles asked for, by edge; this one adds what it still lacks. */
  readonly larger: Map<number, Enlargement>
}

export function verdictOf(graph: ResolvedGraph, edges: readonly number[], bounds: Bounds): LoopVerdict {
  const { records, facts, shares } = bounds
  const lanes = lanePaths(graph, fromStage(graph, edges), facts)
  const capacity = lanes.reduce((sum, lane) => sum + held(lane), 0)
  const verdict = { cycle: describeCycle(graph, shares, edges), inFlight: records, capacity }
  const drops = lanes.find((lane) => lane.drops)
  if (records === 0) return { ...verdict, safe: true, reason: 'unreached', why: 'No source reaches this loop.' }
  if (drops !== undefined) {
    const why = `The buffer ${quote(drops.buffer)} drops records when it is full, so no worker waits for it.`
    return { ...verdict, safe: true, reason: 'drops', why }
  }
  if (records === Infinity) {
    const why =
      'One record may become any number of records in the loop, so no capacity is enough: let a buffer in it drop, or copy and multiply outside of loops.'
    return { ...verdict, safe: false, reason: 'multiplies', why }
  }
  if (capacity > records) {
    const why = `Its lanes hold ${capacity} records when they are full, and at most ${records} may be in the loop at once.`
    return { ...verdict, safe: true, reason: 'fits', why }
  }
  return { ...verdict, ...lacking(graph, lanes, { ...bounds, capacity }) }
}

/** The verdict on a cycle whose lanes do not hold enough by themselves. */
function lacking(
  graph: ResolvedGraph,
  lanes: readonly LanePath[],
  { records, capacity, larger }: Omit<Bounds, 'shares'> & { readonly capacity: number },
): Pick<LoopVerdict, 'safe' | 'reason' | 'why' | 'enlarge'> {
  const lane = feedback(graph, lanes)
  if (lane === undefined) return { safe: false, reason: 'tooSmall', why: 'It has no lane that could hold its records.' }
  const enlarge = enlargement(graph, lane, ringFor(lane, records + 1 - (capacity - held(lane))))
  keepLarger(graph, lanes, records, enlarge, larger)
  const edge = `${quote(graph.edge(enlarge.edge).from)} → ${quote(graph.edge(enlarge.edge).to)}`
  const holds = `Its lanes hold ${capacity} records when they are full, and up to ${records} may be in the loop at once`
  if (!lane.isSaid) {
    const why = `${holds}: the plan makes the lane over ${edge} hold ${enlarge.capacity}.`
    return { safe: true, reason: 'sized', why, enlarge }
  }
  const place =
    enlarge.buffer === undefined ? `\`maxDemand\` of edge ${edge}` : `\`capacity\` of ${quote(enlarge.buffer)}`
  const to = enlarge.bufferCapacity ?? enlarge.capacity
  const beside = lane.bounds.map((name) => ` and \`${name}\` to ${enlarge[name]}`).join('')
  const why = `${holds}: set ${place} to ${to}${beside}, or lower the \`window\` of the sources.`
  return { safe: false, reason: 'tooSmall', why, enlarge }
}

/** Records that a lane holds when the cycle stands still. */
function held(lane: LanePath): number {
  return heldBy(lane, lane.ringCapacity)
}

/**
 * The lane to enlarge: one of which the graph says nothing before one of which it does, one that leads back by a retry edge
 * before others, a later one before an earlier.
 */
function feedback(graph: ResolvedGraph, lanes: readonly LanePath[]): LanePath | undefined {
  const rank = (lane: LanePath): number => (lane.isSaid ? 0 : 2) + (retryEdge(graph, lane) === undefined ? 0 : 1)
  return lanes
    .filter(({ ringCapacity }) => ringCapacity > 0)
    .reduce<LanePath | undefined>(
      (best, lane) => (best === undefined || rank(lane) >= rank(best) ? lane : best),
      undefined,
    )
}

function enlargement(graph: ResolvedGraph, lane: LanePath, capacity: number): Enlargement {
  const edge = closingEdge(graph, lane)
  return {
    edge,
    capacity,
    isSaid: lane.isSaid,
    ...(lane.buffer === undefined ? {} : { buffer: lane.buffer, bufferCapacity: capacity * lane.rings }),
    ...(lane.bounds.includes('minDemand') ? { minDemand: capacity - 1 } : {}),
    ...(lane.bounds.includes('laneBytes') ? { laneBytes: capacity * RING_BYTES_PER_RECORD } : {}),
  }
}

/** Adds the enlargement, unless those of earlier cycles already give this one what it needs. */
function keepLarger(
  graph: ResolvedGraph,
  lanes: readonly LanePath[],
  records: number,
  enlarge: Enlargement,
  larger: Map<number, Enlargement>,
): void {
  const now = lanes.reduce((sum, lane) => {
    return sum + heldBy(lane, Math.max(lane.ringCapacity, larger.get(closingEdge(graph, lane))?.capacity ?? 0))
  }, 0)
  const before = larger.get(enlarge.edge)?.capacity ?? 0
  if (now <= records && enlarge.capacity > before) larger.set(enlarge.edge, enlarge)
}

/** The edge by which a lane is named: its retry edge, else its last. */
function closingEdge(graph: ResolvedGraph, lane: LanePath): number {
  return retryEdge(graph, lane) ?? lane.edges.at(-1) ?? -1
}

function retryEdge(graph: ResolvedGraph, { edges }: LanePath): number | undefined {
  return edges.findLast((edge) => graph.edge(edge).pathType === 'retry')
}

/** The cycle's edges in an order that begins at a stage, so that it can be cut into whole lanes. */
function fromStage(graph: ResolvedGraph, edges: readonly number[]): readonly number[] {
  const start = edges.findIndex((edge) => isStage(graph.node(graph.from(edge)).kind))
  return start <= 0 ? edges : [...edges.slice(start), ...edges.slice(0, start)]
}
