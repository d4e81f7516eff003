/** Records that say when they were due, and what their ways took: for every contender of the one-way times. */
import hdr from 'hdr-histogram-js'
import type { Gate } from './gate.ts'
import { SIX_FIELDS, type SixFields } from './records.ts'

/** Percentiles that the times are told by. */
export const PERCENTS = [50, 99, 99.9] as const
const MOST_NS = 60e9

/** The records whose time has come, at most `most`, however late it is itself: so a stall counts for all that fell into it. */
export function dueRecords(gate: Gate, most: number): SixFields[] {
  const records: SixFields[] = []
  for (let count = gate.allowed(Math.min(most, gate.due())); count > 0; count--) {
    records.push({ ...SIX_FIELDS.make(gate.next), value: gate.dueAt(gate.next) })
    gate.next++
  }
  return records
}

/** Takes records at the end of their way: times each against when it was due, and tells percentiles with the last one. */
export function timing(gate: Gate): (record: SixFields) => void {
  const times = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MOST_NS,
    numberOfSignificantValueDigits: 3,
  })
  return ({ id, value }) => {
    times.recordValue(Math.min(MOST_NS, Math.max(1, Math.round((performance.now() - value) * 1e6))))
    if (gate.isLast(1)) {
      gate.tell(PERCENTS.map((percent) => times.getValueAtPercentile(percent) / 1e3))
      times.reset()
    }
    gate.arrived(1, id)
  }
}
