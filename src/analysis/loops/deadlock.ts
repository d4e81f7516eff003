import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { components } from '../components.ts'
import { elementaryCycles } from '../cycles.ts'
import { refuseBadFigures } from '../flow/figures.ts'
import { sharesOf } from '../flow/shares.ts'
import { resolved } from '../resolved.ts'
import { largestChunk, mostInFlight } from './in-flight.ts'
import { DEFAULT_MAX_DEMAND, USABLE_RECORD_BYTES } from './lanes.ts'
import { reconvergences, type Reconvergence } from './reconvergence.ts'
import { verdictOf, type Enlargement, type LoopVerdict } from './verdict.ts'

/** Whether the workers of a loop may come to wait for each other. */
export interface Deadlock {
  /** No loop can block itself, given that the plan does what `sized` says. */
  readonly safe: boolean
  readonly loops: readonly LoopVerdict[]
  readonly reconvergences: readonly Reconvergence[]
  /** Lanes of which the graph says nothing, and what the plan makes them hold so that all loops are safe. */
  readonly sized: readonly Enlargement[]
  /** What the graph itself says too small: changes that together make all loops safe, but for those that multiply records. */
  readonly enlarge: readonly Enlargement[]
  /** There are more cycles than were looked at one by one; `sized` and `enlarge` cover the rest, by more than may be needed. */
  readonly incomplete: boolean
  /** What the proof takes for granted, in sentences; empty where there is no loop. */
  readonly assumptions: readonly string[]
}

/** What `deadlock` looks with. */
export interface DeadlockOptions {
  /** Records on a lane of which the graph says nothing. Default: 8,192. */
  readonly maxDemand?: number
  /** Most cycles that are looked at one by one. Default: 1,000. */
  readonly maxCycles?: number
  /** Records that may be put in by hand at once (`inject`). Default: 0. */
  readonly injected?: number
}

/**
 * Proves, by credit, which loops cannot block themselves. Workers of a loop wait for each other only when every lane on the
 * way round is full; so a loop is safe where its lanes hold more than can be in it at once, which the windows of the sources
 * bound. Joins take whatever comes first, so paths that meet again never block each other.
 * Cost: O((nodes + edges) × (cycles + 1)). @throws GRAPH_INVALID where a figure is no number, or negative
 */
export function deadlock(graph: GraphData, options: DeadlockOptions = {}): Deadlock {
  const { maxDemand = DEFAULT_MAX_DEMAND, maxCycles = 1_000, injected = 0 } = options
  refuseBadFigures(graph)
  const found = resolved(graph)
  const parts = components(found)
  const { cycles, incomplete } = elementaryCycles(found, maxCycles)
  const most = parts.members.map((_, index) => (parts.isLoop(index) ? mostInFlight(found, parts, index, injected) : 0))
  const chunks = parts.members.map((_, index) => (parts.isLoop(index) ? largestChunk(found, parts, index) : 1))
  const inFlight = (edge: number): number => {
    const component = parts.of(found.from(edge))
    return component === parts.of(found.to(edge)) ? (most[component] ?? 0) : 0
  }
  const shares = sharesOf(found)
  const larger = new Map<number, Enlargement>()
  const loops = cycles.map((edges) => {
    const chunk = chunks[parts.of(found.from(edges[0] ?? -1))] ?? 1
    return verdictOf(found, edges, { records: inFlight(edges[0] ?? -1), facts: { maxDemand, chunk }, shares, larger })
  })
  if (incomplete) {
    enlargeBackEdges(found, (edge) => inFlight(edge) && inFlight(edge) + chunks[parts.of(found.from(edge))]!, larger)
  }
  const met = reconvergences(found)
  const all = [...larger.values()].sort((a, b) => a.edge - b.edge)
  const enlarge = all.filter(({ isSaid }) => isSaid)
  return {
    safe: enlarge.length === 0 && loops.every(({ safe }) => safe) && !(incomplete && most.includes(Infinity)),
    loops,
    reconvergences: met.list,
    sized: all.filter(({ isSaid }) => !isSaid),
    enlarge,
    incomplete: incomplete || met.incomplete,
    assumptions: cycles.length === 0 ? [] : [...ASSUMED, ...(injected === 0 ? [NO_INJECTION] : [])],
  }
}

const ASSUMED = [
  `Records take at most ${USABLE_RECORD_BYTES} bytes each on the lanes of a loop, their frames included: set \`laneBytes\` if they take more.`,
  'Of one record no handler makes more results than its `selectivity` says, rounded up, and emits one to each branch at most.',
  'Sinks and outputs below take what comes: a loop also stands still behind one that is not read.',
] as const
const NO_INJECTION = 'Nothing is put in by hand (`inject`).'

/** Every cycle has an edge that leads back in the order of the graph: each of those holds everything. */
function enlargeBackEdges(
  graph: ResolvedGraph,
  inFlight: (edge: number) => number,
  larger: Map<number, Enlargement>,
): void {
  for (const edge of graph.edges) {
    const records = inFlight(edge)
    if (graph.to(edge) > graph.from(edge) || records === 0 || records === Infinity) continue
    const { maxDemand } = graph.edge(edge)
    const isBuffered = [graph.from(edge), graph.to(edge)].some((node) => graph.node(node).kind === 'buffer')
    if ((maxDemand ?? 0) >= records || (larger.get(edge)?.capacity ?? 0) >= records) continue
    larger.set(edge, { edge, capacity: records, isSaid: maxDemand !== undefined || isBuffered })
  }
}
