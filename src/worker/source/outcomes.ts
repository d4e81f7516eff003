import type { AckContext, AckReason, SourceContext } from '../../plan/definition.ts'
import type { StashEntry } from '../../lane/stash.ts'
import type { Slots } from '../../lane/slots.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { Pending } from '../hold/pending.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { Progress } from './progress.ts'
import type { Taken } from './supply.ts'
import { setImmediate, sleep } from '../../time.ts'

/** What is kept of a chunk until its records have ended: what `ack` is given. */
interface Kept {
  readonly receipts: readonly unknown[]
  readonly cursor: unknown
}

/** A chunk that has not ended, in the order in which the source handed them on. */
interface InLine {
  readonly sequence: number
  /** Of the last record before the next chunk in line: those between the two have ended. */
  cursor: unknown
  /** The cursor is not its own any more. */
  isPassed: boolean
  before: InLine | undefined
  after: InLine | undefined
}

/** What a successor cannot find in the slots: the watermark, and the cursors of chunks that ended behind ones that are open. */
interface KnownLine {
  readonly watermark: unknown
  readonly passed: readonly (readonly [sequence: number, cursor: unknown])[]
}

/** Calls of `ack` that fail are tried again so often, with a pause that doubles. */
export const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 50
const FAILED: AckReason = { outcome: 'failed' }
const DROPPED: AckReason = { outcome: 'dropped' }
const ABANDONED: AckReason = { outcome: 'abandoned' }
/** Most cursors of ended chunks that a successor learns of: without the others its watermark stands back for a while. */
const MOST_PASSED = 256
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
  readonly #pending: Pending
  readonly #slots: Slots
  readonly #progress: Progress
  readonly #wake: () => void
  readonly #entries = new Map<number, StashEntry>()
  /** Slots that have ended and wait for the next call. */
  #ended: number[] = []
  /** By slot. The watermark stands before the first one. */
  readonly #line = new Map<number, InLine>()
  #first: InLine | undefined
  #last: InLine | undefined
  #told: number[] = []
  #isCalling = false
  #onFailure: (error: unknown) => void

  constructor(given: {
    ack: AnyFunction
    context: SourceContext
    pending: Pending
    slots: Slots
    progress: Progress
    wake: () => void
    onFailure: (error: unknown) => void
  }) {
    this.#ack = given.ack
    this.#context = given.context
    this.#pending = given.pending
    this.#slots = given.slots
    this.#progress = given.progress
    this.#wake = given.wake
    this.#onFailure = given.onFailure
    const inherited: unknown[] = []
    const cursors = new Map<number, unknown>()
    for (const entry of given.pending.recover()) {
      const slot = given.pending.stash.header(entry).slot
      this.#entries.set(slot, entry)
      const { cursor, receipts } = given.pending.value(entry) as Kept
      cursors.set(slot, cursor)
      inherited.push(...receipts)
    }
    const known = given.progress.line as KnownLine | undefined
    const passed = new Map(known?.passed)
    this.watermark = known?.watermark
    for (const slot of given.slots.openSlots()) {
      const sequence = given.slots.sequence(slot)
      const isPassed = passed.has(sequence)
      this.#lineUp(slot, isPassed ? passed.get(sequence) : cursors.get(slot), isPassed)
    }
    this.inherited = inherited
    given.pending.takeAll()
  }

  /** Keeps the receipts of a chunk, the first `count` records that are taken; false where the stash has no room. */
  keep(header: ChunkHeader, slot: number, { marks }: Taken, count: number, firstIndex: number): boolean {
    const receipts = Array.from({ length: count }, (_, i) => marks[i]?.receipt ?? marks[i]?.cursor ?? firstIndex + i)
    const cursor = marks[count - 1]?.cursor
    const entry = this.#pending.put({ ...header, slot }, { receipts, cursor } satisfies Kept, 0, 0)
    if (entry === undefined) return false
    this.#entries.set(slot, entry)
    this.#lineUp(slot, cursor, false)
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
    if (told.length > 0) this.#keepLine()
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
      (this.#pending.value(this.#entries.get(slot)!) as Kept).receipts
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

  #lineUp(slot: number, cursor: unknown, isPassed: boolean): void {
    const sequence = this.#slots.sequence(slot)
    const chunk: InLine = { sequence, cursor, isPassed, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = chunk
    else this.#last.after = chunk
    this.#last = chunk
    this.#line.set(slot, chunk)
  }

  /** Takes chunks that have ended out of the line: the one before each stands for it too, and the watermark for the first one. */
  #advance(slots: readonly number[]): void {
    for (const slot of slots) {
      const { cursor, before, after } = this.#line.get(slot)!
      this.#line.delete(slot)
      if (before === undefined) this.#first = after
      else before.after = after
      if (after === undefined) this.#last = before
      else after.before = before
      if (cursor === undefined) continue
      if (before === undefined) this.watermark = cursor
      else {
        before.cursor = cursor
        before.isPassed = true
      }
    }
  }

  /** The next hand-off closes slots that were told, and says what they leave behind. */
  #keepLine(): void {
    const passed: [sequence: number, cursor: unknown][] = []
    for (let at = this.#first; at !== undefined && passed.length < MOST_PASSED; at = at.after)
      if (at.isPassed) passed.push([at.sequence, at.cursor])
    const { watermark } = this
    if (watermark === undefined && passed.length === 0) return
    while (!this.#progress.keepLine({ watermark, passed } satisfies KnownLine) && passed.length > 0) passed.length >>= 1
  }

  #forget(slot: number): void {
    this.#pending.finish(this.#entries.get(slot)!)
    this.#entries.delete(slot)
  }
}
