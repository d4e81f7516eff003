import { load } from '#atomics'
import { ENDED, PENDING, SENT, TAKEN } from '../../memory/lane.ts'
import { journalMark } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import { isStashEmpty } from '../../lane/stash.ts'
import type { LinkPlan, Plan, StagePlan, WorkerPlan } from '../../plan/types.ts'
import { HANDOFFS } from '../../memory/counters.ts'
import type { Inlet, InletLane } from './inlet.ts'

/**
 * How far the end of the sources has come down to a worker. A source whose records are all handed on says so on its lanes, and
 * so does every worker below, once all lanes into it are at their end and nothing is left with it. Stages on a loop wait for
 * each other, so there a worker looks at all of them: their loop is at its end when nothing comes from outside, all lanes
 * within are empty, no worker keeps anything, and nobody has handed anything off between two looks.
 *
 * Injected records come at any time, and are nobody's end.
 */
export class End {
  readonly #memory: Memory
  readonly #lanes: readonly InletLane[]
  /** Word indexes of the lanes into and within the loop that the stage is on; undefined where it is on none. */
  readonly #loop:
    | { readonly workers: readonly WorkerPlan[]; readonly into: readonly number[]; readonly within: readonly number[] }
    | undefined

  constructor(memory: Memory, plan: Plan, stage: StagePlan, inlet: Inlet) {
    this.#memory = memory
    this.#lanes = inlet.lanes.filter(
      ({ link }) => plan.stages[link.from]!.role === 'node' && !stage.loop?.includes(link.from),
    )
    const { loop } = stage
    if (loop === undefined) return
    const wordsOf = (isOne: (link: LinkPlan) => boolean): number[] =>
      plan.links.filter(isOne).flatMap(({ lanes }) => lanes.flat().map(({ offset }) => offset / 4))
    const isInside = (index: number): boolean => loop.includes(index)
    this.#loop = {
      workers: plan.workers.filter((worker) => isInside(worker.stage)),
      into: wordsOf(({ from, to }) => isInside(to) && !isInside(from) && plan.stages[from]!.role === 'node'),
      within: wordsOf(({ from, to }) => isInside(from) && isInside(to)),
    }
  }

  /** Nothing new comes from the sources: what waits for more to come need not wait. On a loop, records may still go round. */
  get isNear(): boolean {
    for (const { reader } of this.#lanes) if (!reader.hasEnded) return false
    if (this.#loop !== undefined) for (const lane of this.#loop.into) if (!this.#isEnded(lane)) return false
    return true
  }

  /**
   * Nothing comes to this worker any more, by no way.
   * Call it where the worker has nothing in hand, and nothing that is to be handed off.
   */
  get hasCome(): boolean {
    if (!this.isNear) return false
    for (const { reader } of this.#lanes) if (reader.hasTaken) return false
    if (this.#loop === undefined) return true
    const before = this.#lookAtLoop()
    return before !== undefined && before === this.#lookAtLoop()
  }

  #isEnded(lane: number): boolean {
    return load(this.#memory.words, lane + ENDED) === 1
  }

  #isEmpty(lane: number): boolean {
    const { words } = this.#memory
    return load(words, lane + PENDING) === 0 && load(words, lane + SENT) === load(words, lane + TAKEN)
  }

  /** Hand-offs of all workers on the loop so far; undefined where something is left there. */
  #lookAtLoop(): number | undefined {
    const { workers, into, within } = this.#loop!
    let handoffs = 0
    for (const { journal, stash } of workers) {
      if (journalMark(this.#memory, journal) !== 0 || !isStashEmpty(this.#memory.words, stash)) return undefined
      handoffs += this.#memory.floats[journal.countersOffset / 8 + HANDOFFS]!
    }
    for (const lane of into) if (!this.#isEnded(lane) || !this.#isEmpty(lane)) return undefined
    for (const lane of within) if (!this.#isEmpty(lane)) return undefined
    return handoffs
  }
}
