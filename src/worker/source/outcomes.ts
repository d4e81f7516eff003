import type { AckContext, AckReason, SourceContext } from '../../plan/definition.ts'
import type { AckPlan } from '../../plan/source-plan.ts'
import type { Slots } from '../../lane/slots.ts'
import { NO_SLOT } from '../../memory/slots.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { keyOf } from '../call/results.ts'
import { AckCalls, KeyFailure, type AckPiece } from './ack-calls.ts'
import type { OpenChunks } from './open-chunks.ts'
import type { SlotReasons } from './slot-reasons.ts'

const NO_NOTES: readonly unknown[] = Object.freeze([])
const ABANDONED: AckReason = { outcome: 'abandoned' }
/** Most slots that one step closes: each takes three entries of a journal. */
const MAX_CLOSED = 256

/**
 * Tells a source's `ack` handler what became of its records, in groups. Receipts lie in the worker's stash, so a successor
 * tells what its predecessor had not told.
 */
export class Outcomes {
  /** Receipts that an earlier life left. */
  readonly inherited: readonly unknown[]
  readonly #ack: AnyFunction
  readonly #groupOf: AnyFunction | undefined
  readonly #context: SourceContext
  readonly #chunks: OpenChunks
  readonly #slots: Slots
  readonly #reasons: SlotReasons | undefined
  readonly #calls: AckCalls
  /** Of slots whose receipts wait to be told, or were told and not forgotten yet: pieces of them that are not told. */
  readonly #untold = new Map<number, number>()
  readonly #told: number[] = []

  constructor(given: {
    ack: AnyFunction
    /** Group of a receipt. */
    groupOf: AnyFunction | undefined
    plan: AckPlan
    context: SourceContext
    chunks: OpenChunks
    slots: Slots
    reasons: SlotReasons | undefined
    wake: () => void
    onFailure: (error: unknown, attempts: number) => void
  }) {
    this.#ack = given.ack
    this.#groupOf = given.groupOf
    this.#context = given.context
    this.#chunks = given.chunks
    this.#slots = given.slots
    this.#reasons = given.reasons
    this.#calls = new AckCalls({
      plan: given.plan,
      wake: given.wake,
      onFailure: given.onFailure,
      onBegin: (pieces) => this.#advance(pieces),
      call: (pieces) => this.#tell(pieces),
      onTold: (pieces) => this.#setTold(pieces),
    })
    this.inherited = given.chunks.receipts
  }

  /** All that came of a slot's records is done, or they are released. @returns false where they were told before: of a released slot */
  end(slot: number): boolean {
    const receipts = this.#chunks.receiptsOf(slot)
    if (receipts === undefined) return false
    if (this.#untold.has(slot)) return true
    const isWell = this.#slots.isReleased(slot) || (this.#slots.failures(slot) === 0 && this.#slots.isDone(slot))
    this.#add(slot, receipts, isWell ? undefined : this.#reasonOf(slot))
    return true
  }

  /** True while some outcome is not told yet. */
  get isBusy(): boolean {
    return this.#calls.isBusy || this.#told.length > 0
  }

  /** Starts calls; returns slots that were told since, and may be closed now: as many as one hand-off takes. Released ones stay open. */
  step(): readonly number[] {
    const told = this.#told.splice(0, MAX_CLOSED)
    for (const slot of told) this.#forget(slot)
    this.#calls.start()
    return told.filter((slot) => this.#slots.isDone(slot))
  }

  /**
   * Tells all that is not told yet; slots that have not ended count as failed.
   * @param receipts of further records that failed
   */
  async tellRest(receipts: readonly unknown[]): Promise<void> {
    for (const slot of this.#slots.openSlots()) this.end(slot)
    if (receipts.length > 0) this.#add(NO_SLOT, receipts, ABANDONED)
    await this.#calls.tellAll()
  }

  /** Puts receipts with the groups that they belong to. */
  #add(slot: number, receipts: readonly unknown[], reason: AckReason | undefined): void {
    const note = reason === undefined ? this.#reasons?.of(slot)?.note : undefined
    if (this.#groupOf === undefined) {
      this.#untold.set(slot, 1)
      return this.#calls.add(undefined, { slot, receipts, reason, note })
    }
    const groups = new Map<string | number | KeyFailure, unknown[]>()
    for (const receipt of receipts) {
      const key = this.#keyOf(receipt)
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [receipt])
      else known.push(receipt)
    }
    this.#untold.set(slot, groups.size)
    for (const [key, each] of groups) this.#calls.add(key, { slot, receipts: each, reason, note })
  }

  #keyOf(receipt: unknown): string | number | KeyFailure {
    try {
      return keyOf(this.#context.node, 'ackBy', this.#groupOf!(receipt))
    } catch (error) {
      return new KeyFailure(error)
    }
  }

  #reasonOf(slot: number): AckReason {
    return { ...this.#reasons?.of(slot), outcome: this.#outcomeOf(slot) }
  }

  #outcomeOf(slot: number): AckReason['outcome'] {
    if (!this.#slots.isDone(slot)) return 'abandoned'
    return this.#slots.dropped(slot) === this.#slots.failures(slot) ? 'dropped' : 'failed'
  }

  #tell(pieces: readonly AckPiece[]): unknown {
    const [successes, failures, reasons]: [unknown[], unknown[], AckReason[]] = [[], [], []]
    let notes: unknown[] | undefined
    for (const { receipts, reason, note } of pieces) {
      for (const receipt of receipts) {
        if (reason === undefined) {
          if (note !== undefined) (notes ??= [])[successes.length] = note
          successes.push(receipt)
        } else {
          failures.push(receipt)
          reasons.push(reason)
        }
      }
    }
    const { watermark } = this.#chunks
    const context: AckContext = { ...this.#context, watermark, reasons, notes: notes ?? NO_NOTES }
    return this.#ack(successes, failures, context)
  }

  #setTold(pieces: readonly AckPiece[]): void {
    for (const { slot } of pieces) {
      const left = this.#untold.get(slot)! - 1
      this.#untold.set(slot, left)
      if (left === 0 && slot !== NO_SLOT) this.#told.push(slot)
    }
  }

  /** The watermark moves over chunks that have ended. */
  #advance(pieces: readonly AckPiece[]): void {
    for (const { slot } of pieces) if (slot !== NO_SLOT && this.#hasEnded(slot)) this.#chunks.pass(slot)
  }

  #hasEnded(slot: number): boolean {
    return this.#slots.isDone(slot) || this.#slots.isReleased(slot)
  }

  #forget(slot: number): void {
    this.#chunks.forget(slot)
    this.#untold.delete(slot)
  }
}
