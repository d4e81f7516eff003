import type { GraphData, Handler } from '../graph/types.ts'
import { type Memory, viewMemory } from '../memory/memory.ts'
import { LIVE, STATE } from '../memory/control.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import { allocate } from '../supervisor/memory.ts'
import { type AnyFunction, Handlers } from '../worker/call/handlers.ts'
import { OVERDUE_MS } from '../worker/loop/loop.ts'
import { makeParts } from '../worker/parts.ts'
import type { Supply } from '../worker/source/supply.ts'
import type { Parts, Stage, WorkerEvent } from '../worker/stage.ts'
import { OutputStage } from '../worker/stages/output.ts'
import { functionsOf } from '../worker/thread/load-handlers.ts'
import { loadStage } from '../worker/thread/stage-kinds.ts'
import { fuse } from './fuse.ts'

type Kind = new (parts: Parts) => Stage

/** What all workers of a pipeline on one thread have in common. */
export interface Shared {
  readonly plan: Plan
  readonly graph: GraphData
  readonly params: unknown
  readonly memory: Memory
  /** Where records in fragments are put together, by worker. */
  readonly assemblies: readonly Memory[]
  readonly kinds: readonly (Kind | undefined)[]
  /** By stage. */
  readonly functions: readonly ReadonlyMap<Handler, AnyFunction>[]
  readonly listener: SharedListener
  /** Where the records of a push source come from. */
  readonly supplyOf?: ((node: string, wake: () => void) => Supply) | undefined
}

/** What comes of the records. */
interface SharedListener {
  /** A record has come out. */
  output(node: string, record: unknown): void
  /** A worker tells of a record. */
  event?(worker: WorkerPlan, event: WorkerEvent): void
}

export async function share(
  plan: Plan,
  graph: GraphData,
  given: Pick<Shared, 'listener' | 'params' | 'supplyOf'>,
): Promise<Shared> {
  const { memory, assemblies: ofPools } = allocate(plan, graph)
  const assemblies = plan.workers.map(({ index, inputs }) =>
    viewMemory(ofPools.get(index) ?? new ArrayBuffer(inputs.length > 0 ? plan.maxRecordBytes : 0)),
  )
  const kinds = await Promise.all(
    plan.stages.map(async (stage) => (stage.work === 'output' ? undefined : await loadStage(stage))),
  )
  const functions = await Promise.all(plan.stages.map((stage) => functionsOf(plan, stage, graph)))
  return { plan, graph, memory, assemblies, kinds, functions, ...given }
}

/** How a life is made, and what it tells whoever steps it. */
interface LifeOptions {
  /** Which life of its worker this is. */
  readonly epoch: number
  /** What `setup` has returned. */
  readonly state: unknown
  /** Something has happened in the worker's own thread. */
  readonly wake: () => void
  /** Puts a function of the user into the hands of whoever steps the life. */
  readonly guard: (handler: AnyFunction) => AnyFunction
}

/** One worker in one of its lives: the shipped stage, on the memory that outlives it. */
export class Life {
  readonly worker: WorkerPlan
  readonly node: string
  readonly stage: Stage
  /** When its last step began. */
  steppedAt = 0
  /** Hand-offs so far. */
  handoffs = 0
  readonly #parts: Parts
  readonly #draining = new AbortController()
  readonly #stopped = new AbortController()

  constructor(shared: Shared, worker: WorkerPlan, { epoch, state, wake, guard }: LifeOptions) {
    const { plan, graph, memory, params, listener } = shared
    const stage = plan.stages[worker.stage]!
    this.worker = worker
    this.node = stage.node
    const isHosted = stage.host === 'embedder'
    const functions = [...shared.functions[stage.index]!].map(
      ([handler, call]) => [handler, isHosted ? call : guard(call)] as const,
    )
    const parts = (this.#parts = makeParts({
      plan,
      worker: worker.index,
      memory,
      epoch,
      assembly: shared.assemblies[worker.index]!,
      handlers: new Handlers(stage, graph, new Map(functions), params),
      state,
      stopped: this.#stopped.signal,
      draining: this.#draining.signal,
      supply: isHosted && worker.source !== undefined ? shared.supplyOf?.(stage.node, wake) : undefined,
      wake,
      report: (event) => {
        // Who is dead tells nobody that its handler failed by that.
        if (!fuse.isDead) listener.event?.(worker, event)
      },
    }))
    this.#watch(isHosted)
    // As the thread does before its loop runs: from here on a death counts for what is in hand.
    memory.words[worker.control.offset / 4 + STATE] = LIVE
    const Kind = shared.kinds[stage.index]
    this.stage =
      Kind === undefined
        ? new OutputStage(parts, (_, record) => {
            listener.output(stage.node, record)
            return true
          })
        : new Kind(parts)
  }

  /** A death may come before a hand-off, and after it. */
  #watch(isHosted: boolean): void {
    const { journal } = this.#parts
    const commit = journal.commit.bind(journal)
    journal.commit = () => {
      if (!isHosted) fuse.visit()
      commit()
      this.handoffs++
      if (!isHosted) fuse.visit()
    }
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

  /** What is read or pushed into by the thread that called `run` does not die. */
  get canDie(): boolean {
    return this.#parts.stage.host === 'pool'
  }

  drain(): void {
    this.#draining.abort()
  }

  stop(): void {
    this.#draining.abort()
    this.#stopped.abort()
  }
}
