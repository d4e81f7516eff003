import { MillraceError, errorOf } from '../../errors.ts'
import type { TraceParent } from '../../lane/trace-parent.ts'
import { Marked } from '../../plan/definition.ts'
import type { FailureReason } from './slot-reasons.ts'
import type { KeptName, Supply, Taken } from './supply.ts'

/** How a pushed record ended. */
export type PushOutcome = 'acked' | 'failed' | 'abandoned'

/** A pushed record, followed to its end. */
export class Receipt {
  readonly #node: string
  readonly #number: number | undefined
  #outcome: PushOutcome | undefined
  #done: { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } | undefined
  #onWaitedFor: () => void = () => undefined
  #why: Why | undefined

  /** @internal */
  constructor(node: string, number?: number) {
    this.#node = node
    this.#number = number
  }

  /** Where an ingress journal keeps the record: its number there. @internal */
  get number(): number | undefined {
    return this.#number
  }

  /** @internal */
  get isWaitedFor(): boolean {
    return this.#done !== undefined
  }

  /** `act` is called once, when somebody begins to wait for the record's end. @internal */
  whenWaitedFor(act: () => void): void {
    this.#onWaitedFor = act
  }

  /** Undefined while the record is on its way. */
  get outcome(): PushOutcome | undefined {
    return this.#outcome
  }

