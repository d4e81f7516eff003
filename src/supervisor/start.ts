import { type ErrorData, MillraceError, errorOf } from '../errors.ts'
import { TimeOut } from '../running-time.ts'
import { errorMessage } from '../worker/thread/protocol.ts'
import type { WorkerHandle } from './handle.ts'

/** How a start ends: all workers are ready, the run's signal aborted first, or the error says why not. */
type StartOutcome = 'ready' | 'aborted' | MillraceError

/** Makes all workers ready, or says why that cannot be. */
export class Start {
  /** Resolves when there is an outcome. */
  readonly settled: Promise<void>
  outcome: StartOutcome | undefined
  readonly #handles: readonly WorkerHandle[]
  readonly #deadlineMs: number
  readonly #late: Set<WorkerHandle>
  #deadline: TimeOut | undefined
  #settle!: () => void

  constructor(handles: readonly WorkerHandle[], deadlineMs: number) {
    this.#handles = handles
    this.#deadlineMs = deadlineMs
    this.#late = new Set(handles)
    this.settled = new Promise((resolve) => (this.#settle = resolve))
  }

  begin(): void {
    for (const handle of this.#handles) handle.start()
    if (this.#late.size === 0) return this.#end('ready')
    this.#deadline = new TimeOut(this.#deadlineMs, () => this.#end(this.#timeOut()))
  }

  ready(handle: WorkerHandle): void {
    this.#late.delete(handle)
    if (this.#late.size === 0) this.#end('ready')
  }

  /** A worker that is over before all are ready has refused, or its thread has ended: by `process.exit`, say. */
  over(handle: WorkerHandle, error: unknown): void {
    const died = handle.lastError ?? errorMessage(error ?? new Error('its thread ended'))
    this.#end(startError(handle, handle.refusal ?? { step: 'setup', error: died }))
  }

  abort(): void {
    this.#end('aborted')
  }

  /** The first outcome counts; but a worker may be over between the moment when all are ready and the run. */
  #end(outcome: StartOutcome): void {
    this.#deadline?.cancel()
    if (this.outcome === undefined || this.outcome === 'ready') this.outcome = outcome
    this.#settle()
  }

  #timeOut(): MillraceError {
    const nodes = [...new Set([...this.#late].map(({ stage }) => stage.node))]
    return new MillraceError('START_TIMEOUT', { nodes, startDeadlineMs: this.#deadlineMs })
  }
}

/** Why a worker could not get ready. */
export function startError(
  { stage, worker }: WorkerHandle,
  { step, error }: { readonly step: string; readonly error: ErrorData },
): MillraceError {
  const detail = { node: stage.node, worker: worker.ordinal, step, reason: error.message }
  return new MillraceError('START_FAILED', detail, { cause: errorOf(error) })
}
