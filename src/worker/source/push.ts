import { MillraceError, errorOf } from '../../errors.ts'
import type { TraceParent } from '../../lane/trace-parent.ts'
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

interface Waiting {
  readonly record: unknown
  readonly receipt: Receipt
  readonly parent: TraceParent | undefined
  /** Called when the record is taken, with its sequence; false: it is not taken any more. */
  settle: (sequence: number | undefined) => void
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
  #sequence = 0
  readonly #open = new Map<number, Receipt>()
  /** What records continue that are taken and not opened yet. */
  readonly #parents = new Map<number, TraceParent>()
  /** Of the open ones, those whose end somebody waits for. */
  #waitedFor = 0
  readonly #wake: () => void
  readonly #why: ((number: number) => Promise<Error | undefined>) | undefined
  readonly #keeper: Keeper | undefined
  /** Changed in place: it is read for each record. */
  readonly #kept: { low: number; high: number; number: number } | undefined

  /** @param why finds the error of the record with this number, which has failed: that of the journal, if one keeps it */
  constructor(wake: () => void, why?: (number: number) => Promise<Error | undefined>, keeper?: Keeper) {
    this.#wake = wake
    this.#why = why
    this.#keeper = keeper
    if (keeper !== undefined) this.#kept = { low: keeper.name[0], high: keeper.name[1], number: 0 }
  }

  get kept(): KeptName | undefined {
    return this.#kept
  }

  get isWaitedFor(): boolean {
    return this.#waitedFor > 0
  }

  get isOver(): boolean {
    return this.#isClosed && this.#waiting.size === 0
  }

  /**
   * Adds a record. `settle` is told its sequence when it is taken, or undefined where it never is.
   * @returns what takes it back, while it waits
   */
  add(
    record: unknown,
    receipt: Receipt,
    settle: (sequence: number | undefined) => void,
    parent?: TraceParent,
  ): () => void {
    const waiting: Waiting = { record, receipt, settle, parent }
    if (this.#isClosed) {
      settle(undefined)
      return () => undefined
    }
    this.#waiting.add(waiting)
    this.#wake()
    return () => void this.#waiting.delete(waiting)
  }

  take(asked: number, into: Taken): void {
    // The numbers of records that are kept need not follow each other.
    let most = this.#kept === undefined ? asked : Math.min(asked, 1)
    for (const waiting of this.#waiting) {
      if (most-- <= 0) return
      const { record, receipt, settle, parent } = waiting
      this.#waiting.delete(waiting)
      if (this.#kept !== undefined) this.#kept.number = receipt.number!
      into.add(record)
      this.#open.set(this.#sequence, receipt)
      if (receipt.isWaitedFor) this.#waitedFor++
      else receipt.whenWaitedFor(() => this.#beWaitedFor())
      if (parent !== undefined) this.#parents.set(this.#sequence, parent)
      settle(this.#sequence)
      this.#sequence = (this.#sequence + 1) | 0
    }
  }

  parentOf(sequence: number): TraceParent | undefined {
    const parent = this.#parents.get(sequence)
    this.#parents.delete(sequence)
    return parent
  }

  ended(sequence: number, failures: number, reason?: FailureReason): void {
    const receipt = this.#open.get(sequence)
    if (receipt === undefined) return
    this.#open.delete(sequence)
    if (receipt.isWaitedFor) this.#waitedFor--
    const { number } = receipt
    if (number !== undefined) this.#keeper?.end(number)
    if (failures === 0) return receipt.end('acked')
    receipt.end('failed', async () => (await this.#why?.(number ?? sequence)) ?? errorWith(reason))
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
    for (const { settle } of this.#waiting) settle(undefined)
    this.#waiting.clear()
    for (const receipt of this.#open.values()) receipt.end('abandoned')
    this.#open.clear()
  }
}
