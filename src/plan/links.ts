import { MAX_SIZED_RING_BYTES, RING_BYTES_PER_RECORD } from '../analysis/loops/lanes.ts'
import { BATCH_OPTIONS, EDGE_OPTIONS, type RUN_OPTIONS, type Resolved, resolve } from '../options.ts'
import { MIN_RING_BYTES } from '../lane/layout.ts'
import { type Network, edgeAt, nodeAt } from './network.ts'
import type { LinkDraft, StageDraft } from './stages.ts'
import type { LinkPlan } from './types.ts'

/** What every lane of a link has. */
export interface LaneSizes {
  readonly maxDemand: number
  readonly minDemand: number
  readonly shapeBytes: number
  readonly ringBytes: number
}

export type LinkShape = Omit<LinkPlan, 'lanes'> & { readonly sizes: LaneSizes }

const SHAPE_BYTES = 16_384

/**
 * Everything about a link but where its lanes lie.
 * @param loops for edges on a loop, how many records each lane must hold at least, as far as the graph leaves it open
 */
export function linkShape(
  network: Network,
  draft: LinkDraft,
  stages: readonly StageDraft[],
  options: Resolved<typeof RUN_OPTIONS>,
  loops: ReadonlyMap<number, number>,
): LinkShape {
  const edges = draft.edges.map((index) => edgeAt(network, index))
  const first = <T>(pick: (edge: (typeof edges)[number]) => T | undefined): T | undefined =>
    edges.map(pick).find((value) => value !== undefined)
  const [from, to] = [draft.from, draft.to].map((id) => stages.find(({ stage }) => stage.node === id)!.stage)
  const target = nodeAt(network, draft.to)
  const dispatch = target.dispatch ?? (target.partitionBy === undefined ? 'demand' : 'partition')
  const selectorEdge = draft.edges.find((index) => edgeAt(network, index).selector !== undefined)
  const codec = first(({ codec }) => codec) ?? EDGE_OPTIONS.codec.default
  const lanes = from!.concurrency * to!.concurrency
  const asked = first(({ maxDemand }) => maxDemand) ?? share(draft.capacity, lanes)
  const loop = Math.max(0, ...draft.edges.map((edge) => loops.get(edge) ?? 0))
  const batch =
    target.batch === undefined && target.mapBatch === undefined ? 0 : resolve(BATCH_OPTIONS, target.batch).size
  const needed = asked ?? Math.max(options.maxDemand, 2 * batch, loop)
  // The writer of a buffer that drops the oldest writes on while the reader drops.
  const maxDemand = draft.whenFull === 'dropOldest' ? 2 * needed : needed
  // A loop is safe by the records that its lanes hold, so bytes must not run out before.
  const isSized = asked !== undefined || draft.edges.some((edge) => loops.has(edge))
  const sized = Math.min(MAX_SIZED_RING_BYTES, maxDemand * RING_BYTES_PER_RECORD)
  // A reader that grants by halves leaves its writer without credit on a lane that holds half, and a loop could stand still there.
  const granting = draft.edges.some((edge) => loops.has(edge)) ? maxDemand - 1 : maxDemand >> 1
  const isInjection = draft.edges.length === 0
  const usual = isInjection ? sized : Math.max(options.laneBytes, isSized ? sized : 0)
  const ringBytes = first(({ laneBytes }) => laneBytes) ?? usual
  return {
    index: draft.index,
    from: from!.index,
    to: to!.index,
    toNode: draft.to,
    edges: draft.edges,
    pathType: first(({ pathType }) => (pathType === 'normal' ? undefined : pathType)) ?? 'normal',
    codec,
    dispatch,
    whenFull: draft.whenFull,
    dropEdge: draft.dropEdge,
    capacity: needed,
    selectorEdge,
    sizes: {
      maxDemand,
      minDemand: Math.min(first(({ minDemand }) => minDemand) ?? granting, maxDemand - 1),
      shapeBytes: codec === 'shape' ? SHAPE_BYTES : 0,
      ringBytes: powerOfTwo(Math.max(MIN_RING_BYTES, ringBytes)),
    },
  }
}

function share(capacity: number | undefined, lanes: number): number | undefined {
  return capacity === undefined ? undefined : Math.ceil(capacity / lanes)
}

export function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast))
}
