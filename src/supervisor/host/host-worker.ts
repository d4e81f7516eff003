import { store } from '#atomics'
import { type Memory, viewMemory } from '../../memory/memory.ts'
import { LEFT, LIVE, STATE } from '../../memory/control.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import type { Handlers } from '../../worker/call/handlers.ts'
import { Loop } from '../../worker/loop/loop.ts'
import { OutputStage } from '../../worker/stages/output.ts'
import { makeParts } from '../../worker/parts.ts'
import { type Keeper, PushSupply } from '../../worker/source/push.ts'
import { SourceStage } from '../../worker/stages/source.ts'
import type { Parts, Stage, WorkerEvent } from '../../worker/stage.ts'
import { Calls } from './call.ts'
import type { Reasons } from './reasons.ts'

/** What the supervisor wants to know of the workers in its thread. */
export interface HostListener {
  ended(worker: number): void
  failed(error: unknown): void
  event(worker: WorkerPlan, event: WorkerEvent): void
}

/** What a worker in this thread is made of. */
interface HostWorkerOptions {
  readonly plan: Plan
  readonly memory: Memory
  readonly worker: WorkerPlan
  readonly handlers: Handlers
  readonly listener: HostListener
  /** Of an output: true if the record is the answer of a call. */
  readonly answer: (anchor: number, record: unknown) => boolean
  readonly reasons: Reasons
  /** Of a source whose records are kept. */
  readonly keeper: Keeper | undefined
}

/** One stage of this thread, with its one worker. */
export class HostWorker {
  readonly node: string
  /** Its source number; -1 of an output. */
  readonly number: number
  /** Records are on the disk before they are taken. */
  readonly isKept: boolean
  /** Of a push source only. */
  readonly supply: PushSupply | undefined
  readonly calls: Calls | undefined
  readonly stage: Stage
  left: Promise<void> = Promise.resolve()
  readonly #parts: Parts
  readonly #loop: Loop
  readonly #memory: Memory
  readonly #worker: WorkerPlan
  readonly #listener: HostListener
  readonly #stopped = new AbortController()

  constructor({ plan, memory, worker, handlers, listener, answer, reasons, keeper }: HostWorkerOptions) {
    let wake = nothing
    const draining = new AbortController()
    this.#memory = memory
    this.#worker = worker
    this.#listener = listener
    this.node = plan.stages[worker.stage]!.node
    this.number = worker.source ?? -1
    this.isKept = keeper !== undefined
    this.calls =
      worker.source === undefined ? undefined : new Calls((number) => (this.stage as SourceStage).idOfPushed(number))
    const why = (number: number): Promise<Error | undefined> =>
      reasons.of((this.stage as SourceStage).idOfPushed(number))
    this.supply = worker.source === undefined ? undefined : new PushSupply(() => wake(), why, keeper)
    this.#parts = makeParts({
      plan,
      worker: worker.index,
      memory,
      assembly: viewMemory(new ArrayBuffer(worker.inputs.length > 0 ? plan.maxRecordBytes : 0)),
      handlers,
      state: undefined,
      stopped: this.#stopped.signal,
      draining: draining.signal,
      supply: this.supply,
      wake: () => wake(),
      report: (event) => listener.event(worker, event),
    })
    this.stage = this.supply === undefined ? new OutputStage(this.#parts, answer) : new SourceStage(this.#parts)
    const { clock, outlet } = this.#parts
    const beforeWait = (): void => outlet.wakePeers(true)
    const onEnded = (): void => listener.ended(worker.index)
    this.#loop = new Loop({
      plan,
      worker,
      memory,
      stage: this.stage,
      clock,
      onEnded,
      beforeWait,
    })
    wake = this.#loop.wake
  }

  start(): void {
    const state = this.#worker.control.offset / 4 + STATE
    store(this.#memory.words, state, LIVE)
    this.left = this.#loop
      .run()
      .catch((error: unknown) => this.#listener.failed(error))
      .finally(() => {
        this.#stopped.abort()
        store(this.#memory.words, state, LEFT)
      })
  }

  close(): void {
    this.supply?.close()
    this.#loop.wake()
  }

  sequenceOf(slot: number): number {
    return this.#parts.source!.slots.sequence(slot)
  }
}

function nothing(): void {
  // Until the loop is made, nothing can have happened that it would have to be woken for.
}