  /**
   * Resolves when all that came of the record is done. @throws RECORD_FAILED, with the error of the handler as `cause`: its name, message
   * and code, and its stack where that has come too (by message, at most some hundreds a second, and of records that kept their id).
   * There is none where a buffer dropped the record. RECORD_ABANDONED
   */
  get done(): Promise<void> {
    if (this.#done === undefined) {
      let settle!: { resolve: () => void; reject: (error: unknown) => void }
      const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
      this.#done = { promise, ...settle }
      if (this.#outcome !== undefined) this.#tell(this.#outcome)
      else this.#onWaitedFor()
    }
    return this.#done.promise
  }

  /** Called once, by the source. @param why finds the error of a record that failed @internal */
  end(outcome: PushOutcome, why?: Why): void {
    this.#outcome = outcome
    this.#why = why
    if (this.#done !== undefined) this.#tell(outcome)
  }

  #tell(outcome: PushOutcome): void {
    const { promise, resolve, reject } = this.#done!
    promise.catch(() => undefined)
    if (outcome === 'acked') resolve()
    else if (outcome === 'abandoned') reject(new MillraceError('RECORD_ABANDONED', { node: this.#node }))
    else if (this.#why === undefined) reject(recordFailed(this.#node, undefined))
    else void this.#why().then((cause) => reject(recordFailed(this.#node, cause)))
  }
}

/** Finds the error with which a record failed, as far as it is told. */
type Why = () => Promise<Error | undefined>

function recordFailed(node: string, cause: Error | undefined): MillraceError {
  return cause === undefined
    ? new MillraceError('RECORD_FAILED', { node })
    : new MillraceError('RECORD_FAILED', { node, reason: cause.message }, { cause })
}

function errorWith(reason: FailureReason | undefined): Error | undefined {
  if (reason === undefined) return undefined
  const { name = 'Error', message = '', code } = reason
  return errorOf({ name, message, code })
}

/** A pushed record that waits to be taken. */
interface Waiting {
  readonly record: unknown
  readonly receipt: Receipt
  readonly parent?: TraceParent | undefined
  /** Called when the record is taken; false: it is not taken any more. */
  readonly settle: (isTaken: boolean) => void
  /** Called when it is in a chunk, with the chunk's sequence and its own number. It is the only record of that chunk. */
  readonly opened?: ((sequence: number, number: number) => void) | undefined
}

/** A pushed record that was taken. */
interface TakenPush {
  readonly receipt: Receipt
  readonly opened: Waiting['opened']
  /** That of the journal that keeps it, or how many were taken before it, modulo 2^32. */
  readonly number: number
  readonly parent: TraceParent | undefined
}

/** Where pushed records are kept until they have ended. */
export interface Keeper {
  /** What names them. */
  readonly name: readonly [low: number, high: number]
  /** A record has ended, whatever came of it. */
  end(number: number): void
}

/** The supply of a push source: records that wait for credit, in the order in which they were pushed. */
export class PushSupply implements Supply {
  readonly error = undefined
  readonly isAsync = true
  readonly #waiting = new Set<Waiting>()
  #isClosed = false
  /** Records that were taken, modulo 2^32: the number of the next one. */
  #number = 0
  /** Those that are taken and in no chunk yet, in order. */
  readonly #taken: TakenPush[] = []
  /** By the sequence of their chunk. */
  readonly #open = new Map<number, readonly TakenPush[]>()
  /** Of the open ones, those whose end somebody waits for. */
  #waitedFor = 0
  readonly #wake: () => void
  readonly #why: ((number: number) => Promise<Error | undefined>) | undefined
  readonly #keeper: Keeper | undefined

  /** @param why finds the error of the record with this number, which has failed: that of the journal, if one keeps it */
  constructor(wake: () => void, why?: (number: number) => Promise<Error | undefined>, keeper?: Keeper) {
    this.#wake = wake
    this.#why = why
    this.#keeper = keeper
  }

  get kept(): KeptName | undefined {
    if (this.#keeper === undefined) return undefined
    const [low, high] = this.#keeper.name
    const number = this.#taken[0]?.number ?? 0
    let run = 1
    while (run < this.#taken.length && this.#taken[run]!.number === number + run) run++
    return { low, high, number, run }
  }

  get isWaitedFor(): boolean {
    return this.#waitedFor > 0
  }

  get isOver(): boolean {
    return this.#isClosed && this.#waiting.size === 0
  }

  /** Adds a record. @returns what takes it back, while it waits */
  add(waiting: Waiting): () => void {
    if (this.#isClosed) {
      waiting.settle(false)
      return () => undefined
    }
    this.#waiting.add(waiting)
    this.#wake()
    return () => void this.#waiting.delete(waiting)
  }

  take(asked: number, into: Taken): void {
    let most = asked
    for (const waiting of this.#waiting) {
      if (most-- <= 0) return
      const { record, receipt, settle, opened, parent } = waiting
      this.#waiting.delete(waiting)
      // Its answer is known by its chunk.
      into.add(opened === undefined ? record : alone(record))
      this.#taken.push({ receipt, number: receipt.number ?? this.#number, opened, parent })
      if (receipt.isWaitedFor) this.#waitedFor++
      else receipt.whenWaitedFor(() => this.#beWaitedFor())
      settle(true)
      this.#number = (this.#number + 1) | 0
    }
  }

  get parent(): TraceParent | undefined {
    return this.#taken[0]?.parent
  }

  opened(sequence: number, records: number): void {
    const chunk = this.#taken.splice(0, records)
    this.#open.set(sequence, chunk)
    chunk[0]?.opened?.(sequence, chunk[0].number)
  }

  ended(sequence: number, failures: number, reason?: FailureReason): void {
    const chunk = this.#open.get(sequence)
    if (chunk === undefined) return
    this.#open.delete(sequence)
    for (const { receipt, number } of chunk) {
      if (receipt.isWaitedFor) this.#waitedFor--
      if (receipt.number !== undefined) this.#keeper?.end(receipt.number)
      if (failures === 0) receipt.end('acked')
      else receipt.end('failed', async () => (await this.#why?.(number)) ?? errorWith(reason))
    }
  }

  /** The loop has to say that it wants to know at once. */
  #beWaitedFor(): void {
    this.#waitedFor++
    this.#wake()
  }

  close(): void {
    this.#isClosed = true
  }

  /** The pipeline is over: what waits was never taken, and what is open never ended. */
  abandon(): void {
    this.#isClosed = true
    for (const { settle } of this.#waiting) settle(false)
    this.#waiting.clear()
    for (const { receipt } of this.#taken.splice(0)) receipt.end('abandoned')
    for (const chunk of this.#open.values()) for (const { receipt } of chunk) receipt.end('abandoned')
    this.#open.clear()
  }
}

function alone(record: unknown): Marked<unknown> {
  if (!(record instanceof Marked)) return new Marked(record, { alone: true })
  const { value, ...marks } = record as Marked<unknown>
  return new Marked(value, { ...marks, alone: true })
}
