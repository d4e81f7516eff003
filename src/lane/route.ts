import { load } from '#atomics'
import { BEFORE, type LaneLayout, ROUTED, SWITCH } from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'
import type { Journal } from './journal.ts'

/** By which version of the reading stage's sizing a writer sends to a lane (docs/protocol.md, Z1 to Z3). */
export class LaneRoute {
  /** Set it only while nothing waits for the lane that was dispatched by the one before. */
  version: number
  /** Outputs of the chunk in hand that went to any lane of the link before the version changed. */
  before: number
  readonly #header: number
  #stagedVersion: number
  #stagedBefore: number

  constructor({ words }: Memory, { offset }: LaneLayout) {
    this.#header = offset / 4
    this.version = this.#stagedVersion = load(words, this.#header + ROUTED)
    this.before = this.#stagedBefore = load(words, this.#header + BEFORE)
  }

  /** No hand-off has told of the version yet. */
  get isNew(): boolean {
    return this.version !== this.#stagedVersion
  }

  /** Adds the lane's new words to the hand-off. @param tail where the lane ends with this hand-off */
  stage(journal: Journal, tail: number): void {
    if (this.before !== this.#stagedBefore) {
      journal.set(this.#header + BEFORE, this.before)
      this.#stagedBefore = this.before
    }
    if (!this.isNew) return
    journal.set(this.#header + SWITCH, tail)
    // ROUTE: pairs with the loads of ROUTED in LaneReader. TAIL and SWITCH come before this store, and the first frame that goes by the
    // new version comes after it. Gives Z2.
    journal.set(this.#header + ROUTED, this.version)
    this.#stagedVersion = this.version
  }
}
