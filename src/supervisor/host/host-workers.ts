import type { IngressJournal } from '../../durable/ingress-journal.ts'
import { MillraceError } from '../../errors.ts'
import type { Memory } from '../../memory/memory.ts'
import { anchorSlot, anchorSource } from '../../memory/slots.ts'
import { Marked, mark } from '../../plan/definition.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import type { Handlers } from '../../worker/call/handlers.ts'
import { OutputStage } from '../../worker/stages/output.ts'
import { parseParent } from '../../lane/trace-parent.ts'
import { Receipt } from '../../worker/source/push.ts'
import type { WorkerEvent } from '../../worker/stage.ts'
import { onAbort } from '../on-abort.ts'
import { Call } from './call.ts'
import { type HostListener, HostWorker } from './host-worker.ts'
import { Keeping } from './keeping.ts'
import { Reasons } from './reasons.ts'

/** How one record is pushed. */
export interface PushOptions {
  /** Takes the record back while it waits to be taken. */
  readonly signal?: AbortSignal | undefined
  /** The header `traceparent` of what the record comes of: its trace goes on here, and is chosen where that says it is sampled. */
  readonly traceparent?: string | undefined
}

/** What is said of a pushed record: see `mark`. */
export interface PushMarks {
  readonly flush?: boolean | undefined
  readonly meta?: unknown
  /** In ms since 1970. */
  readonly expiresAt?: number | undefined
}

/** A record with these marks beside its own. */
export function marked(record: unknown, { flush, meta, expiresAt }: PushMarks): unknown {
  if (flush !== true && meta === undefined && expiresAt === undefined) return record
  const { value, ...own } = record instanceof Marked ? (record as Marked<unknown>) : mark(record, {})
  return mark(value, {
    ...own,
    flush: flush ?? own.flush,
    meta: meta ?? own.meta,
    expiresAt: expiresAt ?? own.expiresAt,
  })
}

/**
 * The stages of the thread that called `run`: sources that are pushed into, and outputs that are read. They run the same
 * loops as workers do, and never block.
 */
export class HostWorkers {
  readonly #workers: readonly HostWorker[]
  readonly #reasons = new Reasons()
  readonly #isTraced: boolean
  readonly #keeping: Keeping | undefined

  /**
   * @param handlers by stage index: conditionals and keys behind a push source are functions of this thread
   * @param journal keeps the records that are pushed
   */
  constructor(
    plan: Plan,
    memory: Memory,
    handlers: ReadonlyMap<number, Handlers>,
    listener: HostListener,
    journal?: IngressJournal,
  ) {
    this.#isTraced = plan.trace !== undefined
    this.#keeping = journal && new Keeping(journal)
    const answer = (anchor: number, record: unknown): boolean => this.#answer(anchor, record)
    this.#workers = plan.stages
      .filter(({ host }) => host === 'embedder')
      .flatMap(({ workers }) =>
        workers.map((index) => {
          const worker = plan.workers[index]!
          return new HostWorker({
            plan,
            memory,
            worker,
            handlers: handlers.get(worker.stage)!,
            listener,
            answer,
            reasons: this.#reasons,
            keeper: isKept(plan, worker) ? journal : undefined,
          })
        }),
      )
  }

