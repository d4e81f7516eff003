import type { AckReason } from '../../plan/definition.ts'
import type { AckPlan } from '../../plan/source-plan.ts'
import { sleep } from '../../time.ts'
import { retryDelayMs } from '../call/retry.ts'

/** Receipts of one chunk that one group of calls is to tell of. */
export interface AckPiece {
  readonly slot: number
  readonly receipts: readonly unknown[]
  /** Why they failed; nothing where they did not. */
  readonly reason: AckReason | undefined
  /** What a handler noted of them. */
  readonly note?: unknown
}

/** The group of receipts for which `ackBy` gave no key: their call fails with this. */
export class KeyFailure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** What names a group: its key; undefined where all receipts are one. */
type GroupKey = string | number | KeyFailure | undefined

interface Group {
  readonly key: GroupKey
  readonly waiting: AckPiece[]
  /** What the present call, or the next attempt of it, is for. */
  called: readonly AckPiece[]
  attempts: number
}

/** Most pieces in one call. */
const MOST_PIECES = 1024

/** What the calls of a source's `ack` need. */
interface AckCallsOptions {
  readonly plan: AckPlan
  /** A new call begins: not a further attempt. */
  readonly onBegin: (pieces: readonly AckPiece[]) => void
  readonly call: (pieces: readonly AckPiece[]) => unknown
  readonly onTold: (pieces: readonly AckPiece[]) => void
  /** The last attempt failed. */
  readonly onFailure: (error: unknown, attempts: number) => void
  readonly wake: () => void
}

/**
 * Calls a source's `ack` by groups: in each group one call after the other, several groups at once. A group whose call fails waits, and
 * tells the same records again, while others go on.
 */
export class AckCalls {
  readonly #options: AckCallsOptions
  readonly #groups = new Map<GroupKey, Group>()
  /** Groups whose call may begin. */
  #ready: Group[] = []
  /** Groups that have failed at their last attempt, where that stops the pipeline. */
  #halted: Group[] = []
  #open = 0
  /** Nobody comes after this: what fails at its last attempt counts as told. */
  #isLast = false
  #onChange: () => void = () => undefined

  constructor(options: AckCallsOptions) {
    this.#options = options
  }

  /** True while something is not told yet. */
  get isBusy(): boolean {
    return this.#groups.size > 0
  }

  add(key: GroupKey, piece: AckPiece): void {
    const known = this.#groups.get(key)
    if (known !== undefined) return void known.waiting.push(piece)
    const group: Group = { key, waiting: [piece], called: [], attempts: 0 }
    this.#groups.set(key, group)
    this.#ready.push(group)
  }

  /** Begins as many calls as may be open. */
  start(): void {
    while (this.#open < this.#options.plan.inFlight && this.#ready.length > 0) void this.#call(this.#ready.shift()!)
  }

  /** Tells all that is not told, to the last attempt. */
  async tellAll(): Promise<void> {
    this.#isLast = true
    for (const group of this.#halted.splice(0)) {
      group.attempts = 0
      this.#ready.push(group)
    }
    while (this.#groups.size > 0) {
      const changed = new Promise<void>((resolve) => (this.#onChange = resolve))
      this.start()
      if (this.#groups.size > 0) await changed
    }
  }

  async #call(group: Group): Promise<void> {
    const { call, onBegin } = this.#options
    if (group.called.length === 0) {
      group.called = group.waiting.splice(0, MOST_PIECES)
      onBegin(group.called)
    }
    group.attempts++
    this.#open++
    try {
      if (group.key instanceof KeyFailure) throw group.key.error
      await call(group.called)
    } catch (error) {
      this.#open--
      return this.#failed(group, error)
    }
    this.#open--
    this.#told(group)
  }

  #failed(group: Group, error: unknown): void {
    const { plan, onFailure } = this.#options
    const { retry } = plan
    if (group.attempts < retry.maxAttempts && !(group.key instanceof KeyFailure)) {
      void this.#pause(group, retryDelayMs(retry, group.attempts, Math.random()))
      return this.#changed()
    }
    onFailure(error, group.attempts)
    if (retry.exhausted === 'event' || this.#isLast) return this.#told(group)
    this.#halted.push(group)
    this.#changed()
  }

  async #pause(group: Group, ms: number): Promise<void> {
    await sleep(ms)
    this.#ready.push(group)
    this.#changed()
  }

  #told(group: Group): void {
    this.#options.onTold(group.called)
    group.called = []
    group.attempts = 0
    if (group.waiting.length > 0) this.#ready.push(group)
    else this.#groups.delete(group.key)
    this.#changed()
  }

  #changed(): void {
    this.#onChange()
    this.#options.wake()
  }
}
