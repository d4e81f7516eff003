import { MillraceError } from '../errors.ts'
import type { Plan } from '../plan/types.ts'
import { type Assignment, type HandleListener, WorkerHandle } from './handle.ts'
import type { PipelineMemory } from './memory.ts'
import { StagePool } from './pool.ts'

/** The workers of all pools. */
export class Handles {
  readonly all: readonly WorkerHandle[]
  readonly #plan: Plan

  constructor(
    plan: Plan,
    { shared, memory, assemblies }: PipelineMemory,
    graph: Omit<Assignment, 'plan' | 'memory' | 'assembly'>,
    listener: HandleListener,
  ) {
    this.#plan = plan
    this.all = plan.stages
      .filter(({ host }) => host === 'pool')
      .flatMap((stage) => {
        const pool = new StagePool(stage)
        return stage.workers.map((index) => {
          const assignment = { plan, memory: shared, assembly: assemblies.get(index), ...graph }
          return new WorkerHandle(plan.workers[index]!, pool, memory, assignment, listener)
        })
      })
  }

  /** The worker of a stage. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  of(node: string, ordinal: number): WorkerHandle {
    if (!this.#plan.stages.some((stage) => stage.node === node)) throw new MillraceError('NODE_UNKNOWN', { node })
    const found = this.all.find(({ stage, worker }) => stage.node === node && worker.ordinal === ordinal)
    if (found === undefined) throw new MillraceError('WORKER_UNKNOWN', { node, worker: ordinal })
    return found
  }

  /** Ends those that are not ready: they may never come out of their module or their `setup`. */
  killLate(): void {
    for (const handle of this.all) if (handle.state === 'starting') void handle.kill()
  }
}
