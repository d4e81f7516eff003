import { MillraceError, errorText } from '../errors.ts'
import type { SetupContext } from '../graph/types.ts'
import type { WorkerPlan } from '../plan/types.ts'
import type { AnyFunction } from '../worker/call/handlers.ts'
import type { RunClock } from './clock.ts'
import type { Shared } from './life.ts'

/** Calls what workers run before their first record and after their last one. */
export class Setups {
  readonly #shared: Shared
  readonly #clock: RunClock
  readonly #fault: (what: string) => void

  constructor(shared: Shared, clock: RunClock, fault: (what: string) => void) {
    this.#shared = shared
    this.#clock = clock
    this.#fault = fault
  }

  /** @returns the state of the worker. @throws START_FAILED */
  async setUp(worker: WorkerPlan, epoch: number): Promise<unknown> {
    const setup = this.#own(worker, 'setup')
    if (setup === undefined) return undefined
    try {
      return await this.#awaited(setup(this.#contextOf(worker, epoch)))
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'INLINE_NOT_OVER') throw error
      const { node } = this.#shared.plan.stages[worker.stage]!
      const detail = { node, worker: worker.ordinal, step: 'setup', reason: errorText(error).message }
      throw new MillraceError('START_FAILED', detail, { cause: error })
    }
  }

  async tearDown(worker: WorkerPlan, epoch: number, state: unknown): Promise<void> {
    const teardown = this.#own(worker, 'teardown')
    if (teardown !== undefined) await this.#awaited(teardown(state, this.#contextOf(worker, epoch)))
  }

  #contextOf({ stage, ordinal }: WorkerPlan, epoch: number): SetupContext {
    const { plan, params } = this.#shared
    const { node, concurrency } = plan.stages[stage]!
    const { signal } = new AbortController()
    return { node, worker: ordinal, workers: concurrency, epoch, params, signal, degraded: () => undefined }
  }

  #own({ stage }: WorkerPlan, name: 'setup' | 'teardown'): AnyFunction | undefined {
    const { plan, graph, functions } = this.#shared
    const { node } = plan.stages[stage]!
    const handler = graph.nodes.find(({ id }) => id === node)?.[name]
    return handler === undefined ? undefined : functions[stage]!.get(handler)
  }

  /** Waits for something that is no part of the pipeline, while time passes. */
  async #awaited<T>(promise: T | Promise<T>): Promise<T> {
    let isSettled = false
    const settled = Promise.resolve(promise).finally(() => (isSettled = true))
    settled.catch(() => undefined)
    for (;;) {
      await this.#clock.settleAll()
      if (isSettled) return settled
      const timer = this.#clock.due()
      if (timer !== undefined) timer.call()
      else if (!(await this.#clock.advanceTo(this.#clock.nextTimerAt))) {
        this.#fault('stands still: `setup` or `teardown` waits for something outside this process')
        return settled
      }
    }
  }
}
