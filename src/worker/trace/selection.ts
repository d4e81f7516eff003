import { load } from '#atomics'
import { mix, mixed } from '../../lane/ids.ts'
import { RUN_HIGH, RUN_LOW } from '../../memory/control.ts'
import type { Memory } from '../../memory/memory.ts'
import type { TraceParent } from '../../lane/trace-parent.ts'
import { BY_ALWAYS, BY_PARENT, BY_PREDICATE, BY_RATE, BY_TAIL, HAS_PARENT, WRAPS_SHIFT } from '../../memory/slots.ts'
import { EVERY, PRESSURE, RATE } from '../../memory/trace.ts'
import type { Plan, StagePlan, WorkerPlan } from '../../plan/types.ts'

/** How a source decides about one record; a number is the chance that its chunk is traced. */
type TracePredicate = (record: unknown) => unknown

const WORD = 2 ** 32

/**
 * Decides, once for each slot when it opens, whether it is traced and why: never before always before the predicate before the
 * rate. By chance of the trace id: the same slot gets the same verdict wherever it is asked for.
 */
export class Selection {
  readonly #memory: Memory
  readonly #at: number
  readonly #low: number
  readonly #high: number
  readonly #isNever: boolean
  readonly #reasons: number
  readonly #predicate: TracePredicate | undefined
  readonly #onThrow: (error: unknown) => void

  /** @param onThrow told where the predicate throws, which chooses nothing */
  constructor(given: {
    memory: Memory
    plan: Plan
    stage: StagePlan
    worker: WorkerPlan
    predicate: TracePredicate | undefined
    onThrow: (error: unknown) => void
  }) {
    const { memory, plan, stage, worker } = given
    const { offset, tail, always, never } = plan.trace!
    const control = plan.control.offset / 4
    this.#memory = memory
    this.#at = offset
    mix(load(memory.words, control + RUN_LOW), load(memory.words, control + RUN_HIGH), worker.source!)
    this.#low = mixed.low
    this.#high = mixed.high
    this.#isNever = never.includes(stage.node)
    const isAlways = plan.stages.some(
      ({ node, sourcesAbove }) =>
        always.includes(node) && (node === stage.node || sourcesAbove.includes(worker.source!)),
    )
    this.#reasons = (isAlways ? BY_ALWAYS : 0) | (tail ? BY_TAIL : 0)
    this.#predicate = given.predicate
    this.#onThrow = given.onThrow
  }

  /**
   * @param parent of what is pushed: what it continues
   * @returns the TRACE of the slot; 0 where it is not traced
   */
  decide(
    values: ArrayLike<unknown>,
    records: number,
    { wraps, sequence }: { readonly wraps: number; readonly sequence: number },
    parent?: TraceParent,
  ): number {
    if (this.#isNever) return 0
    let reasons = this.#reasons | (parent?.isSampled === true ? BY_PARENT : 0)
    mix(this.#low, this.#high, wraps)
    mix(mixed.low, mixed.high, sequence)
    const chance = (mixed.low >>> 0) / WORD
    if (this.#predicate !== undefined && this.#isChosen(values, records, chance)) reasons |= BY_PREDICATE
    if (this.#isSampled(sequence, chance)) reasons |= BY_RATE
    return reasons === 0 ? 0 : reasons | (parent === undefined ? 0 : HAS_PARENT) | (wraps << WRAPS_SHIFT)
  }

  #isSampled(sequence: number, chance: number): boolean {
    const { words, floats } = this.#memory
    const every = words[this.#at / 4 + EVERY]!
    const rate = floats[this.#at / 8 + RATE]!
    if (rate === 0 && every === 0) return false
    const thinned = 2 ** -words[this.#at / 4 + PRESSURE]!
    if (chance < rate * thinned) return true
    return every > 0 && (sequence >>> 0) % every === 0 && chance < thinned
  }

  /** One record of the chunk is enough. A predicate that throws chooses nothing: tracing never stands in the way. */
  #isChosen(values: ArrayLike<unknown>, records: number, chance: number): boolean {
    for (let i = 0; i < records; i++) {
      try {
        const answer = this.#predicate!(values[i])
        if (answer === true || (typeof answer === 'number' && chance < answer)) return true
      } catch (error) {
        this.#onThrow(error)
      }
    }
    return false
  }
}
