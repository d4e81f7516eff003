import { type ErrorCode, isMillraceError } from '../../errors.ts'
import type { Memory } from '../../memory/memory.ts'
import type { LimitPlan } from '../../plan/limit-plan.ts'
import type { InputPlan } from '../../plan/types.ts'
import { type CallLimit, RateLimit } from './rate-limit.ts'

/** What a breaker tells: it holds the worker after so many failures in a row, the last one with this error; or no longer. */
interface BreakerListener {
  opened(failures: number, error: unknown): void
  closed(failures: number, error: unknown): void
}

/** Errors of this library that are a handler's doing. */
const OF_HANDLERS: ReadonlySet<ErrorCode> = new Set(['HANDLER_TIMEOUT', 'HANDLER_RESULT_INVALID'])

/**
 * Holds a worker whose handler fails so often in a row: nothing is called until a pause is over, then one record or batch. If that fails
 * too, the next pause is twice as long; if it does not, all is as before. Known to this life of the worker only.
 */
export class CallBreaker {
  readonly #plan: NonNullable<InputPlan['breaker']>
  readonly #listener: BreakerListener
  #failures = 0
  #lastError: unknown
  #pauseMs: number
  /** Not before then (ms of the monotonic clock); undefined while nothing is held. */
  #heldUntil: number | undefined
  /** What was let through after the pause has not ended. */
  #isTrying = false

  constructor(plan: NonNullable<InputPlan['breaker']>, listener: BreakerListener) {
    this.#plan = plan
    this.#listener = listener
    this.#pauseMs = plan.pauseMs
  }

  /** Records that may be called now; Infinity where nothing is held. */
  allowed(nowMs: number): number {
    if (this.#heldUntil === undefined) return Infinity
    return this.#isTrying || nowMs < this.#heldUntil ? 0 : 1
  }

  /** When a record may be called, where none may now; Infinity while one is tried. */
  nextAt(nowMs: number): number {
    if (this.#heldUntil === undefined) return nowMs
    return this.#isTrying ? Infinity : Math.max(nowMs, this.#heldUntil)
  }

  /** Something is called. */
  began(): void {
    if (this.#heldUntil !== undefined) this.#isTrying = true
  }

  /** It was not called after all. */
  gaveBack(): void {
    this.#isTrying = false
  }

  /** A call failed; or what was to be called did, before it was. */
  failed(error: unknown, nowMs: number): void {
    if (isMillraceError(error) && !OF_HANDLERS.has(error.code)) return this.gaveBack()
    this.#failures++
    this.#lastError = error
    if (this.#heldUntil === undefined && this.#failures < this.#plan.failures) return
    // Of several calls that were open at once, those that fail later change nothing.
    if (this.#heldUntil !== undefined && !this.#isTrying) return
    this.#isTrying = false
    this.#heldUntil = nowMs + this.#pauseMs
    this.#pauseMs = Math.min(this.#plan.maxPauseMs, 2 * this.#pauseMs)
    this.#listener.opened(this.#failures, error)
  }

  succeeded(): void {
    const failures = this.#failures
    this.#failures = 0
    if (this.#heldUntil === undefined) return
    this.#isTrying = false
    this.#heldUntil = undefined
    this.#pauseMs = this.#plan.pauseMs
    this.#listener.closed(failures, this.#lastError)
  }
}

/** A rate limit that also lets nothing through while a breaker holds the worker. */
export class BreakingLimit implements CallLimit {
  readonly #limit: RateLimit
  readonly #breaker: CallBreaker

  constructor(memory: Memory, plan: LimitPlan, breaker: CallBreaker) {
    this.#limit = new RateLimit(memory, plan)
    this.#breaker = breaker
  }

  allowed(nowMs: number): number {
    return this.#breaker.allowed(nowMs) === 0 ? 0 : this.#limit.allowed(nowMs)
  }

  take(most: number, nowMs: number): number {
    const held = this.#breaker.allowed(nowMs)
    if (held === 0) return 0
    const taken = this.#limit.take(Math.min(most, held), nowMs)
    if (taken > 0) this.#breaker.began()
    return taken
  }

  charge(records: number, nowMs: number): void {
    this.#breaker.began()
    this.#limit.charge(records, nowMs)
  }

  giveBack(records: number): void {
    if (records > 0) this.#breaker.gaveBack()
    this.#limit.giveBack(records)
  }

  nextAt(nowMs: number): number {
    return this.#breaker.allowed(nowMs) === 0 ? this.#breaker.nextAt(nowMs) : this.#limit.nextAt(nowMs)
  }
}
