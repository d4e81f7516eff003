import { store } from '#atomics'
import { MillraceError } from '../../errors.ts'
import { anchorSlot, anchorSource } from '../../lane/slots.ts'
import { type Memory, viewMemory } from '../../lane/memory.ts'
import { LEFT, LIVE, STATE } from '../../plan/control.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import type { Handlers } from '../../worker/handlers.ts'
import { Loop } from '../../worker/loop.ts'
import { OutputStage } from '../../worker/output.ts'
import { makeParts } from '../../worker/parts.ts'
import { onAbort } from '../on-abort.ts'
import { Call, Calls } from './call.ts'
import { PushSupply, Receipt } from '../../worker/push.ts'
import { SourceStage } from '../../worker/source.ts'
import type { Parts, Stage, WorkerEvent } from '../../worker/stage.ts'

export interface EmbedderListener {
  ended(worker: number): void
  failed(error: unknown): void
  event(worker: WorkerPlan, event: WorkerEvent): void
}

/**
 * The stages of the thread that called `run`: sources that are pushed into, and outputs that are read. They run the same
 * loops as workers do, and never block.
 */
export class Embedder {
  readonly #workers: readonly EmbeddedWorker[]

  /** @param handlers by stage index: conditionals and keys behind a push source are functions of this thread */
  constructor(plan: Plan, memory: Memory, handlers: ReadonlyMap<number, Handlers>, listener: EmbedderListener) {
    const answer = (anchor: number, record: unknown): boolean => this.#answer(anchor, record)
    this.#workers = plan.stages
      .filter(({ host }) => host === 'embedder')
      .flatMap(({ workers }) =>
        workers.map((index) => {
          const worker = plan.workers[index]!
          return new EmbeddedWorker(plan, memory, worker, handlers.get(worker.stage)!, listener, answer)
        }),
      )
  }

  start(): void {
    for (const worker of this.#workers) worker.start()
  }

  /** A push source, or all of them, take no more records. */
  close(node?: string): void {
    for (const worker of this.#workers) if (node === undefined || worker.node === node) worker.close()
  }

  /** Resolves when all loops are over. */
  async left(): Promise<void> {
    await Promise.all(this.#workers.map(({ left }) => left))
    for (const { supply, stage } of this.#workers) {
      supply?.abandon()
      if (stage instanceof OutputStage) stage.end()
    }
    for (const { calls, node } of this.#workers) calls?.abandon(new MillraceError('RECORD_ABANDONED', { node }))
  }

  /** Pushes a record. Resolves when a lane takes it. @throws NODE_NOT_PUSHED, PIPELINE_NOT_RUNNING */
  push(node: string, record: unknown, signal?: AbortSignal): Promise<Receipt> {
    const receipt = new Receipt(node)
    return this.#add(node, record, receipt, () => undefined, signal).then(() => receipt)
  }

  /**
   * Pushes a record and resolves to the first record that comes of it at an output.
   * @throws RECORD_FAILED, CALL_UNANSWERED: their `cause` is the handler's error; RECORD_ABANDONED
   */
  async call(node: string, record: unknown, signal?: AbortSignal): Promise<unknown> {
    const { calls } = this.#pushed(node)
    const receipt = new Receipt(node)
    const call = new Call()
    const abortion = aborted(signal)
    try {
      await this.#add(node, record, receipt, (sequence) => calls.open(call, sequence), signal)
      // Without an answer the record's end is the end of the call.
      const ended = receipt.done.then(() => UNANSWERED)
      const result = await Promise.race([call.answered, ended, abortion.promise])
      if (result === UNANSWERED) throw failedCall('CALL_UNANSWERED', node, call.reason)
      return result
    } catch (error) {
      if (receipt.outcome !== 'failed') throw error
      throw failedCall('RECORD_FAILED', node, await call.reasonSoon())
    } finally {
      calls.close(call)
      abortion.forget()
    }
  }

  /** A worker has given a record up: a call may wait for what came of it. */
  told({ recordId, error }: WorkerEvent): void {
    if (recordId === undefined) return
    for (const { calls } of this.#workers) calls?.explain(recordId, { stack: '', ...error })
  }

  /** The output of a node. @throws NODE_NOT_OUTPUT */
  output(node: string): OutputStage {
    const found = this.#workers.find((worker) => worker.node === node)?.stage
    if (found instanceof OutputStage) return found
    throw new MillraceError('NODE_NOT_OUTPUT', { node })
  }

  #pushed(node: string): { supply: PushSupply; calls: Calls } {
    const found = this.#workers.find((worker) => worker.node === node)
    if (found?.supply === undefined) throw new MillraceError('NODE_NOT_PUSHED', { node })
    return { supply: found.supply, calls: found.calls! }
  }

  async #add(
    node: string,
    record: unknown,
    receipt: Receipt,
    onTaken: (sequence: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { supply } = this.#pushed(node)
    signal?.throwIfAborted()
    return new Promise<number>((resolve, reject) => {
      const forget = onAbort(signal, () => {
        takeBack()
        reject(signal!.reason as Error)
      })
      const takeBack = supply.add(record, receipt, (sequence) => {
        forget()
        if (sequence === undefined) return reject(new MillraceError('PIPELINE_NOT_RUNNING', { node }))
        onTaken(sequence)
        resolve(sequence)
      })
    })
  }

  #answer(anchor: number, record: unknown): boolean {
    const source = this.#workers.find(({ number }) => number === anchorSource(anchor))
    return source?.calls?.answer(source.sequenceOf(anchorSlot(anchor)), record) ?? false
  }
}

const UNANSWERED = Symbol('unanswered')

function failedCall(code: 'RECORD_FAILED' | 'CALL_UNANSWERED', node: string, cause: Error | undefined): MillraceError {
  return cause === undefined
    ? new MillraceError(code, { node })
    : new MillraceError(code, { node, reason: cause.message }, { cause })
}

/** Rejects when the signal is aborted, until it is told to forget it. */
function aborted(signal: AbortSignal | undefined): { promise: Promise<never>; forget: () => void } {
  let forget = nothing
  const promise = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(signal!.reason as Error))
  })
  // While the record is not taken yet, nobody waits for this: the push rejects.
  promise.catch(() => undefined)
  return { promise, forget: () => forget() }
}

/** One stage of this thread, with its one worker. */
class EmbeddedWorker {
  readonly node: string
  /** Its source number; -1 of an output. */
  readonly number: number
  /** Of a push source only. */
  readonly supply: PushSupply | undefined
  readonly calls: Calls | undefined
  readonly stage: Stage
  left: Promise<void> = Promise.resolve()
  readonly #parts: Parts
  readonly #loop: Loop
  readonly #memory: Memory
  readonly #worker: WorkerPlan
  readonly #listener: EmbedderListener
  readonly #stopped = new AbortController()

  constructor(
    plan: Plan,
    memory: Memory,
    worker: WorkerPlan,
    handlers: Handlers,
    listener: EmbedderListener,
    answer: (anchor: number, record: unknown) => boolean,
  ) {
    let wake = nothing
    const draining = new AbortController()
    this.#memory = memory
    this.#worker = worker
    this.#listener = listener
    this.node = plan.stages[worker.stage]!.node
    this.number = worker.source ?? -1
    this.calls =
      worker.source === undefined ? undefined : new Calls((number) => (this.stage as SourceStage).idOfPushed(number))
    this.supply = worker.source === undefined ? undefined : new PushSupply(() => wake())
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
  // Until the loop is made, nothing can have happened that it would have to be woken for; an absent signal is never aborted.
}
