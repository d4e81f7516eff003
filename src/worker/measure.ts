import { anchorSlot, anchorSource, slotBorn } from '../memory/slots.ts'
import type { LaneChunk } from './in/inlet.ts'
import type { Parts } from './stage.ts'

/** Records how long a chunk lay on its lane, and, where records end, how long they were on their way. */
export function measureChunk({ plan, memory, clock, histograms }: Parts, chunk: LaneChunk): void {
  const { count, slot } = chunk
  const { lane, endToEnd } = histograms
  lane?.record((clock.stamp - chunk.stamp) * 1000, count)
  if (endToEnd === undefined) return
  const source = plan.workers[plan.sources[anchorSource(slot)]!]!
  endToEnd.record((clock.stamp - slotBorn(memory.words, source.slots!, anchorSlot(slot))) * 1000, count)
}
