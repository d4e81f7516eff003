import { TraceReader } from '../lane/trace.ts'
import type { Memory } from '../memory/memory.ts'
import { EVENT_KINDS, KIND, type TraceLayout } from '../memory/trace.ts'

/** Where the events of all rings go. */
interface RingsListener {
  /** An event of a ring, which is its only until this returns. */
  event(ring: number, at: number): void
  /** Everything that belongs to the oldest `ends` events of kind END has been told (X2). */
  whole(ends: number): void
}

const NOTHING = { events: 0, ends: 0 }
const END = EVENT_KINDS.indexOf('end')

/** The tracer's end of all trace rings. */
export class TraceRings {
  readonly readers: readonly TraceReader[]
  /** Ends that were read, and no ring was looked at since. */
  #unjudged = 0

  constructor(memory: Memory, layouts: readonly TraceLayout[]) {
    this.readers = layouts.map((layout) => new TraceReader(memory, layout))
  }

  /**
   * Reads what is published in all rings. Where the end of a slot is among it, all rings are looked at once more: what came of the
   * slot was published before its end (X1), so it has been read then, and `whole` is called. Ends that come with the second look
   * are whole after the next one.
   * @returns events that were read
   */
  drain(listener: RingsListener): number {
    const before = this.#unjudged
    const first = this.#pass(listener)
    let second = NOTHING
    if (first.ends > 0) second = this.#pass(listener)
    this.#unjudged = second.ends
    if (before + first.ends > 0) listener.whole(before + first.ends)
    return first.events + second.events
  }

  /** The largest share of a ring that is taken. */
  get fill(): number {
    return this.readers.reduce((most, { fill }) => Math.max(most, fill), 0)
  }

  #pass(listener: RingsListener): { events: number; ends: number } {
    let events = 0
    let ends = 0
    this.readers.forEach((reader, ring) => {
      if (reader.look() === 0) return
      for (let at = reader.next(); at !== 0; at = reader.next()) {
        if ((reader.words[at + KIND]! & 0xff) === END) ends++
        listener.event(ring, at)
        events++
      }
      reader.release()
    })
    return { events, ends }
  }
}
