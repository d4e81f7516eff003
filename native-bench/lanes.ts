import { type LaneLayout, laneBytes } from '#src/memory/lane.js'
import { DOORBELL_BYTES } from '#src/memory/doorbell.js'
import { type JournalLayout, journalBytes } from '#src/memory/journal.js'
import { LINE_BYTES } from '#src/memory/memory.js'

/** Two threads and the lanes between them, there and back, with nothing of a pipeline around: for `ring` and `latency`. */
export interface LanePair {
  readonly buffer: SharedArrayBuffer
  readonly there: LaneLayout
  readonly back: LaneLayout
  /** Of the first and of the second thread. */
  readonly journals: readonly [JournalLayout, JournalLayout]
  readonly doorbells: readonly [number, number]
}

const SHAPE_BYTES = 4_096
const JOURNAL_ENTRIES = 16

export function lanePair(ringBytes: number, maxDemand: number): LanePair {
  let end = 0
  const place = (bytes: number): number => {
    const at = end
    end += (bytes + LINE_BYTES - 1) & -LINE_BYTES
    return at
  }
  const lane = (): LaneLayout => {
    const layout = { shapeBytes: SHAPE_BYTES, ringBytes, maxDemand, minDemand: maxDemand >> 1 }
    return { ...layout, offset: place(laneBytes(layout)) }
  }
  const journal = (): JournalLayout => ({
    entries: JOURNAL_ENTRIES,
    offset: place(journalBytes(JOURNAL_ENTRIES, 0)),
    counters: 0,
    countersOffset: 0,
  })
  const [there, back] = [lane(), lane()]
  const journals = [journal(), journal()] as const
  const doorbells = [place(DOORBELL_BYTES), place(DOORBELL_BYTES)] as const
  return { buffer: new SharedArrayBuffer(end), there, back, journals, doorbells }
}
