import { MAX_SIZED_RING_BYTES, RING_BYTES_PER_RECORD } from '../analysis/loops/lanes.ts'
import { textBytesOf } from '../codec/text-bytes.ts'
import { MIN_RING_BYTES } from '../memory/lane.ts'
import { EDGE_OPTIONS, type Resolved, type RUN_OPTIONS } from '../options/index.ts'
import { powerOfTwo, sharedRingBytes, sharedTextBytes } from './lane-sizes.ts'
import { type Network, edgeAt, nodeAt } from './network.ts'
import type { LinkDraft, StageDraft } from './stage-draft.ts'
import type { LinkPlan } from './types.ts'

/** What every lane of a link has. */
export interface LaneSizes {
  readonly maxDemand: number
  readonly minDemand: number
  readonly shapeBytes: number
  readonly ringBytes: number
}

export type LinkShape = Omit<LinkPlan, 'lanes'> & { readonly sizes: LaneSizes }

/**
 * Everything about a link but where its lanes lie.
 * @param loops for edges on a loop, how many records each lane must hold at least, as far as the graph leaves it open
 * @param linkBytes what the rings of a link take together; undefined: the run says how large each of them is
 */
export function linkShape(
  network: Network,
  draft: LinkDraft,
  stages: readonly StageDraft[],
  options: Resolved<typeof RUN_OPTIONS>,
  loops: ReadonlyMap<number, number>,
  linkBytes: number | undefined,
): LinkShape {
  // The first edge on the path that says something says it for the lane.
  const edges = draft.edges.map((index) => network.given.edges[index]!)
  const first = <T>(pick: (edge: (typeof edges)[number]) => T | undefined): T | undefined =>
    edges.map(pick).find((value) => value !== undefined)
  const [from, to] = [draft.from, draft.to].map((id) => stages.find(({ stage }) => stage.node === id)!.stage)
  const target = nodeAt(network, draft.to)
  const codec = first(({ codec }) => codec) ?? EDGE_OPTIONS.codec.default
  const lanes = from!.seats * to!.seats
  const asked = first(({ maxDemand }) => maxDemand) ?? share(draft.capacity, lanes)
  const loop = Math.max(0, ...draft.edges.map((edge) => loops.get(edge) ?? 0))
  const batch = target.batch?.size ?? 0
  const needed = asked ?? Math.max(options.maxDemand, 2 * batch, loop)
  // The writer of a buffer that drops the oldest writes on while the reader drops. One that drops the newest holds as many:
  // its capacity, beside the record in hand.
  const maxDemand = draft.whenFull === 'dropOldest' ? 2 * needed : draft.whenFull === 'dropNewest' ? needed + 1 : needed
  // Whoever drops what has no credit must be granted each place at once. And a reader that grants by halves leaves its writer
  // without credit on a lane that holds half, where a loop could stand still.
  const grantsEach = draft.whenFull === 'dropNewest' || draft.edges.some((edge) => loops.has(edge))
  const usualMinDemand = grantsEach ? maxDemand - 1 : maxDemand >> 1
  // A loop is safe by the records that its lanes hold, so bytes must not run out before.
  const isSized = asked !== undefined || draft.edges.some((edge) => loops.has(edge))
  const sized = Math.min(MAX_SIZED_RING_BYTES, maxDemand * RING_BYTES_PER_RECORD)
  const isInjection = draft.edges.length === 0
  const usual = isInjection ? sized : Math.max(options.laneBytes, isSized ? sized : 0)
  const own = first(({ laneBytes }) => laneBytes)
  const alone = powerOfTwo(Math.max(MIN_RING_BYTES, own ?? usual))
  // All lanes into a worker hold two batches for it.
  const least = powerOfTwo(Math.max(isSized ? sized : 0, (2 * batch * RING_BYTES_PER_RECORD) / from!.concurrency))
  const isAsked = own !== undefined || linkBytes === undefined
  const ringBytes = isAsked ? alone : sharedRingBytes(alone, least, lanes, linkBytes)
  const textBytes = textBytesOf(codec)
  return {
    index: draft.index,
    from: from!.index,
    to: to!.index,
    toNode: draft.to,
    edges: draft.edges,
    pathType: first(({ pathType }) => (pathType === 'normal' ? undefined : pathType)) ?? EDGE_OPTIONS.pathType.default,
    codec,
    dispatch: target.dispatch,
    whenFull: draft.whenFull,
    dropEdge: draft.dropEdge,
    capacity: needed,
    selectorEdge: draft.selectorEdge,
    capture: captureOf(network, draft),
    narrowedFrom: ringBytes < alone ? alone : undefined,
    sizes: {
      maxDemand,
      minDemand: Math.min(first(({ minDemand }) => minDemand) ?? usualMinDemand, maxDemand - 1),
      shapeBytes: ringBytes < alone ? sharedTextBytes(textBytes, ringBytes) : textBytes,
      ringBytes,
    },
  }
}

function share(capacity: number | undefined, lanes: number): number | undefined {
  return capacity === undefined ? undefined : Math.ceil(capacity / lanes)
}

/** The first edge on the path that wants records to be captured says how. */
function captureOf(network: Network, { edges }: LinkDraft): LinkPlan['capture'] {
  const edge = edges.find((index) => edgeAt(network, index).capture !== undefined)
  return edge === undefined ? undefined : { edge, bytes: edgeAt(network, edge).capture! }
}
