import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import { RUN_OPTIONS } from '../../options/index.ts'
import { isFailureEdge } from '../flow/shares.ts'
import { fusedStageOf, isFused } from './workers.ts'

/** Records on a lane for which neither its edges nor a buffer say anything. */
export const DEFAULT_MAX_DEMAND = RUN_OPTIONS.maxDemand.default

/**
 * Bytes of a ring for each record that it is meant to hold, and the largest ring that the plan makes for a number of records.
 * A writer waits while less than an eighth of its ring is free, and pads the end of it; so a record has three quarters of this.
 */
export const RING_BYTES_PER_RECORD = 128
export const MAX_SIZED_RING_BYTES: number = 1 << 26
export const USABLE_RECORD_BYTES: number = (RING_BYTES_PER_RECORD / 4) * 3

/** What runs from one stage to the next, through nodes without threads: one ring for each pair of workers. */
export interface LanePath {
  /** Edge indices, in the order of the flow. */
  readonly edges: readonly number[]
  /** Rings: workers that write times workers that read. */
  readonly rings: number
  /**
   * Records that are on one ring at the least while its writer waits: the first `maxDemand` on the way, else what its buffers
   * hold together, shared by the rings, else the default; at most one more than the `minDemand` that is said, because the
   * reader grants no more before; at most what its bytes hold. 0 where fused.
   */
  readonly ringCapacity: number
  /** Rings that must be full before the cycle can stand still, and the workers that read them. */
  readonly fullRings: number
  readonly waitingReaders: number
  /** Most records of a chunk that its readers send on together. */
  readonly chunk: number
  /** The graph says the capacity; otherwise the plan is free to choose it. */
  readonly isSaid: boolean
  /** A buffer on the way drops records when it is full, so a writer never waits for it. */
  readonly drops: boolean
  /** The buffer on the way whose `capacity` counts. */
  readonly buffer: string | undefined
  /** Options besides the capacity that the graph says of the lane, and that bound what it holds. */
  readonly bounds: readonly ('minDemand' | 'laneBytes')[]
}

/** What the lanes of a graph hold where it says nothing, and the most records of a chunk in a loop. */
export interface LaneFacts {
  readonly maxDemand: number
  readonly chunk: number
}

/** Cuts a cycle into lanes: a new one begins at each stage. It must begin at a stage. */
export function lanePaths(graph: ResolvedGraph, cycle: readonly number[], facts: LaneFacts): readonly LanePath[] {
  const paths: number[][] = []
  let edges: number[] = []
  for (const edge of cycle) {
    edges.push(edge)
    if (!isStage(graph.node(graph.to(edge)).kind)) continue
    paths.push(edges)
    edges = []
  }
  return paths.map((path, i) => {
    const next = paths[(i + 1) % paths.length]![0]!
    const chunk = goesAlone(graph, next) ? 1 : facts.chunk
    return { ...laneOf(graph, path, facts.maxDemand), chunk }
  })
}

/** A record whose call failed is sent by itself, apart from those before it. */
function goesAlone(graph: ResolvedGraph, edge: number): boolean {
  const node = graph.node(graph.from(edge))
  return (
    isFailureEdge(node, graph.edge(edge)) &&
    node.batch === undefined &&
    fusedStageOf(graph, graph.from(edge)) === graph.from(edge)
  )
}

/**
 * Different records that a lane holds when the cycle stands still, with rings of so many. Records that a worker has in hand
 * lie on their ring until all that came of their chunk is sent: those of which it is sent already count on the next one too.
 */
export function heldBy({ fullRings, waitingReaders, chunk }: LanePath, ringCapacity: number): number {
  return fullRings * ringCapacity - waitingReaders * Math.max(0, Math.min(chunk, ringCapacity) - 1)
}

/** The least that each ring must hold so that the lane holds so many. */
export function ringFor({ fullRings, waitingReaders, chunk }: LanePath, records: number): number {
  const ofOneChunk = Math.ceil((records - waitingReaders) / (fullRings - waitingReaders))
  if (fullRings > waitingReaders && ofOneChunk <= chunk) return Math.max(1, ofOneChunk)
  return Math.max(1, Math.ceil((records + waitingReaders * (chunk - 1)) / fullRings))
}

function laneOf(graph: ResolvedGraph, edges: readonly number[], maxDemand: number): Omit<LanePath, 'chunk'> {
  // What is fused runs in the workers of the first of its chain, which get their records as that one does.
  const [from, to] = [fusedStageOf(graph, graph.from(edges[0] ?? -1)), graph.to(edges.at(-1) ?? -1)]
  const [writers, readers] = [graph.node(from).workers, graph.node(to).workers]
  const rings = writers * readers
  const buffers = edges.map((edge) => graph.node(graph.to(edge))).filter(({ kind }) => kind === 'buffer')
  const said = (name: 'maxDemand' | 'minDemand' | 'laneBytes'): number | undefined =>
    edges.map((edge) => graph.edge(edge)[name]).find((value) => value !== undefined)
  const [demand, minDemand, laneBytes] = [said('maxDemand'), said('minDemand'), said('laneBytes')]
  const held = buffers.reduce((sum, { capacity }) => sum + capacity, 0)
  const fused = edges.some((edge) => isFused(graph, edge))
  const records = demand ?? (buffers.length > 0 ? Math.ceil(held / rings) : maxDemand)
  return {
    edges,
    rings,
    ringCapacity: fused ? 0 : Math.min(records, (minDemand ?? Infinity) + 1, recordsOf(laneBytes)),
    fullRings: (waitsForAll(graph, from) ? writers : 1) * (waitsForAll(graph, to) ? readers : 1),
    waitingReaders: waitsForAll(graph, to) ? readers : 1,
    isSaid: fused || demand !== undefined || buffers.length > 0 || minDemand !== undefined || laneBytes !== undefined,
    drops: buffers.some(({ whenFull }) => whenFull !== 'block'),
    buffer: demand === undefined ? buffers[0]?.id : undefined,
    bounds: [
      ...(minDemand === undefined ? [] : ['minDemand' as const]),
      ...(laneBytes === undefined ? [] : ['laneBytes' as const]),
    ],
  }
}

/** Records for which a ring has bytes; where none are said, those of the largest one. */
function recordsOf(laneBytes: number = MAX_SIZED_RING_BYTES): number {
  return Math.max(1, Math.floor(2 ** Math.ceil(Math.log2(laneBytes)) / RING_BYTES_PER_RECORD))
}

/**
 * A writer that may choose among the workers of a stage waits only while all of them hold back, so all of them must be
 * waiting themselves before anything stands still. One that may not choose (by key, to all, in turn) can wait for one.
 */
function waitsForAll(graph: ResolvedGraph, stage: number): boolean {
  return graph.node(stage).dispatch === 'demand'
}
