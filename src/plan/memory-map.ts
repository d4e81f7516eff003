import type { HistogramKind } from '../figures.ts'
import { type AckLaneLayout, ackLaneBytes } from '../memory/acks.ts'
import { type JournalLayout, journalBytes } from '../memory/journal.ts'
import { type LaneLayout, laneBytes } from '../memory/lane.ts'
import { LINE_BYTES } from '../memory/memory.ts'
import { SIZING_BYTES } from '../memory/sizing.ts'
import { type HeadsLayout, headBytes } from '../memory/heads.ts'
import { type SlotsLayout, slotsBytes, PARENT_WORDS } from '../memory/slots.ts'
import { type StashLayout, stashBytes } from '../memory/stash.ts'
import { EVENT_BYTES, TRACE_CONTROL_BYTES, type TraceLayout, traceBytes } from '../memory/trace.ts'
import { powerOfTwo } from './lane-sizes.ts'
import { TIME_FLOATS } from '../memory/counters.ts'
import { HISTOGRAM_BYTES } from '../memory/histogram.ts'
import { PIPELINE_CONTROL_BYTES, RATE_LIMIT_BYTES, WORKER_CONTROL_BYTES, doorbellOffset } from '../memory/control.ts'
import { handBytes } from '../memory/hand.ts'
import type { LaneSizes } from './links.ts'
import { PROGRESS_BYTES } from '../memory/progress.ts'
import { reasonsBytes } from '../memory/reasons.ts'
import type { HandLayout, PipelineControl, WorkerControl } from './types.ts'

const STASH_TEXT_BYTES = 16_384

/** Hands out parts of the shared memory, one after the other, each on lines of its own. */
export class MemoryMap {
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  take(bytes: number): number {
    const offset = this.#bytes
    this.#bytes += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES
    return offset
  }

  pipelineControl(): PipelineControl {
    return { offset: this.take(PIPELINE_CONTROL_BYTES) }
  }

  rateLimit(): number {
    return this.take(RATE_LIMIT_BYTES)
  }

  sizing(): number {
    return this.take(SIZING_BYTES)
  }

  workerControl(): WorkerControl {
    const offset = this.take(WORKER_CONTROL_BYTES)
    return { offset, doorbell: doorbellOffset(offset) }
  }

  journal(entries: number, counters: number): JournalLayout {
    const offset = this.take(journalBytes(entries, counters))
    return { offset, entries, countersOffset: this.take(8 * counters), counters }
  }

  times(): number {
    return this.take(8 * TIME_FLOATS)
  }

  histograms(kinds: readonly HistogramKind[]): Partial<Record<HistogramKind, number>> {
    return Object.fromEntries(kinds.map((kind) => [kind, this.take(HISTOGRAM_BYTES)]))
  }

  lane(sizes: LaneSizes): LaneLayout {
    return { offset: this.take(laneBytes(sizes)), ...sizes }
  }

  /** @param reasonWords of the ring beside it; 0 for none */
  acks(entries: number, reasonWords: number): AckLaneLayout {
    const lane = { offset: this.take(ackLaneBytes(entries)), entries }
    if (reasonWords === 0) return lane
    return { ...lane, reasons: { offset: this.take(reasonsBytes(reasonWords)), words: reasonWords } }
  }

  /** @param metaBytes room for `meta` in the heads beside them; undefined: there are none */
  slots(slots: number, source: number, hasParents: boolean, metaBytes: number | undefined): SlotsLayout {
    const offset = this.take(slotsBytes(slots))
    const parents = hasParents ? this.take(4 * PARENT_WORDS * slots) : undefined
    const heads = metaBytes === undefined ? undefined : this.#heads(slots, headBytes(metaBytes))
    return { offset, slots, source, ...(parents !== undefined && { parents }), ...(heads && { heads }) }
  }

  #heads(slots: number, bytes: number): HeadsLayout {
    return { offset: this.take(slots * bytes), bytes }
  }

  stash(ringBytes: number): StashLayout {
    const sizes = { textBytes: STASH_TEXT_BYTES, ringBytes }
    return { offset: this.take(stashBytes(sizes)), ...sizes }
  }

  trace(ringBytes: number, sideBytes: number): TraceLayout {
    const sizes = { events: powerOfTwo(ringBytes) / EVENT_BYTES, sideWords: powerOfTwo(sideBytes) / 4 }
    return { offset: this.take(traceBytes(sizes)), ...sizes }
  }

  traceControl(): number {
    return this.take(TRACE_CONTROL_BYTES)
  }

  hand(segments: number): HandLayout {
    return { offset: this.take(handBytes(segments)), segments }
  }

  progress(): number {
    return this.take(PROGRESS_BYTES)
  }
}
