import { load } from '#atomics'
import type { Stash } from '../../lane/stash.ts'
import { ASKED } from '../../memory/control.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Plan, StagePlan } from '../../plan/types.ts'
import type { Inlet, InletLane } from './inlet.ts'

/**
 * How far the markers of flushes have come to a worker (docs/protocol.md). It passes one on when all that came before it is done
 * here: M2. While no flush is asked for, all of this is one look at one word.
 */
export class Markers {
  /** The last one that was passed on. */
  passed: number
  readonly #words: Int32Array
  readonly #asked: number
  readonly #stash: Stash
  /** All but those within the stage's own loop: these would wait for themselves. */
  readonly #lanes: readonly InletLane[]
  /** All lanes have brought it, and what came before it is older in the stash than #boundary. */
  #pending = 0
  #boundary = 0

  constructor(memory: Memory, plan: Plan, stage: StagePlan, inlet: Inlet, stash: Stash, passed: number) {
    this.#words = memory.words
    this.#asked = plan.control.offset / 4 + ASKED
    this.#stash = stash
    this.#lanes = inlet.lanes.filter(({ link }) => stage.loop?.includes(link.from) !== true)
    this.passed = passed
  }

  /** Number of the last flush that was asked for. */
  get asked(): number {
    return load(this.#words, this.#asked)
  }

  /** Some flush has not passed here. */
  get isAsked(): boolean {
    return this.asked !== this.passed
  }

  /** All lanes have brought a marker, and all before it is taken: open batches are not to wait for more. */
  get isHere(): boolean {
    return this.isAsked && this.#brought(false) !== undefined
  }

  /** Entries of the stash that are older than this came before a marker that waits for them; undefined where none waits. */
  get boundary(): number | undefined {
    return this.#pending === 0 ? undefined : this.#boundary
  }

  /** The number of a flush that may be passed on now. Call it where what is in hand is not yet given back, if anything is. */
  next(): number | undefined {
    const brought = this.#brought(true)
    if (brought !== undefined && brought !== this.#pending) {
      this.#pending = brought
      this.#boundary = this.#stash.nextOrder
    }
    if (this.#pending === 0 || this.#stash.hasBefore(this.#boundary)) return undefined
    this.passed = this.#pending
    this.#pending = 0
    return this.passed
  }

  /** The last number that all lanes have brought, where it is new. A seat that nobody has brings none. */
  #brought(isReleased: boolean): number | undefined {
    let least = this.asked
    for (const lane of this.#lanes) {
      if (lane.isVacant) continue
      const { reader } = lane
      const mark = reader.mark
      if (((mark - this.passed) | 0) <= 0 || !reader.isPastMarker(isReleased)) return undefined
      if (((mark - least) | 0) < 0) least = mark
    }
    return least
  }
}
