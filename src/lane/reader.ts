import { load, store } from '#atomics'
import type { Journal } from './journal.ts'
import type { LaneLayout } from './layout.ts'
import { FRAME_BYTES, GRANTED, HEAD, TAIL, TAKEN, WANTING, ringOffset } from './layout.ts'
import type { Memory } from './memory.ts'

/** Not an offset: no frame is there just now. Empty is normal, so it is a value. */
export const NO_FRAME = -1

/**
 * The reading side of a lane. `poll` looks ahead of HEAD as far as the reader likes; `release` and the journal give the
 * room back.
 *
 * Invariants (test/lane/ring.test.ts, test/interleave):
 *   R1  HEAD never passes TAIL, TAKEN never passes SENT
 *   R2  a frame is read only between HEAD and a TAIL that was loaded before
 *   R3  GRANTED - TAKEN is never more than `maxDemand`: so much is on the lane at most
 *   R4  HEAD, TAKEN and GRANTED are stored by this worker only
 */
export class LaneReader {
  readonly #memory: Memory
  readonly #header: number
  readonly #ring: number
  readonly #mask: number
  readonly #maxDemand: number
  readonly #minDemand: number
  /** Position of the next look. */
  #next: number
  #tailSeen: number
  #released: number
  #taken: number
  #granted: number
  #stagedHead: number

  constructor(memory: Memory, layout: LaneLayout) {
    this.#memory = memory
    this.#header = layout.offset / 4
    this.#ring = ringOffset(layout)
    this.#mask = layout.ringBytes - 1
    this.#maxDemand = layout.maxDemand
    this.#minDemand = layout.minDemand
    this.#next = this.#released = this.#stagedHead = load(memory.words, this.#header + HEAD)
    this.#tailSeen = this.#next
    this.#taken = load(memory.words, this.#header + TAKEN)
    this.#granted = load(memory.words, this.#header + GRANTED)
    if (((this.#granted - this.#taken) | 0) <= this.#minDemand) {
      this.#granted = (this.#taken + this.#maxDemand) | 0
      store(memory.words, this.#header + GRANTED, this.#granted)
    }
  }

  /**
   * Looks at the next frame.
   * @returns its byte offset, or NO_FRAME
   * Cost: no allocation; an atomic load where all frames seen so far are taken.
   */
  poll(): number {
    for (;;) {
      if (this.#next === this.#tailSeen) {
        // PUBLISH: pairs with the store of TAIL in LaneWriter's hand-off. Gives R2.
        this.#tailSeen = load(this.#memory.words, this.#header + TAIL)
        if (this.#next === this.#tailSeen) return NO_FRAME
      }
      const at = this.#ring + (this.#next & this.#mask)
      const bytes = this.#memory.words[(at >> 2) + FRAME_BYTES]!
      if (bytes > 0) return at
      this.#next = (this.#next - bytes) | 0
    }
  }

  /** Goes past the frame that `poll` showed; it stays the reader's until it is released. Returns its position. */
  take(at: number): number {
    const position = this.#next
    this.#next = (position + this.#memory.words[(at >> 2) + FRAME_BYTES]!) | 0
    return position
  }

  /** Position after the last frame that was taken. */
  get position(): number {
    return this.#next
  }

  /** True where frames are taken and not yet released. */
  get hasTaken(): boolean {
    return this.#next !== this.#released
  }

  /** Gives back all before `position` (of a taken frame's end), and `count` records. */
  release(position: number, count: number): void {
    this.#released = position
    this.#taken = (this.#taken + count) | 0
  }

  /** Whether the writer waits for room or credit here. */
  get isWanted(): boolean {
    return load(this.#memory.words, this.#header + WANTING) === 1
  }

  /** Adds this lane's new words to the hand-off. */
  stage(journal: Journal): void {
    if (this.#released === this.#stagedHead) return
    journal.set(this.#header + TAKEN, this.#taken)
    if (((this.#granted - this.#taken) | 0) <= this.#minDemand) {
      this.#granted = (this.#taken + this.#maxDemand) | 0
      // CREDIT: pairs with the loads of GRANTED in LaneWriter.
      journal.set(this.#header + GRANTED, this.#granted)
    }
    // REUSE: pairs with the load of HEAD in LaneWriter.claim. All reads of the released bytes come before this store.
    journal.set(this.#header + HEAD, this.#released)
    this.#stagedHead = this.#released
  }
}
