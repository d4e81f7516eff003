import { MillraceError } from '../../errors.ts'
import type { StashEntry } from '../../lane/stash.ts'
import { headerOf } from '../granule.ts'
import type { LaneGranule } from '../in/inlet.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { Parts } from '../stage.ts'
import type { Unit } from '../unit.ts'

/** How taking records into the stash ended. */
export const TAKEN = 1
/** There are none. */
export const NOTHING = 2
/** The stash has no room just now. */
export const NO_ROOM_NOW = 3
/** The next record does not fit the stash, though that is empty: it is to be taken by itself. */
export const TOO_LARGE = 4

/**
 * Moves granules from the lanes into the stash, record by record; from then on each record counts by itself. A granule goes in
 * parts where it does not fit: its lane keeps the rest.
 */
export class Intake {
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #admitted: (entry: StashEntry, value: unknown) => void
  /** A granule that is taken from its lane, whose records from `from` on wait for room. */
  #held: LaneGranule | undefined
  /** Of batches that end as one: what to keep of a record for which there is no room. */
  readonly #instead: AnyFunction | undefined
  /** Room that is kept free for such records. */
  readonly #reserve: number

  /** @param admitted is told of every entry */
  constructor(parts: Parts, unit: Unit, admitted: (entry: StashEntry, value: unknown) => void) {
    this.#parts = parts
    this.#unit = unit
    this.#admitted = admitted
    this.#instead = parts.handlers.batchInstead()
    this.#reserve = this.#instead === undefined ? 0 : parts.desk.stash.ringBytes >> 2
  }

  /** True while records of a granule wait for room. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** Takes records of the next granule. @param granule holds it, from `from` on, where the outcome is TOO_LARGE */
  next(granule: LaneGranule): typeof TAKEN | typeof NOTHING | typeof NO_ROOM_NOW | typeof TOO_LARGE {
    if (this.#held === undefined && !this.#parts.inlet.next(granule)) return NOTHING
    this.#held = undefined
    const from = granule.from
    const to = granule.unreadDeaths > 0 ? from : this.admit(granule, from, granule.values)
    if (to === from) {
      // What is here before it may have an order, so a record that goes by itself goes alone.
      if (this.#parts.desk.stash.isEmpty && !this.#unit.handoff.isDirty) return TOO_LARGE
      this.#held = granule
      return NO_ROOM_NOW
    }
    this.#release(granule, to)
    if (to < granule.count) this.#held = granule
    return TAKEN
  }

  /**
   * Takes the next record for which there is no room as a smaller one, which says so. False where there is none, or it cannot be
   * read.
   * @param granule as `next` left it
   */
  nextInstead(granule: LaneGranule): boolean {
    const { desk, settlement, hand } = this.#parts
    if (this.#instead === undefined || granule.unreadDeaths > 0 || !desk.stash.hasRoom(0)) return false
    const { from } = granule
    const header = headerOf(granule, from, granule.attempt)
    hand.holdOne(header)
    const error = new MillraceError('RECORD_TOO_LARGE', { maxRecordBytes: desk.stash.maxEntryBytes })
    const value = this.#instead(granule.values[from], error)
    const entry = desk.put(header, value, 0, 0)
    hand.drop()
    if (entry === undefined) return false
    settlement.toggle(header)
    this.#held = undefined
    this.#release(granule, from + 1)
    if (granule.from < granule.count) this.#held = granule
    this.#admitted(entry, value)
    return true
  }

  /** The records of a granule in hand wait here for their turn, from `from` on. */
  hold(granule: LaneGranule, from: number): void {
    granule.from = from
    this.#held = granule
  }

  /**
   * Puts records of a granule in hand into the stash, from `from` on, as many as fit. Whoever calls it gives them back to the lane.
   * @param first is told of the first one in place of `admitted`
   * @returns the index behind the last one
   */
  admit(
    granule: LaneGranule,
    from: number,
    values: ArrayLike<unknown>,
    first: (entry: StashEntry, value: unknown) => void = this.#admitted,
  ): number {
    const { desk, settlement, hand } = this.#parts
    let index = from
    for (; index < granule.count && desk.stash.hasRoom(0, this.#reserve); index++) {
      const header = headerOf(granule, index, granule.attempt)
      hand.holdOne(header)
      const entry = desk.put(header, values[index], 0, 0)
      hand.drop()
      if (entry === undefined) break
      settlement.toggle(header)
      if (index === from) first(entry, values[index])
      else this.#admitted(entry, values[index])
    }
    return index
  }

  /** The records before `to` are in the stash. */
  #release(granule: LaneGranule, to: number): void {
    const { from } = granule
    granule.from = to
    this.#unit.giveBack(granule, from, to)
    this.#unit.handoff.add(to - from)
  }
}
