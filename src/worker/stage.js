import { HANDOFFS } from '../telemetry/counters.js'
/** How a step of a stage ended, and so what the worker's time goes into if it now waits. */
export const PROGRESS = 0
/** No input. */
export const STARVED = 1
/** No credit or room below, or no room for acks. */
export const BLOCKED = 2
/** The rate limit. */
export const LIMITED = 3
/** An async handler that is called and has not answered. */
export const WAITING = 4
/** A source that makes no more records, and all of them are acked. */
export const ENDED = 5
/** Records after which a hand-off is due, if the input has not paused before. */
const HANDOFF_RECORDS = 128
/** Time after which a hand-off is due. */
const HANDOFF_MS = 1
/** Time between two rounds of waking readers, while hand-offs follow each other. */
const WAKE_EVERY_MS = 0.05
/** Gathers steps into hand-offs. */
export class Handoff {
  #parts
  #others
  #records = 0
  #since = 0
  #isPart = false
  #wokeAt = 0
  /** The granule that was half sent is wholly sent: that must be known before another one is taken. */
  #mustCommit = false
  /** @param others further parts that take part, beside those that all stages have */
  constructor(parts, others = []) {
    this.#parts = parts
    this.#others = others
  }
  /** So many more records are ready to be handed off. */
  add(records) {
    if (this.#records === 0) this.#since = this.#parts.clock.now
    this.#records += records
  }
  /** Enough has come together, or has waited long enough. */
  get isDue() {
    return (
      this.#mustCommit ||
      this.#records >= HANDOFF_RECORDS ||
      (this.#records > 0 && this.#parts.clock.now - this.#since >= HANDOFF_MS)
    )
  }
  get isDirty() {
    const { inlet, outlet, journal } = this.#parts
    return this.#records > 0 || inlet.isDirty || outlet.hasUncommitted || !journal.isEmpty
  }
  /** What came of a granule is on the lanes, and the granule itself ends. */
  end(granule) {
    this.#parts.settlement.toggle(granule)
    this.closed()
  }
  /** What came of a granule is on the lanes; it does not end here. */
  closed() {
    if (this.#parts.hand.isResuming) this.#mustCommit = true
  }
  /** Hands off. False where the ack lanes have no room: nothing has happened then. */
  commit() {
    const { journal, inlet, outlet, settlement, desk, hand } = this.#parts
    if (!settlement.hasRoom()) return false
    journal.counters[HANDOFFS]++
    if (!this.#isPart) hand.clearResume(journal)
    this.#mustCommit = false
    inlet.stage(journal)
    outlet.stage(journal)
    settlement.stage(journal)
    desk.stage(journal)
    for (const other of this.#others) other.stage(journal)
    journal.commit()
    this.#wakeReaders()
    inlet.wakePeers()
    settlement.wakePeers()
    this.#records = 0
    desk.tidy()
    return true
  }
  /**
   * Waking a thread costs as much as many records, so a worker that hands off without a pause wakes its readers now and then
   * only. The loop wakes them too before it waits (`Outlet.wakePeers`), and their own waits are short.
   */
  #wakeReaders() {
    const { clock, outlet } = this.#parts
    if (clock.now - this.#wokeAt < WAKE_EVERY_MS) return
    this.#wokeAt = clock.now
    outlet.wakePeers()
  }
  /** In the middle of a granule whose outputs do not all fit: lets the reader see those that do. */
  commitPart(granule) {
    if (!this.isDirty) return true
    if (!this.#parts.settlement.hasRoom()) return false
    const { outlet, hand, journal } = this.#parts
    outlet.markResume()
    hand.markResume(granule, journal)
    this.#isPart = true
    this.commit()
    this.#isPart = false
    return true
  }
}
