import { headerBytes } from '../memory/lane.ts'
import { powerOfTwo } from './lane-sizes.ts'
import type { LinkShape } from './links.ts'
import type { StageDraft } from './stage-draft.ts'

/** A ring takes frames of half its bytes; so a header takes at most half of a frame. */
const RING_PER_HEADER = 4

/**
 * Enlarges the rings that are too small for the headers of what goes over them: what comes of a batch carries an anchor for
 * each slot that its records came of.
 * @param slots of each stage's sources above it, all workers together
 */
export function withRoomForAnchors(
  shapes: readonly LinkShape[],
  drafts: readonly StageDraft[],
  slots: readonly number[],
): LinkShape[] {
  const anchors = mostAnchors(shapes, drafts, slots)
  return shapes.map((shape) => {
    const least = powerOfTwo(RING_PER_HEADER * headerBytes(anchors[shape.from]!))
    return { ...shape, sizes: { ...shape.sizes, ringBytes: Math.max(shape.sizes.ringBytes, least) } }
  })
}

/** Anchors, at most, of what each stage sends. Batches of batches carry those of all, but no slot twice. */
function mostAnchors(shapes: readonly LinkShape[], drafts: readonly StageDraft[], slots: readonly number[]): number[] {
  const anchors = drafts.map(() => 1)
  for (let changed = true; changed;) {
    changed = false
    for (const { from, to } of shapes) {
      const { batch } = drafts[to]!.stage.input ?? {}
      const collected = (batch?.size ?? 1) * anchors[from]!
      const most = Math.min(collected, Math.max(1, slots[to]!))
      if (most <= anchors[to]!) continue
      anchors[to] = most
      changed = true
    }
  }
  return anchors
}
