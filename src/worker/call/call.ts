import { MillraceError } from '../../errors.ts'
import type { CallContext } from './context.ts'
import { TimeOut } from '../../running-time.ts'
import { monotonicMs } from '../../time.ts'

/** A call of an async handler that has not answered, or has answered and was not yet looked at. */
export class OpenCall {
  isSettled = false
  hasFailed = false
  /** From the call to its answer. */
  tookMs = 0
  result: unknown
  error: unknown
  /** Called once. Who takes a call over, sets it. */
  onSettled: (call: OpenCall) => void
  readonly #timeOut: TimeOut | undefined

  /** @param timeoutMs 0 for none; after it the call has failed, whatever it answers later */
  constructor(
    promise: PromiseLike<unknown>,
    context: CallContext,
    timeoutMs: number,
    onSettled: (call: OpenCall) => void,
  ) {
    this.onSettled = onSettled
    const calledAt = monotonicMs()
    const settle = (hasFailed: boolean, value: unknown): void => {
      if (this.isSettled) return
      this.#timeOut?.cancel()
      this.tookMs = monotonicMs() - calledAt
      this.isSettled = true
      this.hasFailed = hasFailed
      if (hasFailed) this.error = value
      else this.result = value
      this.onSettled(this)
    }
    promise.then(
      (result) => settle(false, result),
      (error: unknown) => settle(true, error),
    )
    if (timeoutMs === 0) return
    this.#timeOut = new TimeOut(timeoutMs, () => {
      const error = new MillraceError('HANDLER_TIMEOUT', { node: context.node, timeoutMs })
      context.abort(error)
      settle(true, error)
    })
  }
}
