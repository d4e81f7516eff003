import { load } from '#atomics'
import { ENDED, PENDING, SENT, TAKEN } from '../../memory/lane.ts'
import { journalMark } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import { isStashEmpty } from '../../lane/stash.ts'
import type { LinkPlan, Plan, StagePlan, WorkerPlan } from '../../plan/types.ts'
import { HANDOFFS } from '../../memory/counters.ts'
import type { Inlet, InletLane } from './inlet.ts'
import { vacancyOf } from './vacancy.ts'

/**
 * How far the end of the sources has come down to a worker. A source whose records are all handed on says so on its lanes, and
 * so does every worker below, once all lanes into it are at their end and nothing is left with it. Stages on a loop wait for
 * each other, so there a worker looks at all of them: their loop is at its end when nothing comes from outside, all lanes
 * within are empty, no worker keeps anything, and nobody has handed anything off between two looks.
 *
 * A seat that nobody has is at its end too (`isVacant`). Injected records come at any time, and are nobody's end.
 */
export class End {
  readonly #memory: Memory
  readonly #inlet: Inlet
  readonly #lanes: readonly InletLane[]
  /** Word indexes of the lanes into and within the loop that the stage is on; undefined where it is on none. */
  readonly #loop:
    | {
        readonly workers: readonly WorkerPlan[]
        readonly into: readonly LoopLane[]
        readonly within: readonly LoopLane[]
      }
    | undefined

  constructor(memory: Memory, plan: Plan, stage: StagePlan, inlet: Inlet) {
    this.#memory = memory
    this.#inlet = inlet
    this.#lanes = inlet.lanes.filter(
      ({ link }) => plan.stages[link.from]!.role === 'node' && !stage.loop?.includes(link.from),
    )
    const { loop } = stage
    if (loop === undefined) return
    const lanesOf = (isOne: (link: LinkPlan) => boolean): LoopLane[] =>
      plan.links.filter(isOne).flatMap(({ from, lanes }) =>
        lanes.flatMap((row, writer) =>
          row.map(({ offset }) => ({
            at: offset / 4,
            isVacant: vacancyOf(memory, plan, plan.stages[from]!.workers[writer]!),
          })),
        ),
      )
    const isInside = (index: number): boolean => loop.includes(index)
    this.#loop = {
      workers: plan.workers.filter((worker) => isInside(worker.stage)),
      into: lanesOf(({ from, to }) => isInside(to) && !isInside(from) && plan.stages[from]!.role === 'node'),
      within: lanesOf(({ from, to }) => isInside(from) && isInside(to)),
    }
  }

  /** Nothing new comes from the sources: what waits for more to come need not wait. On a loop, records may still go round. */
  get isNear(): boolean {
    return this.#inlet.tenure?.isClosed === true || this.#isAtEnd()
  }

  /**
   * Nothing comes to this worker any more, by no way.
   * Call it where the worker has nothing in hand, and nothing that is to be handed off.
   */
  get hasCome(): boolean {
    if (!this.#isAtEnd() || this.#lanes.some(({ reader }) => reader.hasTaken)) return false
    if (this.#loop === undefined) return true
    const before = this.#lookAtLoop()
    return before !== undefined && before === this.#lookAtLoop()
  }

  #isAtEnd(): boolean {
    let areAllTold = true
    for (const lane of this.#lanes) {
      if (lane.reader.hasEnded) continue
      if (!lane.isVacant) return false
      areAllTold = false
    }
    // A seat may have been taken while this looked at the others. Once these have said that they are at their end, nothing comes to it
    // any more, so the second look is right.
    if (!areAllTold && !this.#lanes.every((lane) => lane.isOver)) return false
    return this.#loop === undefined || this.#loop.into.every((lane) => this.#isEnded(lane))
  }

  #isEnded({ at, isVacant }: LoopLane): boolean {
    return load(this.#memory.words, at + ENDED) === 1 || isVacant()
  }

  #isEmpty({ at }: LoopLane): boolean {
    const { words } = this.#memory
    return load(words, at + PENDING) === 0 && load(words, at + SENT) === load(words, at + TAKEN)
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

/** A lane of a loop that need not be this worker's: its first word, and whether nobody has the seat of its writer. */
interface LoopLane {
  readonly at: number
  readonly isVacant: () => boolean
}
