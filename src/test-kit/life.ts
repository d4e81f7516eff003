/** One worker of the pipeline, in one of its lives: the shipped stage, on the memory that outlives it. */
import type { GraphData, Handler } from '../graph/types.ts'
import { type Memory, viewMemory } from '../memory/memory.ts'
import { LIVE, STATE } from '../memory/control.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import { type AnyFunction, Handlers } from '../worker/call/handlers.ts'
import { seat } from '../supervisor/memory.ts'
import { handlersOf } from '../worker/thread/load-handlers.ts'
import { OutputStage } from '../worker/stages/output.ts'
import { OVERDUE_MS } from '../worker/loop/loop.ts'
import { makeParts } from '../worker/parts.ts'
import { loadStage } from '../worker/thread/stage-kinds.ts'
import type { Parts, Stage } from '../worker/stage.ts'

type Kind = new (parts: Parts) => Stage

export interface Shared {
  readonly plan: Plan
  readonly graph: GraphData
  readonly memory: Memory
  /** Where records in fragments are put together, by worker. */
  readonly assemblies: readonly Memory[]
  readonly kinds: readonly (Kind | undefined)[]
  readonly functions: ReadonlyMap<Handler, AnyFunction>
  /** A record has come out. */
  readonly onOutput: (node: string, record: unknown) => void
}

export async function share(plan: Plan, graph: GraphData, onOutput: Shared['onOutput']): Promise<Shared> {
  const memory = viewMemory(new SharedArrayBuffer(plan.memoryBytes))
  seat(memory, plan)
  const assemblies = plan.workers.map(({ inputs }) =>
    viewMemory(new SharedArrayBuffer(inputs.length > 0 ? plan.maxRecordBytes : 0)),
  )
  const kinds = await Promise.all(
    plan.stages.map(async (stage) => (stage.work === 'output' ? undefined : await loadStage(stage))),
  )
  const functions = new Map(handlersOf(graph).map((handler) => [handler, handler as AnyFunction]))
  return { plan, graph, memory, assemblies, kinds, functions, onOutput }
}

export class Life {
  readonly worker: WorkerPlan
  readonly node: string
  readonly stage: Stage
  isDead = false
  readonly #parts: Parts
  /** When its last step began. */
  steppedAt = 0
  readonly #draining = new AbortController()

  /** @param wake called where something has happened in the worker's own thread */
  constructor(shared: Shared, worker: WorkerPlan, wake: () => void) {
    const { plan, graph, memory, functions } = shared
    const stage = plan.stages[worker.stage]!
    this.worker = worker
    this.node = stage.node
    const parts = (this.#parts = makeParts({
      plan,
      worker: worker.index,
      memory,
      assembly: shared.assemblies[worker.index]!,
      handlers: new Handlers(stage, graph, functions),
      state: undefined,
      stopped: new AbortController().signal,
      draining: this.#draining.signal,
      wake,
      report: () => undefined,
    }))
    // As the thread does before its loop runs: from here on a death counts for what is in hand.
    memory.words[worker.control.offset / 4 + STATE] = LIVE
    const Kind = shared.kinds[stage.index]
    this.stage =
      Kind === undefined
        ? new OutputStage(parts, (_, record) => {
            shared.onOutput(stage.node, record)
            return true
          })
        : new Kind(parts)
  }

  /** It has lost its seat to a resize: its loop ends. */
  get hasLeft(): boolean {
    return this.#parts.inlet.tenure?.hasLeft === true
  }

  /** When its loop would step it again though nothing happens. */
  get wakeAt(): number {
    const { wakeAt } = this.stage
    return wakeAt <= this.steppedAt ? this.steppedAt + OVERDUE_MS : wakeAt
  }

  /** Outputs are read by the thread that called `run`: it does not die. */
  get canDie(): boolean {
    return !(this.stage instanceof OutputStage)
  }

  drain(): void {
    this.#draining.abort()
  }
}
