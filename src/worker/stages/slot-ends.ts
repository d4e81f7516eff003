import { errorText } from '../../errors.ts'
import { ring } from '../../lane/doorbell.ts'
import { isReleased } from '../../lane/failures.ts'
import type { Journal } from '../../lane/journal.ts'
import { COUNTER } from '../../memory/counters.ts'
import type { SourceContext } from '../../plan/definition.ts'
import type { Handoff } from '../handoff.ts'
import type { Parts, SourceSide } from '../stage.ts'
import { Outcomes } from '../source/outcomes.ts'
import type { ChunkSize } from '../source/pacing.ts'
import type { Supply } from '../source/supply.ts'

/** Slots that one hand-off changes by acks, at most; it also opens at most one for each of HANDOFF_RECORDS. */
const MAX_SETTLED = 128

interface SlotEndsOptions {
  readonly parts: Parts & SourceSide
  readonly handoff: Handoff
  /** What `ack` is given. */
  readonly context: SourceContext
  readonly size: ChunkSize
  /** The supply of now: it changes when the pipeline drains. */
  readonly supply: () => Supply
}

/** Follows the slots of a source to their ends: counts them, has `ack` told, and closes them. */
export class SlotEnds {
  /** Records in open slots. */
  inFlight: number
  readonly outcomes: Outcomes | undefined
  readonly #options: SlotEndsOptions
  readonly #parts: Parts & SourceSide
  /** Slots that ended at this look at the ack lanes. */
  readonly #done: number[] = []
  /** Those that a handler has released, and that have not ended. */
  readonly #released: number[] = []
  /** Slots that were opened since the last hand-off, and whose chunks are wholly on the lanes. */
  readonly #opened: number[] = []

  constructor(options: SlotEndsOptions) {
    const { slots, acks } = options.parts
    this.#options = options
    this.#parts = options.parts
    this.inFlight = slots.openSlots().reduce((sum, slot) => sum + slots.count(slot), 0)
    this.outcomes = this.#makeOutcomes()
    for (const reader of acks) reader.want(this.outcomes !== undefined)
  }

  #makeOutcomes(): Outcomes | undefined {
    const { stage, slots, reasons, openChunks, handlers, wake, report } = this.#parts
    const ack = handlers.own('ack')
    if (ack === undefined) return undefined
    return new Outcomes({
      ack,
      groupOf: handlers.ackGroup(),
      plan: stage.source!.ack!,
      context: this.#options.context,
      chunks: openChunks!,
      slots,
      reasons,
      wake,
      onFailure: (error, attempts) =>
        report({ name: 'ack.failed', node: stage.node, attempts, error: errorText(error) }),
    })
  }

  /**
   * Tells what an earlier life has counted, and `ack` does not know, or not surely.
   * @param halfSent slot of a chunk that is sent yet
   */
  recover(halfSent: number): void {
    const { slots } = this.#parts
    for (const slot of slots.openSlots()) {
      if (slot === halfSent || !(slots.isDone(slot) || slots.isReleased(slot))) continue
      if (this.outcomes?.end(slot) === false && slots.isDone(slot)) this.#close(slot)
    }
  }

  /** The chunk of this slot is wholly on the lanes. */
  follow(slot: number): void {
    this.#opened.push(slot)
  }

  /** Takes what the workers below have told, and tells `ack`. @returns whether there was something */
  settle(): boolean {
    const { acks, slots } = this.#parts
    const { isWaitedFor } = this.#options.supply()
    let taken = 0
    for (const reader of acks) {
      // Said before the look, so that what comes after it rings.
      if (isWaitedFor === true) reader.want(true)
      while (slots.dirty < MAX_SETTLED && reader.poll()) {
        taken++
        if (slots.settle(reader.slot, reader.low, reader.high, reader.failures)) this.#done.push(reader.slot)
        else if (isReleased(reader.failures)) this.#released.push(reader.slot)
      }
    }
    if (taken > 0) {
      this.#options.handoff.add(taken)
      this.#takeReasons()
    }
    for (let i = 0; i < this.#done.length; i++) this.#end(this.#done[i]!)
    this.#done.length = 0
    for (let i = 0; i < this.#released.length; i++) this.#release(this.#released[i]!)
    this.#released.length = 0
    if (this.outcomes !== undefined) for (const slot of this.outcomes.step()) this.#close(slot)
    return taken > 0
  }

  /** What a hand-off says of the slots. */
  stage(journal: Journal): void {
    const { slots, acks, openChunks } = this.#parts
    // Nothing came of some chunks at all: no edge took their records.
    for (const slot of this.#opened) {
      if (slots.isDone(slot)) this.#end(slot)
      else if (slots.isReleased(slot)) this.#release(slot)
    }
    this.#opened.length = 0
    slots.stage(journal)
    for (const reader of acks) reader.stage(journal)
    openChunks?.stage(journal)
  }

  /** After a hand-off: wakes the workers that wait for room on their ack lanes. */
  wakePeers(): void {
    const { acks, worker, plan, memory } = this.#parts
    acks.forEach((reader, i) => {
      if (reader.isWorthWaking) ring(memory.words, plan.workers[worker.ackInputs[i]!.peer]!.control.doorbell)
    })
  }

  /** N2: what was said of the slots that have ended by now is there. */
  #takeReasons(): void {
    const { acks, reasons } = this.#parts
    if (reasons === undefined) return
    for (const { reasons: told } of acks) while (told?.poll() === true) told.lose(reasons.add(told.text, told.slots))
  }

  /** All that came of a slot is done: if there is an `ack`, it is told before the slot is closed. */
  #end(slot: number): void {
    const { slots, clock, histograms, outlet, reasons, recorder } = this.#parts
    const count = slots.count(slot)
    const failed = slots.isReleased(slot) ? 0 : Math.min(count, slots.failures(slot))
    recorder?.end(slot)
    histograms.ack!.record((clock.stamp - slots.born(slot)) * 1000, count)
    outlet.tally(COUNTER.done, count - failed)
    outlet.tally(COUNTER.failed, failed)
    this.#options.supply().ended?.(slots.sequence(slot), failed, reasons?.of(slot))
    this.#options.size.ended(count, clock.now)
    if (this.outcomes?.end(slot) === true) return
    this.#pass(slot)
    this.#close(slot)
  }

  /** The records of a slot count as done; it is open until all that came of them is. */
  #release(slot: number): void {
    const { slots } = this.#parts
    if (slots.isDone(slot)) return
    this.#options.supply().ended?.(slots.sequence(slot), 0)
    if (this.outcomes?.end(slot) !== true) this.#pass(slot)
  }

  /** Nobody is to be told of a chunk that has ended. */
  #pass(slot: number): void {
    this.#parts.openChunks?.pass(slot)
    this.#parts.openChunks?.forget(slot)
  }

  #close(slot: number): void {
    this.inFlight -= this.#parts.slots.count(slot)
    this.#parts.reasons?.forget(slot)
    this.#parts.slots.close(slot)
    this.#options.handoff.add(1)
  }
}
