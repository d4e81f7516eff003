import type { ChunkHeader } from '../../lane/writer.ts'
import { monotonicMs } from '../../time.ts'
import type { Parts } from '../stage.ts'
import { OpenCall } from '../call/call.ts'
import { CallContext } from '../call/context.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { isThenable, preloadedEach } from '../call/results.ts'

/** A call of `preload`: one at a time. Its values, or why there are none, stay here until they are taken. */
export class Preload {
  /** A call has answered with a promise. */
  isAsync = false
  /** A call was begun, and what it gave was not taken. */
  isBegun = false
  /** What the last call took. */
  tookMs = 0
  readonly #parts: Parts
  readonly #handler: AnyFunction
  #open: OpenCall | undefined
  #result: unknown
  #error: { readonly error: unknown } | undefined
  #records = 0

  constructor(parts: Parts, handler: AnyFunction) {
    this.#parts = parts
    this.#handler = handler
  }

  /** It has not answered yet. */
  get isOpen(): boolean {
    return this.#open !== undefined && !this.#open.isSettled
  }

  /**
   * Calls the handler for these records.
   * @param header of the first one
   * @param onAnswer called once it has answered; at once where that is no promise
   */
  begin(records: readonly unknown[], header: ChunkHeader, onAnswer: () => void): void {
    const { facts, stopped, stage, wake } = this.#parts
    const context = new CallContext(facts, stopped)
    context.aim(header, 0, 1)
    this.isBegun = true
    this.#records = records.length
    this.#open = this.#error = this.#result = undefined
    const startedAt = monotonicMs()
    try {
      const result = this.#handler(records, preloadContext(context))
      if (isThenable(result)) {
        this.isAsync = true
        this.#open = new OpenCall(result, context, stage.input!.timeoutMs, () => {
          onAnswer()
          wake()
        })
        return
      }
      this.#result = result
    } catch (error) {
      this.#error = { error }
    }
    this.tookMs = monotonicMs() - startedAt
    onAnswer()
  }

  /** Takes the values that it gave, by record. @throws what the handler threw, HANDLER_TIMEOUT, HANDLER_RESULT_INVALID */
  take(): readonly unknown[] {
    const open = this.#open
    this.isBegun = false
    if (open !== undefined) {
      this.tookMs = open.tookMs
      if (open.hasFailed) throw open.error
    } else if (this.#error !== undefined) throw this.#error.error
    return preloadedEach(this.#parts.stage.node, open === undefined ? this.#result : open.result, this.#records)
  }
}

/** What `preload` may use of a context: nothing that concerns one record. */
function preloadContext(context: CallContext): object {
  const { node, worker, workers, state, params } = context
  return {
    node,
    worker,
    workers,
    state,
    params,
    get signal(): AbortSignal {
      return context.signal
    },
  }
}
