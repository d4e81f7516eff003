import { MillraceError } from '../../errors.ts'
import type { StashEntry } from '../../lane/stash.ts'
import { headerOf } from '../chunk.ts'
import type { LaneChunk } from '../in/inlet.ts'
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
 * Moves chunks from the lanes into the stash, record by record; from then on each record counts by itself. A chunk goes in
 * parts where it does not fit: its lane keeps the rest.
 */
export class Intake {
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #admitted: (entry: StashEntry, value: unknown) => void
  /** A chunk that is taken from its lane, whose records from `from` on wait for room. */
  #held: LaneChunk | undefined
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
    this.#reserve = this.#instead === undefined ? 0 : parts.pending.stash.ringBytes >> 2
  }

  /** True while records of a chunk wait for room. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** Takes records of the next chunk. @param chunk holds it, from `from` on, where the outcome is TOO_LARGE */
  next(chunk: LaneChunk): typeof TAKEN | typeof NOTHING | typeof NO_ROOM_NOW | typeof TOO_LARGE {
    if (this.#held === undefined && !this.#parts.inlet.next(chunk)) return NOTHING
    this.#held = undefined
    const from = chunk.from
    const to = chunk.unreadDeaths > 0 ? from : this.admit(chunk, from, chunk.values)
    if (to === from) {
      // What is here before it may have an order, so a record that goes by itself goes alone.
      if (this.#parts.pending.stash.isEmpty && !this.#unit.handoff.isDirty) return TOO_LARGE
      this.#held = chunk
      return NO_ROOM_NOW
    }
    this.#release(chunk, to)
    if (to < chunk.count) this.#held = chunk
    return TAKEN
  }

  /**
   * Takes the next record for which there is no room as a smaller one, which says so. False where there is none, or it cannot be
   * read.
   * @param chunk as `next` left it
   */
  nextInstead(chunk: LaneChunk): boolean {
    const { pending, settlement, hand } = this.#parts
    if (this.#instead === undefined || chunk.unreadDeaths > 0 || !pending.stash.hasRoom(0)) return false
    const { from } = chunk
    const header = headerOf(chunk, from, chunk.attempt)
    hand.holdOne(header)
    const error = new MillraceError('RECORD_TOO_LARGE', { maxRecordBytes: pending.stash.maxEntryBytes })
    const value = this.#instead(chunk.values[from], error)
    const entry = pending.put(header, value, 0, 0)
    hand.drop()
    if (entry === undefined) return false
    settlement.toggle(header)
    this.#held = undefined
    this.#release(chunk, from + 1)
    if (chunk.from < chunk.count) this.#held = chunk
    this.#admitted(entry, value)
    return true
  }

  /** The records of a chunk in hand wait here for their turn, from `from` on. */
  hold(chunk: LaneChunk, from: number): void {
    chunk.from = from
    this.#held = chunk
  }

  /**
   * Puts records of a chunk in hand into the stash, from `from` on, as many as fit. Whoever calls it gives them back to the lane.
   * @param first is told of the first one in place of `admitted`
   * @returns the index behind the last one
   */
  admit(
    chunk: LaneChunk,
    from: number,
    values: ArrayLike<unknown>,
    first: (entry: StashEntry, value: unknown) => void = this.#admitted,
  ): number {
    const { pending, settlement, hand } = this.#parts
    let index = from
    for (; index < chunk.count && pending.stash.hasRoom(0, this.#reserve); index++) {
      const header = headerOf(chunk, index, chunk.attempt)
      hand.holdOne(header)
      const entry = pending.put(header, values[index], 0, 0)
      hand.drop()
      if (entry === undefined) break
      settlement.toggle(header)
      if (index === from) first(entry, values[index])
      else this.#admitted(entry, values[index])
    }
    return index
  }

  /** The records before `to` are in the stash. */
  #release(chunk: LaneChunk, to: number): void {
    const { from } = chunk
    chunk.from = to
    this.#unit.giveBack(chunk, from, to)
    this.#unit.handoff.add(to - from)
  }
}
