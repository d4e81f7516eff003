import type { Plan, StagePlan } from '../plan/types.ts'

/** The workers of sources that have not said yet that all of their records have ended. */
export class OpenSources {
  readonly #plan: Plan
  readonly #open: Set<number>

  constructor(plan: Plan) {
    this.#plan = plan
    this.#open = new Set(plan.sources)
  }

  /** @param worker its index in the plan */
  ended(worker: number): void {
    this.#open.delete(worker)
  }

  /** It has died: its successor says by itself whether all have ended. */
  died(worker: number): void {
    if (this.#plan.sources.includes(worker)) this.#open.add(worker)
  }

  /** The stage of each of them. */
  get stages(): readonly StagePlan[] {
    return [...this.#open].map((index) => this.#plan.stages[this.#plan.workers[index]!.stage]!)
  }
}
