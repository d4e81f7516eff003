import { MillraceError } from '../errors.js'
import { INJECT } from '../plan/stages.js'
import { copyHistograms } from '../telemetry/histogram-read.js'
import { readSnapshot } from '../telemetry/snapshot.js'
import { workerStatuses } from './worker-status.js'
/** A running plan. */
export class Pipeline {
  #supervisor
  constructor(supervisor) {
    this.#supervisor = supervisor
  }
  get name() {
    return this.plan.graph
  }
  get state() {
    return this.#supervisor.state
  }
  /** What was planned: stages, lanes, bytes. Plain data. */
  get plan() {
    return this.#supervisor.plan
  }
  /** The graph that runs, without its functions. */
  get graph() {
    return this.#supervisor.graph
  }
  get events() {
    return this.#supervisor.events
  }
  /** Resolves with the report when the pipeline has ended; rejects with what stopped it. */
  get finished() {
    return this.#supervisor.finished
  }
  /** Everything that is counted, read from shared memory; no worker is asked. Cost: about 10 µs a worker. */
  snapshot() {
    const { memory, plan, startedAtMs } = this.#supervisor
    return readSnapshot(memory, plan, startedAtMs)
  }
  /** Every worker, with its present life and its deaths. Cost: about 1 µs a worker. */
  workers() {
    return workerStatuses(this.#supervisor)
  }
  /** A copy of a stage's histogram, all of its workers together; undefined where the stage measures no such thing. Cost: 10 µs. */
  histogram(node, kind) {
    const { plan, memory } = this.#supervisor
    const stage = plan.stages.find((each) => each.node === node && !each.isHidden)
    const offsets = (stage?.workers ?? []).flatMap((index) => plan.workers[index].histograms[kind] ?? [])
    return offsets.length === 0 ? undefined : copyHistograms(memory, offsets)
  }
  /**
   * Lets the sources make no more records, and ends the pipeline when all of theirs have ended; after the deadline (default:
   * `deadlineMs` of the run) it is stopped.
   */
  drain(options = {}) {
    return this.#supervisor.drain(options.deadlineMs)
  }
  /** Ends the pipeline now: what is in hand is handed off, what is left is nacked to its source and reported. */
  stop(options = {}) {
    return this.#supervisor.stop(options.deadlineMs)
  }
  /**
   * Pushes a record into a source with `push: true`. Resolves when a lane has taken it, so it waits where there is no credit;
   * `receipt.done` follows it to its end.
   * @throws NODE_NOT_PUSHED, PIPELINE_NOT_RUNNING; the signal's reason
   */
  push(node, record, options = {}) {
    return this.#supervisor.embedder.push(node, record, options.signal)
  }
  /**
   * Pushes a record and resolves to the first record that comes of it at an output (a sink without `write`).
   * @throws what `push` throws; RECORD_FAILED, CALL_UNANSWERED
   */
  call(node, record, options = {}) {
    return this.#supervisor.embedder.call(node, record, options.signal)
  }
  /**
   * The records of a sink without `write`. A record counts as done when the next one is asked for, and the pipeline waits
   * for a reader that does not ask.
   * @throws NODE_NOT_OUTPUT
   */
  output(node) {
    const stage = this.#supervisor.embedder.output(node)
    const iterator = {
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
  get deadLetters() {
    return this.#supervisor.deadLetters
  }
  /**
   * Puts one record in before a transform or sink, past everything above it; the receipt follows it to its end. Needs the
   * option `inject`.
   * @throws NODE_NOT_PUSHED, NODE_UNKNOWN, PIPELINE_NOT_RUNNING
   */
  inject(node, record, options = {}) {
    const isKnown = this.plan.stages.some((stage) => stage.node === node && stage.kind !== 'source')
    if (!isKnown) return Promise.reject(new MillraceError('NODE_UNKNOWN', { node }))
    return this.push(INJECT, { node, record }, options)
  }
  /** Lets a source, or all of them, make no more records until `resume`. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  pause(node) {
    this.#supervisor.pause(node)
  }
  resume(node) {
    this.#supervisor.resume(node)
  }
  /** Whether a source, or every source, is paused. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  isPaused(node) {
    return this.#supervisor.isPaused(node)
  }
  /** A source's rate limit as it is now: records per second, Infinity for none. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  rateLimit(node) {
    return this.#supervisor.rateLimit(node)
  }
  /** Changes a source's rate limit at once: records per second, Infinity for none, undefined for the planned one. */
  setRateLimit(node, perSecond) {
    this.#supervisor.setRateLimit(node, perSecond)
  }
  /**
   * Ends a worker's thread; its successor goes on where it was. Nobody failed, so the stage's restarts are not charged.
   * @throws NODE_UNKNOWN, WORKER_UNKNOWN
   */
  async restartWorker(node, worker) {
    await this.#supervisor.restart(node, worker)
  }
  /** Ends a worker's thread as a crash would: it counts against the stage's restarts. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  async killWorker(node, worker) {
    await this.#supervisor.member(node, worker).kill()
  }
  /** Drains, as `await using` expects. */
  async [Symbol.asyncDispose]() {
    await this.drain().catch(() => undefined)
  }
}
