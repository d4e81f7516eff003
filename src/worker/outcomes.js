/** Calls of `ack` that fail are tried again so often, with a pause that doubles. */
export const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 50
/** Most records in one call of `ack`. */
const MAX_GROUP = 1024
/**
 * Tells a source's `ack` handler what became of its records, in groups. Receipts lie in the worker's stash, so a successor
 * tells what its predecessor had not told.
 */
export class Outcomes {
  watermark
  #ack
  #context
  #desk
  #slots
  #wake
  #entries = new Map()
  /** Slots that have ended and wait for the next call. */
  #ended = []
  /** Open slots, oldest first: the watermark stands before the first one. */
  #line
  #cursors = new Map()
  #told = []
  #isCalling = false
  #onFailure
  constructor(given) {
    this.#ack = given.ack
    this.#context = given.context
    this.#desk = given.desk
    this.#slots = given.slots
    this.#wake = given.wake
    this.#onFailure = given.onFailure
    this.#line = given.slots.openSlots()
    for (const entry of given.desk.recover()) {
      const slot = given.desk.stash.header(entry).slot
      this.#entries.set(slot, entry)
      this.#cursors.set(slot, given.desk.value(entry).cursor)
    }
    given.desk.takeAll()
  }
  /** Keeps the receipts of a granule; false where the stash has no room. */
  keep(header, slot, { marks, count }, firstIndex) {
    const receipts = Array.from({ length: count }, (_, i) => marks[i]?.receipt ?? marks[i]?.cursor ?? firstIndex + i)
    const cursor = marks[count - 1]?.cursor
    const entry = this.#desk.put({ ...header, slot }, { receipts, cursor }, 0, 0)
    if (entry === undefined) return false
    this.#entries.set(slot, entry)
    this.#cursors.set(slot, cursor)
    this.#line.push(slot)
    return true
  }
  /** All that came of a slot's records is done. */
  end(slot) {
    this.#ended.push(slot)
  }
  /** True while some outcome is not told yet. */
  get isBusy() {
    return this.#isCalling || this.#ended.length > 0 || this.#told.length > 0
  }
  /** Starts a call where none is open; returns the slots that were told since, which may be closed now. */
  step() {
    const told = this.#told
    this.#told = []
    for (const slot of told) this.#forget(slot)
    if (!this.#isCalling && this.#ended.length > 0) void this.#call(this.#ended.splice(0, MAX_GROUP))
    return told
  }
  async #call(slots) {
    this.#isCalling = true
    const receiptsOf = (slot) => this.#desk.value(this.#entries.get(slot)).receipts
    const failed = slots.filter((slot) => this.#slots.failures(slot) > 0)
    const failures = failed.flatMap(receiptsOf)
    const successes = slots.filter((slot) => !failed.includes(slot)).flatMap(receiptsOf)
    this.#advance(slots)
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#ack(successes, failures, this.#context)
        break
      } catch (error) {
        if (attempt === MAX_ATTEMPTS) {
          this.#onFailure(error)
          break
        }
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (attempt - 1)))
      }
    }
    this.#told.push(...slots)
    this.#isCalling = false
    this.#wake()
  }
  /** Moves the watermark over all slots at the head of the line that have ended. */
  #advance(slots) {
    for (const slot of slots) this.#endedInLine.add(slot)
    while (this.#line.length > 0 && this.#endedInLine.delete(this.#line[0])) {
      const cursor = this.#cursors.get(this.#line.shift())
      if (cursor !== undefined) this.watermark = cursor
    }
  }
  #endedInLine = new Set()
  #forget(slot) {
    this.#desk.finish(this.#entries.get(slot))
    this.#entries.delete(slot)
    this.#cursors.delete(slot)
  }
}
