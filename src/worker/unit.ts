import type { StashEntry } from '../lane/stash.ts'
import type { ChunkHeader } from '../lane/writer.ts'
import { COUNTER } from '../memory/counters.ts'
import type { CallContext } from './call/context.ts'
import { Handoff } from './handoff.ts'
import type { LaneChunk } from './in/inlet.ts'
import { measureChunk } from './measure.ts'
import type { Composed } from './chunk.ts'
import { BLOCKED, PROGRESS, type Parts, type Step } from './stage.ts'

/**
 * Whose records a unit sends. It says that they are in hand while their outputs are written: keys are asked for, values are
 * encoded, and any of it may kill.
 */
export interface Sender {
  hold(): void
  drop(): void
  /** Those outputs that fit are handed off before the others. */
  beforePart?(): void
}

/** Between two looks of a worker that loses keys at whether all that it has sent is taken. */
const DRAIN_LOOK_MS = 1

/**
 * One unit of work of a worker, from taking records to handing them off: a chunk or a portion of it, a call, a batch. Stages
 * say which records it is and what is called for them; what happens around that is here, in this order:
 *
 *   start    a hand-off for which there was no room is tried again, before anything else; then a resize is followed
 *   open     what comes of these records is sent under this header
 *   send     it is written to the lanes; where some of it does not fit, what does is handed off
 *   giveBack, finish   the records go back to their lane, or out of the stash
 *   close    their counts stand, and they are part of the next hand-off
 *   commit   the hand-off
 *   wait, idle   nothing more can be done just now: what is done is handed off first
 */
export class Unit {
  /** See `Stage`. */
  wakeAt = Infinity
  readonly handoff: Handoff
  readonly #parts: Parts
  #header: ChunkHeader | undefined
  /** Whose records are being sent, while some of them wait for lanes. */
  #sender: Sender | undefined
  /** The last hand-off found no room on the ack lanes. */
  #mustCommit = false

  constructor(parts: Parts, handoff: Handoff = new Handoff(parts)) {
    this.#parts = parts
    this.handoff = handoff
  }

  /** Begins a step. @returns how it ends, where it is about an earlier hand-off */
  start(): Step | undefined {
    this.#parts.clock.read()
    // A time that the last wait ended at would end the next one at once.
    this.wakeAt = Infinity
    this.#lookForMarkers()
    return this.#mustCommit ? this.commit() : this.#follow()
  }

  /** What an earlier life left, and where a stage below or this one is resized: what is sent and taken from here on goes by that. */
  #follow(): Step | undefined {
    const { inlet, outlet, settlement, clock } = this.#parts
    outlet.abortFragments(clock.stamp)
    inlet.tenure?.look(inlet.lanes)
    if (!outlet.isBehind || !settlement.hasRoom()) return undefined
    outlet.reroute()
    if (this.#sender === undefined) return this.commit()
    this.#commitPart(this.#sender)
    return PROGRESS
  }

  /** Of what is being sent, hands off what fits. */
  #commitPart(sender: Sender): void {
    sender.beforePart?.()
    this.handoff.commitPart(this.#header!)
  }

  /**
   * @param from the first record of this portion, where a chunk goes in several (see `Outlet.open`)
   * @param composed of a batch, or a call that has ended: what it is made of
   */
  open(header: ChunkHeader, records: number, from = 0, composed?: Composed): void {
    this.#header = header
    this.#parts.outlet.open(header, records, from, composed)
  }

  /** @returns whether all that came of the unit is on the lanes */
  send(sender: Sender): boolean {
    const { outlet, clock } = this.#parts
    sender.hold()
    const isSent = outlet.flush(clock.stamp)
    sender.drop()
    this.#sender = isSent ? undefined : sender
    if (!isSent && this.handoff.isDirty) this.#commitPart(sender)
    return isSent
  }

  /** Records of a chunk that were not given back before go back to its lane. @returns whether the chunk has ended */
  giveBack(chunk: LaneChunk, from: number, to: number): boolean {
    const { outlet, inlet, settlement, recorder } = this.#parts
    outlet.tally(COUNTER.in, to - from)
    recorder?.took(to - from)
    if (to < chunk.count) {
      inlet.releasePart(chunk, to)
      return false
    }
    settlement.toggle(chunk)
    inlet.release(chunk)
    measureChunk(this.#parts, chunk)
    return true
  }

  /** What handlers said of the chunk in progress. */
  note(context: CallContext): void {
    this.#parts.recorder?.note(context.takeNotes())
  }

  /** A record of the stash is done. */
  finish(entry: StashEntry, header: ChunkHeader): void {
    this.#parts.settlement.toggle(header)
    this.#parts.pending.finish(entry)
  }

  close(records: number): void {
    this.handoff.closed()
    this.#parts.outlet.close()
    this.handoff.add(records)
  }

  /** Hands off; BLOCKED where the ack lanes have no room. */
  commit(): Step {
    this.#mustCommit = !this.handoff.commit()
    return this.#mustCommit ? BLOCKED : PROGRESS
  }

  /** The same, once enough has come together. */
  commitIfDue(): Step {
    return this.handoff.isDue ? this.commit() : PROGRESS
  }

  /** A source has markers of its own. */
  #lookForMarkers(): void {
    const { markers, source } = this.#parts
    if (source === undefined && markers.isAsked) this.handoff.passMarker()
  }

  /** The unit in hand cannot go on: what is done must not wait for what is not. */
  wait(step: Step, wakeAt = Infinity): Step {
    if (this.handoff.isDirty) return this.commit()
    this.wakeAt = wakeAt
    return step
  }

  /** There is nothing to begin: where nothing can come any more either, those below are told. */
  idle(step: Step, wakeAt: number): Step {
    // Once more: the looks of this step may have passed padding before a marker.
    this.#lookForMarkers()
    if (!this.handoff.isDirty && (this.handoff.release() || this.handoff.passEnd())) return this.commit()
    // Readers below wake a writer that waits for room, and nobody else.
    const looksAgainAt = this.#parts.inlet.tenure?.isClosed === true ? this.#parts.clock.now + DRAIN_LOOK_MS : Infinity
    return this.wait(step, Math.min(wakeAt, looksAgainAt))
  }
}
