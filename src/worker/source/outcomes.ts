import type { AckContext, AckReason, SourceContext } from '../../plan/definition.ts'
import type { StashEntry } from '../../lane/stash.ts'
import type { Slots } from '../../lane/slots.ts'
import type { GranuleHeader } from '../../lane/writer.ts'
import type { Desk } from '../hold/desk.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { Taken } from './supply.ts'
import { setImmediate, sleep } from '../../time.ts'

/** What is kept of a granule until its records have ended: what `ack` is given. */
interface Kept {
  readonly receipts: readonly unknown[]
  readonly cursor: unknown
}

/** A granule in the order in which the source handed it on. Its slot may belong to another one before its turn comes. */
interface InLine {
  readonly cursor: unknown
  hasEnded: boolean
}

/** Calls of `ack` that fail are tried again so often, with a pause that doubles. */
export const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 50
const FAILED: AckReason = { outcome: 'failed' }
const DROPPED: AckReason = { outcome: 'dropped' }
const ABANDONED: AckReason = { outcome: 'abandoned' }
/** Most records in one call of `ack`. */
const MAX_GROUP = 1024

/**
 * Tells a source's `ack` handler what became of its records, in groups. Receipts lie in the worker's stash, so a successor
 * tells what its predecessor had not told.
 */
export class Outcomes {
  watermark: unknown
  /** Receipts that an earlier life left. */
  readonly inherited: readonly unknown[]
  readonly #ack: AnyFunction
  readonly #context: SourceContext
  readonly #desk: Desk
  readonly #slots: Slots
  readonly #wake: () => void
  readonly #entries = new Map<number, StashEntry>()
  /** Slots that have ended and wait for the next call. */
  #ended: number[] = []
  /** Oldest first: the watermark stands before the first one that has not ended. */
  readonly #line: InLine[] = []
  /** Of open slots. */
  readonly #inLine = new Map<number, InLine>()
  #told: number[] = []
  #isCalling = false
  #onFailure: (error: unknown) => void

  constructor(given: {
    ack: AnyFunction
    context: SourceContext
    desk: Desk
    slots: Slots
    wake: () => void
    onFailure: (error: unknown) => void
  }) {
    this.#ack = given.ack
    this.#context = given.context
    this.#desk = given.desk
    this.#slots = given.slots
    this.#wake = given.wake
    this.#onFailure = given.onFailure
    const inherited: unknown[] = []
    const cursors = new Map<number, unknown>()
    for (const entry of given.desk.recover()) {
      const slot = given.desk.stash.header(entry).slot
      this.#entries.set(slot, entry)
      const { cursor, receipts } = given.desk.value(entry) as Kept
      cursors.set(slot, cursor)
      inherited.push(...receipts)
    }
    for (const slot of given.slots.openSlots()) this.#lineUp(slot, cursors.get(slot))
    this.inherited = inherited
    given.desk.takeAll()
  }

  /** Keeps the receipts of a granule, the first `count` records that are taken; false where the stash has no room. */
  keep(header: GranuleHeader, slot: number, { marks }: Taken, count: number, firstIndex: number): boolean {
    const receipts = Array.from({ length: count }, (_, i) => marks[i]?.receipt ?? marks[i]?.cursor ?? firstIndex + i)
    const cursor = marks[count - 1]?.cursor
    const entry = this.#desk.put({ ...header, slot }, { receipts, cursor } satisfies Kept, 0, 0)
    if (entry === undefined) return false
    this.#entries.set(slot, entry)
    this.#lineUp(slot, cursor)
    return true
  }

  /** All that came of a slot's records is done. */
  end(slot: number): void {
    this.#ended.push(slot)
  }

  /** True while some outcome is not told yet. */
  get isBusy(): boolean {
    return this.#isCalling || this.#ended.length > 0 || this.#told.length > 0
  }

  /** Starts a call where none is open; returns the slots that were told since, which may be closed now. */
  step(): readonly number[] {
    const told = this.#told
    this.#told = []
    for (const slot of told) this.#forget(slot)
    if (!this.#isCalling && this.#ended.length > 0) void this.#call(this.#ended.splice(0, MAX_GROUP))
    return told
  }

  /**
   * Tells all that is not told yet; slots that have not ended count as failed.
   * @param receipts of further records that failed
   */
  async tellRest(receipts: readonly unknown[]): Promise<void> {
    while (this.#isCalling) await new Promise((resolve) => setImmediate(resolve))
    const told = new Set(this.#told)
    const rest = this.#slots.openSlots().filter((slot) => !told.has(slot))
    while (rest.length > 0) await this.#call(rest.splice(0, MAX_GROUP))
    if (receipts.length > 0)
      await this.#tell(
        [],
        receipts,
        receipts.map(() => ABANDONED),
      )
  }

  async #call(slots: readonly number[]): Promise<void> {
    this.#isCalling = true
    const receiptsOf = (slot: number): readonly unknown[] =>
      (this.#desk.value(this.#entries.get(slot)!) as Kept).receipts
    const failed = slots.filter((slot) => this.#slots.failures(slot) > 0 || !this.#slots.isDone(slot))
    const failures: unknown[] = []
    const reasons: AckReason[] = []
    for (const slot of failed) {
      const reason = this.#reasonOf(slot)
      for (const receipt of receiptsOf(slot)) {
        failures.push(receipt)
        reasons.push(reason)
      }
    }
    const successes = slots.filter((slot) => !failed.includes(slot)).flatMap(receiptsOf)
    this.#advance(slots.filter((slot) => this.#slots.isDone(slot)))
    await this.#tell(successes, failures, reasons)
    this.#told.push(...slots)
    this.#isCalling = false
    this.#wake()
  }

  #reasonOf(slot: number): AckReason {
    if (!this.#slots.isDone(slot)) return ABANDONED
    return this.#slots.dropped(slot) === this.#slots.failures(slot) ? DROPPED : FAILED
  }

  async #tell(
    successes: readonly unknown[],
    failures: readonly unknown[],
    reasons: readonly AckReason[],
  ): Promise<void> {
    const { watermark } = this
    const context: AckContext = { ...this.#context, watermark, reasons }
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#ack(successes, failures, context)
        return
      } catch (error) {
        if (attempt === MAX_ATTEMPTS) return this.#onFailure(error)
        await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
      }
    }
  }

  #lineUp(slot: number, cursor: unknown): void {
    const granule: InLine = { cursor, hasEnded: false }
    this.#line.push(granule)
    this.#inLine.set(slot, granule)
  }

  /** Moves the watermark over all granules at the head of the line that have ended. */
  #advance(slots: readonly number[]): void {
    for (const slot of slots) this.#inLine.get(slot)!.hasEnded = true
    while (this.#line[0]?.hasEnded === true) {
      const { cursor } = this.#line.shift()!
      if (cursor !== undefined) this.watermark = cursor
    }
  }

  #forget(slot: number): void {
    this.#desk.finish(this.#entries.get(slot)!)
    this.#entries.delete(slot)
    this.#inLine.delete(slot)
  }
}
