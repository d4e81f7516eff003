/** One worker of the pipeline, in one of its lives: the shipped stage, on the memory that outlives it. */
import type { GraphData, Handler } from '#src/graph/types.js'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import { LIVE, STATE } from '#src/memory/control.js'
import type { Plan, WorkerPlan } from '#src/plan/types.js'
import { type AnyFunction, Handlers } from '#src/worker/call/handlers.js'
import { seat } from '#src/supervisor/memory.js'
import { handlersOf } from '#src/worker/thread/load-handlers.js'
import { OutputStage } from '#src/worker/stages/output.js'
import { OVERDUE_MS } from '#src/worker/loop/loop.js'
import { makeParts } from '#src/worker/parts.js'
import { loadStage } from '#src/worker/thread/stage-kinds.js'
import type { Parts, Stage } from '#src/worker/stage.js'

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
