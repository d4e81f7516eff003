import { MillraceError } from '../errors.ts'
import { INJECT } from '../plan/stages.ts'
import type { Plan } from '../plan/types.ts'
import { type Snapshot, readSnapshot } from '../telemetry/snapshot.ts'
import type { Receipt } from '../worker/push.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Events } from './events.ts'
import type { Report } from './report.ts'
import type { PipelineState } from './state.ts'
import type { Supervisor } from './supervisor.ts'

/** A running plan. */
export class Pipeline implements AsyncDisposable {
  readonly #supervisor: Supervisor

  /** @internal */
  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
  }

  get name(): string {
    return this.plan.graph
  }

  get state(): PipelineState {
    return this.#supervisor.state
  }

  /** What was planned: stages, lanes, bytes. Plain data. */
  get plan(): Plan {
    return this.#supervisor.plan
  }

  get events(): Events {
    return this.#supervisor.events
  }

  /** Resolves with the report when the pipeline has ended; rejects with what stopped it. */
  get finished(): Promise<Report> {
    return this.#supervisor.finished
  }

  /** Everything that is counted, read from shared memory; no worker is asked. Cost: about 10 µs a worker. */
  snapshot(): Snapshot {
    const { memory, plan, startedAtMs } = this.#supervisor
    return readSnapshot(memory, plan, startedAtMs)
  }

  /**
   * Lets the sources make no more records, and ends the pipeline when all of theirs have ended; after the deadline (default:
   * `deadlineMs` of the run) it is stopped.
   */
  drain(options: { readonly deadlineMs?: number } = {}): Promise<Report> {
    return this.#supervisor.drain(options.deadlineMs)
  }

  /** Ends the pipeline now: what is in hand is handed off, what is left is nacked to its source and reported. */
  stop(options: { readonly deadlineMs?: number } = {}): Promise<Report> {
    return this.#supervisor.stop(options.deadlineMs)
  }

  /**
   * Pushes a record into a source with `push: true`. Resolves when a lane has taken it, so it waits where there is no credit;
   * `receipt.done` follows it to its end.
   * @throws NODE_NOT_PUSHED, PIPELINE_NOT_RUNNING; the signal's reason
   */
  push(node: string, record: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<Receipt> {
    return this.#supervisor.embedder.push(node, record, options.signal)
  }

  /**
   * Pushes a record and resolves to the first record that comes of it at an output (a sink without `write`).
   * @throws what `push` throws; RECORD_FAILED, CALL_UNANSWERED
   */
  call(node: string, record: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    return this.#supervisor.embedder.call(node, record, options.signal)
  }

  /**
   * The records of a sink without `write`. A record counts as done when the next one is asked for, and the pipeline waits
   * for a reader that does not ask.
   * @throws NODE_NOT_OUTPUT
   */
  output(node: string): AsyncIterableIterator<unknown> {
    const stage = this.#supervisor.embedder.output(node)
    const iterator: AsyncIterableIterator<unknown> = {
      next: () => stage.read(),
      return: () => {
        stage.release()
        return Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** The last records that were given up. */
  get deadLetters(): DeadLetters {
    return this.#supervisor.deadLetters
  }

  /**
   * Puts one record in before a transform or sink, past everything above it; the receipt follows it to its end. Needs the
   * option `inject`.
   * @throws NODE_NOT_PUSHED, NODE_UNKNOWN, PIPELINE_NOT_RUNNING
   */
  inject(node: string, record: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<Receipt> {
    const isKnown = this.plan.stages.some((stage) => stage.node === node && stage.kind !== 'source')
    if (!isKnown) return Promise.reject(new MillraceError('NODE_UNKNOWN', { node }))
    return this.push(INJECT, { node, record }, options)
  }

  /** Lets a source, or all of them, make no more records until `resume`. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  pause(node?: string): void {
    this.#supervisor.pause(node)
  }

  resume(node?: string): void {
    this.#supervisor.resume(node)
  }

  /** Changes a source's rate limit at once: records per second, Infinity for none, undefined for the planned one. */
  setRateLimit(node: string, perSecond: number | undefined): void {
    this.#supervisor.setRateLimit(node, perSecond)
  }

  /** Ends a worker's thread; its successor goes on where it was. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  async restartWorker(node: string, worker: number): Promise<void> {
    await this.#supervisor.member(node, worker).kill()
  }

  /** Drains, as `await using` expects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain().catch(() => undefined)
  }
}
