import type { Journal } from '../lane/journal.ts'
import type { ChunkHeader } from '../lane/writer.ts'
import { HANDOFFS } from '../memory/counters.ts'
import type { Clock } from './clock.ts'
import type { Pending } from './hold/pending.ts'
import type { End } from './in/end.ts'
import type { Hand } from './hold/hand.ts'
import type { Inlet } from './in/inlet.ts'
import type { Markers } from './in/markers.ts'
import type { Outlet } from './out/outlet.ts'
import type { Settlement } from './out/settlement.ts'
import type { Recorder } from './trace/recorder.ts'

/** Who takes part in each hand-off of a worker. */
export interface Participants {
  readonly journal: Journal
  readonly inlet: Inlet
  readonly outlet: Outlet
  readonly settlement: Settlement
  readonly pending: Pending
  readonly hand: Hand
  readonly end: End
  readonly markers: Markers
  readonly clock: Clock
  /** Absent where nothing is traced. */
  readonly recorder: Recorder | undefined
}

/** Who takes part beside them. */
export interface Further {
  stage(journal: Journal): void
  /** After the hand-off: wakes those who waited for what it gave back. */
  wakePeers(): void
}

/** Records after which a hand-off is due, if the input has not paused before. */
const HANDOFF_RECORDS = 128
/** Time after which a hand-off is due. */
const HANDOFF_MS = 1
/** Time between two rounds of waking readers, while hand-offs follow each other. */
const WAKE_EVERY_MS = 0.1

/** Gathers steps into hand-offs. */
export class Handoff {
  readonly #parts: Participants
  readonly #others: readonly Further[]
  #records = 0
  #since = 0
  #wokeAt = 0
  /** The chunk that was half sent is wholly sent: that must be known before another one is taken. */
  #mustCommit = false

  /** @param others further parts that take part, beside those that all stages have */
  constructor(parts: Participants, others: readonly Further[] = []) {
    this.#parts = parts
    this.#others = others
  }

  /** So many more records are ready to be handed off. */
  add(records: number): void {
    if (this.#records === 0) this.#since = this.#parts.clock.now
    this.#records += records
  }

  /** Enough has come together, or has waited long enough. */
  get isDue(): boolean {
    return (
      this.#mustCommit ||
      this.#parts.hand.hasMetSuspect ||
      this.#records >= HANDOFF_RECORDS ||
      (this.#records > 0 && this.#parts.clock.now - this.#since >= HANDOFF_MS)
    )
  }

  get isDirty(): boolean {
    const { inlet, outlet, journal, recorder } = this.#parts
    if (this.#records > 0 || inlet.isDirty || outlet.hasUncommitted || !journal.isEmpty) return true
    return recorder !== undefined && recorder.isDirty
  }

  /**
   * Where nothing can come any more and nothing is left here, says so to those below.
   * @returns whether that is to be handed off
   */
  passEnd(): boolean {
    const { end, pending, outlet } = this.#parts
    return pending.stash.isEmpty && end.hasCome && outlet.end()
  }

  /** Passes the marker of a flush on, where all that came before it is handed on. */
  passMarker(): void {
    const { markers, outlet } = this.#parts
    const number = markers.next()
    if (number === undefined) return
    outlet.putMarker(number)
    this.add(1)
  }

  /** Where keys or the seat are lost to a resize and nothing is left here, gives them up. @returns whether that is to be handed off */
  release(): boolean {
    const { pending, inlet, outlet } = this.#parts
    const { tenure } = inlet
    if (tenure?.isClosed !== true || !pending.stash.isEmpty || inlet.hasTaken) return false
    return (!tenure.keepsOrder || outlet.isDrained) && tenure.release()
  }

  /** All that came of some records is on the lanes. */
  closed(): void {
    if (this.#parts.hand.isResuming) this.#mustCommit = true
  }

  /** Hands off. False where the ack lanes have no room: nothing has happened then. */
  commit(): boolean {
    const { journal, inlet, outlet, settlement, pending, hand, recorder } = this.#parts
    if (!settlement.hasRoom()) return false
    journal.counters[HANDOFFS]!++
    // Other things may be handed off while a successor waits for the records of what was half sent.
    if (this.#mustCommit) hand.clearResume(journal)
    this.#mustCommit = false
    hand.hasMetSuspect = false
    settlement.stage(journal)
    // A source's slots stand here: they are open before anyone can see what is in them.
    for (const other of this.#others) other.stage(journal)
    inlet.stage(journal)
    outlet.stage(journal)
    pending.stage(journal)
    inlet.tenure?.stage(journal)
    // The last one, for a source's part may have ended slots; the journal stores it first.
    if (recorder !== undefined) recorder.stage(journal)
    journal.commit()
    this.#wakeReaders()
    inlet.wakePeers()
    settlement.wakePeers()
    inlet.tenure?.wakePeers()
    for (const other of this.#others) other.wakePeers()
    this.#records = 0
    pending.tidy()
    return true
  }

  /**
   * Waking a thread costs as much as many records, so a worker that hands off without a pause wakes its readers now and then
   * only, but for those that sleep. The loop wakes them too before it waits (`Outlet.wakePeers`).
   */
  #wakeReaders(): void {
    const { clock, outlet } = this.#parts
    const isTime = clock.now - this.#wokeAt >= WAKE_EVERY_MS
    if (isTime) this.#wokeAt = clock.now
    outlet.wakePeers(isTime)
  }

  /** In the middle of a chunk whose outputs do not all fit: lets the reader see those that do. */
  commitPart(chunk: ChunkHeader): boolean {
    if (!this.isDirty) return true
    if (!this.#parts.settlement.hasRoom()) return false
    const { outlet, hand, journal } = this.#parts
    outlet.markResume()
    hand.markResume(chunk, journal)
    return this.commit()
  }
}
