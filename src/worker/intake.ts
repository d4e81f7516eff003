import type { StashEntry } from '../lane/stash.ts'
import { IN } from '../telemetry/counters.ts'
import { headerOf } from './granule.ts'
import type { LaneGranule } from './inlet.ts'
import { measureGranule } from './parts.ts'
import type { Handoff, Parts } from './stage.ts'

/** How taking a granule into the stash ended. */
export const TAKEN = 1
/** There is none. */
export const NOTHING = 2
/** The stash has no room just now. */
export const NO_ROOM_NOW = 3
/** It does not fit the stash, though that is empty: it is to be taken by itself. */
export const TOO_LARGE = 4

/** Moves granules from the lanes into the stash, record by record; from then on each record counts by itself. */
export class Intake {
  readonly #parts: Parts
  readonly #handoff: Handoff
  readonly #admitted: (entry: StashEntry, value: unknown) => void
  /** A granule that is taken from its lane and waits for room. */
  #held: LaneGranule | undefined

  /** @param admitted is told of every entry */
  constructor(parts: Parts, handoff: Handoff, admitted: (entry: StashEntry, value: unknown) => void) {
    this.#parts = parts
    this.#handoff = handoff
    this.#admitted = admitted
  }

  /** True while a granule waits for room. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** Takes the next granule. @param granule holds it where the outcome is TOO_LARGE */
  next(granule: LaneGranule): typeof TAKEN | typeof NOTHING | typeof NO_ROOM_NOW | typeof TOO_LARGE {
    if (this.#held === undefined && !this.#parts.inlet.next(granule)) return NOTHING
    this.#held = undefined
    if (this.#parts.desk.hasRoomFor(granule) && this.#take(granule)) return TAKEN
    // What is here before it may have an order, so a granule that goes by itself goes alone.
    if (this.#parts.desk.stash.isEmpty && !this.#handoff.isDirty) return TOO_LARGE
    this.#held = granule
    return NO_ROOM_NOW
  }

  /** Takes the records of a granule in hand from `index` on; false where they do not fit. */
  rest(granule: LaneGranule, index: number): boolean {
    return index === granule.count || (this.#parts.desk.hasRoomFor(granule) && this.#admit(granule, index))
  }

  #take(granule: LaneGranule): boolean {
    const { inlet, settlement, outlet } = this.#parts
    const records = granule.count - granule.from
    if (!this.#admit(granule, granule.from)) return false
    outlet.open(granule, granule.count)
    settlement.toggle(granule)
    outlet.root.count(IN, records)
    inlet.release(granule)
    measureGranule(this.#parts, granule)
    outlet.close()
    this.#handoff.add(records)
    return true
  }

  /** @returns false where a record is too large for an entry; then none is taken */
  #admit(granule: LaneGranule, from: number): boolean {
    const { desk, settlement, inlet } = this.#parts
    const values = inlet.again(granule).slice(from)
    const headers = values.map((_, i) => headerOf(granule, from + i, granule.attempt))
    const entries = desk.putAll(headers, values, 0, 0)
    if (entries === undefined) return false
    entries.forEach((entry, i) => {
      settlement.toggle(headers[i]!)
      this.#admitted(entry, values[i])
    })
    return true
  }
}
