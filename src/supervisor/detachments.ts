import { load, store } from '#atomics'
import { MillraceError } from '../errors.ts'
import type { Memory } from '../memory/memory.ts'
import { COMMAND, DETACHED } from '../memory/control.ts'
import type { Plan, StagePlan } from '../plan/types.ts'
import type { Events } from './events.ts'
import type { WorkerHandle } from './handle.ts'
import type { History } from './history.ts'

/** What detachments need of the pipeline. */
interface DetachmentsOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly events: Events
  readonly history: History
  readonly handles: readonly WorkerHandle[]
}

/**
 * Stages that gave up and are detached: their workers run without their handler, so each record that comes to them fails, by their error
 * or dead-letter edge or as a nack, and the rest of the pipeline goes on. A worker looks at its word when it starts.
 */
export class Detachments {
  readonly #options: DetachmentsOptions

  constructor(options: DetachmentsOptions) {
    this.#options = options
  }

  isDetached(stage: StagePlan): boolean {
    const { words } = this.#options.memory
    return this.#commands(stage).some((word) => (load(words, word) & DETACHED) !== 0)
  }

  /** Detaches a stage: its workers are replaced, beside `dead`, whose thread is gone already. */
  detach(stage: StagePlan, cause: MillraceError, dead: WorkerHandle): void {
    const { history, events, handles } = this.#options
    this.#store(stage, true)
    // Those who end now are not to blame, and what was before is judged.
    history.forgive(stage.node)
    events.emit('stage.detached', { node: stage.node, cause })
    for (const handle of handles) if (handle.stage === stage && handle !== dead) void handle.restart()
  }

  /** Lets a stage work again: its workers are replaced by such that have their handler. @throws NODE_UNKNOWN */
  async attach(node: string): Promise<void> {
    const { plan, history, events, handles } = this.#options
    const stage = plan.stages.find((each) => each.node === node)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    if (!this.isDetached(stage)) return
    this.#store(stage, false)
    history.forgive(node)
    events.emit('stage.attached', { node })
    await Promise.all(handles.filter((handle) => handle.stage === stage).map((handle) => handle.restart()))
  }

  #store(stage: StagePlan, isDetached: boolean): void {
    const { words } = this.#options.memory
    for (const word of this.#commands(stage)) {
      const command = load(words, word)
      store(words, word, isDetached ? command | DETACHED : command & ~DETACHED)
    }
  }

  #commands({ workers }: StagePlan): number[] {
    return workers.map((index) => this.#options.plan.workers[index]!.control.offset / 4 + COMMAND)
  }
}
