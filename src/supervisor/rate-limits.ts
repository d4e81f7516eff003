import { MillraceError } from '../errors.ts'
import { ring } from '../lane/doorbell.ts'
import { RATE } from '../memory/control.ts'
import type { Memory } from '../memory/memory.ts'
import type { Plan, StagePlan } from '../plan/types.ts'

/** The rate limits of stages while they run. */
export class RateLimits {
  readonly #memory: Memory
  readonly #plan: Plan

  constructor(memory: Memory, plan: Plan) {
    this.#memory = memory
    this.#plan = plan
  }

  /** Changes the limit of a stage at once: records per second, Infinity for none, undefined for the planned one. @throws NODE_UNKNOWN */
  set(node: string, perSecond: number | undefined): void {
    this.#store(this.#stage(node), perSecond)
  }

  /** What `set` set, all workers together; the planned limit if it set none. Infinity: no limit. @throws NODE_UNKNOWN */
  of(node: string): number {
    const { limit } = this.#stage(node)
    return this.#memory.floats[limit.offset / 8 + RATE]! || limit.perSecond || Infinity
  }

  /** From now on no stage has a limit. */
  lift(): void {
    for (const stage of this.#plan.stages) this.#store(stage, Infinity)
  }

  #store({ limit, workers }: StagePlan, perSecond: number | undefined): void {
    const { words, floats } = this.#memory
    floats[limit.offset / 8 + RATE] = perSecond === undefined ? 0 : Math.max(Number.MIN_VALUE, perSecond)
    for (const index of workers) ring(words, this.#plan.workers[index]!.control.doorbell)
  }

  #stage(node: string): StagePlan {
    const stage = this.#plan.stages.find((each) => each.node === node)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    return stage
  }
}