  start(): void {
    for (const worker of this.#workers) worker.start()
    this.#keeping?.redeliver(this.#workers)
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
  push(node: string, record: unknown, options: PushOptions = {}): Promise<Receipt> {
    return this.#add(node, record, undefined, options)
  }

  /** Pushes records in their order; so many at once wait to be taken. @throws what `push` throws, and what `records` does */
  async pushAll(
    node: string,
    records: Iterable<unknown> | AsyncIterable<unknown>,
    { signal, traceparent }: PushOptions = {},
  ): Promise<readonly Receipt[]> {
    this.#pushed(node)
    const atOnce = this.#keeping === undefined ? PUSHED_AT_ONCE : KEPT_AT_ONCE
    const receipts: Receipt[] = []
    const taking: Promise<Receipt>[] = []
    const take = async (): Promise<void> => void receipts.push(await taking.shift()!)
    const stop = new AbortController()
    const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
    try {
      for await (const record of records) {
        const taken = this.#add(node, record, undefined, { signal: both, traceparent })
        // The first that fails is thrown below; of the others nobody waits.
        taken.catch(() => undefined)
        taking.push(taken)
        if (taking.length >= atOnce) await take()
      }
      while (taking.length > 0) await take()
    } catch (error) {
      // What waits still is taken back: nothing is pushed behind what was not.
      stop.abort(error)
      throw error
    }
    return receipts
  }

  /**
   * Pushes a record and resolves to the first record that comes of it at an output.
   * @throws RECORD_FAILED, CALL_UNANSWERED: their `cause` is the handler's error; RECORD_ABANDONED
   */
  async call(node: string, record: unknown, options: PushOptions = {}): Promise<unknown> {
    const { signal } = options
    const calls = this.#pushed(node).calls!
    const call = new Call()
    const abort = aborted(signal)
    let receipt: Receipt | undefined
    try {
      receipt = await this.#add(node, record, call, options)
      // Without an answer the record's end is the end of the call.
      const ended = receipt.done.then(() => UNANSWERED)
      const result = await Promise.race([call.answered, ended, abort.promise])
      if (result === UNANSWERED) throw failedCall('CALL_UNANSWERED', node, call.reason)
      return result
    } catch (error) {
      // What the record failed with, or what came of it.
      if (receipt?.outcome !== 'failed' || (error as Error).cause !== undefined) throw error
      throw failedCall('RECORD_FAILED', node, call.reason)
    } finally {
      calls.close(call)
      abort.forget()
    }
  }

  /** A worker has given a record up: a call may wait for what came of it. */
  told({ recordId, error }: WorkerEvent): void {
    if (recordId === undefined || this.#workers.length === 0) return
    this.#reasons.tell(recordId, error)
    for (const { calls } of this.#workers) calls?.explain(recordId, error)
  }

  /** The output of a node. @throws NODE_NOT_OUTPUT */
  output(node: string): OutputStage {
    const found = this.#workers.find((worker) => worker.node === node)?.stage
    if (found instanceof OutputStage) return found
    throw new MillraceError('NODE_NOT_OUTPUT', { node })
  }

  #pushed(node: string): HostWorker {
    const found = this.#workers.find((worker) => worker.node === node)
    if (found?.supply === undefined) throw new MillraceError('NODE_NOT_PUSHED', { node })
    return found
  }

  /** Resolves when a lane takes the record. @param call whose answer is waited for */
  async #add(
    node: string,
    record: unknown,
    call: Call | undefined,
    { signal, traceparent }: PushOptions,
  ): Promise<Receipt> {
    const worker = this.#pushed(node)
    const parent = traceparent === undefined || !this.#isTraced ? undefined : parseParent(traceparent)
    signal?.throwIfAborted()
    if (worker.isKept) return this.#keeping!.push(worker, { record, parent, signal, call })
    const receipt = new Receipt(node)
    return new Promise<Receipt>((resolve, reject) => {
      const forget = onAbort(signal, () => {
        takeBack()
        reject(signal!.reason as Error)
      })
      const settle = (isTaken: boolean): void => {
        forget()
        if (isTaken) resolve(receipt)
        else reject(new MillraceError('PIPELINE_NOT_RUNNING', { node }))
      }
      const opened = call && worker.calls!.open.bind(worker.calls, call)
      const takeBack = worker.supply!.add({ record, receipt, settle, opened, parent })
    })
  }

  #answer(anchor: number, record: unknown): boolean {
    const source = this.#workers.find(({ number }) => number === anchorSource(anchor))
    return source?.calls?.answer(source.sequenceOf(anchorSlot(anchor)), record) ?? false
  }
}

/** Records of one `pushAll` that wait to be taken. */
const PUSHED_AT_ONCE = 256
/** The same where they wait for the disk too: those that come while a group is written make up the next one. */
const KEPT_AT_ONCE = 2_048

/** Injected records are for a look or a second try: whoever injects them does so again. */
function isKept(plan: Plan, { stage }: WorkerPlan): boolean {
  return plan.stages[stage]!.role === 'node'
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

function nothing(): void {
  // A signal that is absent is never aborted.
}
