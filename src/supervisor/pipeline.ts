import type { Changes, WhatIf } from '../analysis/flow/what-if.ts'
import { whatIfMeasured } from '../analysis/live/scale/what-if-measured.ts'
import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import {
  DRAIN_OPTIONS,
  type Given,
  LIMIT_OPTIONS,
  PROBE_OPTIONS,
  RUN_OPTIONS,
  WHAT_IF_OPTIONS,
} from '../options/index.ts'
import { INJECT } from '../plan/injection.ts'
import type { Plan } from '../plan/types.ts'
import type { HistogramKind } from '../figures.ts'
import { type HistogramCopy, copyHistograms } from '../telemetry/histogram-read.ts'
import { type Snapshot, readSnapshot } from '../telemetry/snapshot.ts'
import { type PushMarks, type PushOptions, marked } from './host/host-workers.ts'
import type { Receipt } from '../worker/source/push.ts'
import { checkedOptions, endedWith } from './checked.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { DrainStatus } from './drain-progress.ts'
import type { Events } from './events.ts'
import type { Report } from './report.ts'
import type { PipelineState } from './lifecycle.ts'
import type { Probe, ProbeOptions } from './probe/prober.ts'
import { LookMeter } from './scale/look-meter.ts'
import { sleep } from '../time.ts'
import type { ScaleStatus } from './scale/scaler.ts'
import type { Supervisor } from './supervisor.ts'
import type { Degradation } from './waits-outside.ts'
import type { Tracing } from '../trace/tracing.ts'

import { type WorkerStatus, workerStatuses } from './worker-status.ts'

/** What `drain` takes. */
export interface DrainOptions extends Given<typeof DRAIN_OPTIONS> {}
/** What `whatIf` takes. */
export interface WhatIfOptions extends Given<typeof WHAT_IF_OPTIONS> {}
const STOP_OPTIONS = { deadlineMs: RUN_OPTIONS.deadlineMs }
/** How long `stop` may take. */
interface StopOptions extends Given<typeof STOP_OPTIONS> {}

const RATE_OPTIONS = { perSecond: LIMIT_OPTIONS.perSecond }

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

  /** The graph that runs, without its functions. */
  get graph(): GraphData {
    return this.#supervisor.graph
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
    const { memory, plan, startedAtMs, durable } = this.#supervisor
    const snapshot = readSnapshot(memory, plan, startedAtMs)
    return durable === undefined ? snapshot : { ...snapshot, journal: durable.journal.figures }
  }

  /** Every worker, with its present life and its deaths. Cost: about 1 µs a worker. */
  workers(): readonly WorkerStatus[] {
    return workerStatuses(this.#supervisor)
  }

  /** A copy of a stage's histogram, all of its workers together; undefined where the stage measures no such thing. Cost: 10 µs. */
  histogram(node: string, kind: HistogramKind): HistogramCopy | undefined {
    const { plan, memory } = this.#supervisor
    const stage = plan.nodeStages.find((each) => each.node === node)
    const offsets = (stage?.workers ?? []).flatMap((index) => plan.workers[index]!.histograms[kind] ?? [])
    return offsets.length === 0 ? undefined : copyHistograms(memory, offsets)
  }

  /**
   * Lets the sources make no more records, and ends the pipeline when all of theirs have ended; after the deadline (default:
   * `deadlineMs` of the run) it is stopped. With `limits: 'lift'`, no rate limit holds up what is left.
   * @throws OPTIONS_INVALID; what stopped the pipeline
   */
  drain(options: DrainOptions = {}): Promise<Report> {
    return endedWith(options, DRAIN_OPTIONS, (deadlineMs) => {
      const end = this.#supervisor.drain(deadlineMs)
      if (options.limits === 'lift') this.#supervisor.limits.lift()
      return end
    })
  }

  /** How far a drain is; undefined while nobody drains. Cost: 1 µs a worker. */
  get drainProgress(): DrainStatus | undefined {
    return this.state === 'draining' ? this.#supervisor.drainProgress?.status : undefined
  }

  /**
   * Ends the pipeline now: what is in hand is handed off, what is left is nacked to its source and reported.
   * @throws OPTIONS_INVALID; what stopped the pipeline
   */
  stop(options: StopOptions = {}): Promise<Report> {
    return endedWith(options, STOP_OPTIONS, (deadlineMs) => this.#supervisor.stop(deadlineMs))
  }

  /**
   * Pushes a record into a source with `push: true`. Resolves when a lane has taken it, so it waits where there is no credit;
   * `receipt.done` follows it to its end. With `flush`, no open batch that it comes to waits for more. `meta` and `expiresAt` are those of
   * `mark`.
   * @throws NODE_NOT_PUSHED, PIPELINE_NOT_RUNNING; the signal's reason
   */
  push(node: string, record: unknown, options: PushOptions & PushMarks = {}): Promise<Receipt> {
    return this.#supervisor.host.push(node, marked(record, options), options)
  }

  /**
   * Completes all open batches that hold records handed on until now, and resolves when these records, and all that came of them,
   * have ended: those of one source, or of all. Sources go on; `pause` them first to have the pipeline empty afterwards.
   * Cost: two words per lane, and a look at them per worker; nothing while no flush lasts.
   * @throws NODE_UNKNOWN, NODE_NOT_SOURCE, PIPELINE_NOT_RUNNING where it ends before
   */
  flush(node?: string): Promise<void> {
    return this.#supervisor.flush(node)
  }

  /**
   * Pushes many records, in their order, as fast as lanes take them. Resolves when all are taken, to their receipts. Where it
   * rejects, those that were taken before are in flight. Cost: as many `push`es, a few hundred of which overlap.
   * @throws what `push` throws, and what the iterable throws
   */
  pushAll(
    node: string,
    records: Iterable<unknown> | AsyncIterable<unknown>,
    options: PushOptions = {},
  ): Promise<readonly Receipt[]> {
    return this.#supervisor.host.pushAll(node, records, options)
  }

  /**
   * Pushes a record and resolves to the first record that comes of it at an output (a sink without `write`).
   * @throws what `push` throws; RECORD_FAILED, CALL_UNANSWERED, RECORD_ABANDONED
   */
  call(node: string, record: unknown, options: PushOptions & Omit<PushMarks, 'flush'> = {}): Promise<unknown> {
    return this.#supervisor.host.call(node, marked(record, options), options)
  }

  /**
   * The records of a sink without `write`. A record counts as done when the next one is asked for, and the pipeline waits
   * for a reader that does not ask.
   * @throws NODE_NOT_OUTPUT
   */
  output(node: string): AsyncIterableIterator<unknown> {
    const stage = this.#supervisor.host.output(node)
    let isOver = false
    const end = { done: true, value: undefined } as const
    const iterator: AsyncIterableIterator<unknown> = {
      next: () => (isOver ? Promise.resolve(end) : stage.read(iterator)),
      return: () => {
        if (!isOver) stage.release(iterator)
        isOver = true
        return Promise.resolve(end)
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** Workers that wait for something outside: a server that is away, say. */
  get degraded(): readonly Degradation[] {
    return this.#supervisor.outside.list()
  }

  /** The last records that were given up. */
  get deadLetters(): DeadLetters {
    return this.#supervisor.deadLetters
  }

  /**
   * Puts one record in before a transform or sink, past everything above it; the receipt follows it to its end. Needs the
   * option `inject`.
   * @throws INJECT_OFF, NODE_UNKNOWN, PIPELINE_NOT_RUNNING
   */
  inject(node: string, record: unknown, options: PushOptions = {}): Promise<Receipt> {
    const isKnown = this.plan.stages.some((stage) => stage.node === node && stage.kind !== 'source')
    if (!isKnown) return Promise.reject(new MillraceError('NODE_UNKNOWN', { node }))
    if (this.plan.injection === undefined) return Promise.reject(new MillraceError('INJECT_OFF', { node }))
    return this.push(INJECT, { node, record }, options)
  }

  /** What is traced; undefined where the run has no option `trace`. */
  get tracing(): Tracing | undefined {
    return this.#supervisor.tracing
  }

  /** Lets a source, or all of them, make no more records until `resume`. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  pause(node?: string): void {
    this.#supervisor.sources.pause(node)
  }

  resume(node?: string): void {
    this.#supervisor.sources.resume(node)
  }

  /** Whether a source, or every source, is paused. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  isPaused(node?: string): boolean {
    return this.#supervisor.sources.isPaused(node)
  }

  /** The rate limit of a stage as it is now: records per second, Infinity for none. @throws NODE_UNKNOWN */
  rateLimit(node: string): number {
    return this.#supervisor.limits.of(node)
  }

  /**
   * Changes the rate limit of a stage at once, whether the graph gives it one or not: records per second, Infinity for none, undefined
   * for the planned one. @throws OPTIONS_INVALID, NODE_UNKNOWN
   */
  setRateLimit(node: string, perSecond: number | undefined): void {
    const problems = perSecond === Infinity ? [] : validateOptions({ perSecond }, RATE_OPTIONS)
    if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
    this.#supervisor.limits.set(node, perSecond)
  }

  /**
   * Gives a stage another number of workers, from 1 to `maxConcurrency`, while it runs: exactly once, and in order by key, as before.
   * Resolves when the new workers run, the keys that move are with them, and those that are too many have left; one resize of a
   * pipeline waits for the one before. Calls that are open end first: no key moves before.
   * @throws RESIZE_REFUSED, NODE_UNKNOWN; START_FAILED, START_TIMEOUT: a new worker could not start, and the stage is as it was
   */
  resize(node: string, workers: number): Promise<void> {
    return this.#supervisor.resizes.resize(node, workers)
  }

  /** Whether a stage gave up and is detached (`restart.exhausted`). @throws NODE_UNKNOWN */
  isDetached(node: string): boolean {
    const stage = this.plan.stages.find((each) => each.node === node)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    return this.#supervisor.successors.detachments.isDetached(stage)
  }

  /**
   * Lets a stage work again that gave up and is detached: its workers start anew, with all of `restart.maxRestarts`. Does nothing where the
   * stage is not detached. @throws NODE_UNKNOWN
   */
  attach(node: string): Promise<void> {
    return this.#supervisor.successors.detachments.attach(node)
  }

  /**
   * Measures the pipeline for `seconds` (default: 1), and predicts what would change with other options: other numbers of workers,
   * say, as `{ nodes: { parse: { concurrency: 3 } } }`. Rates and times are those that were measured; what it says of cores counts
   * those that the process may use. Cost: two snapshots, and two simulations.
   * @throws OPTIONS_INVALID, NODE_UNKNOWN, EDGE_UNKNOWN, LOOP_TOO_LARGE; GRAPH_INVALID where a figure is none
   */
  async whatIf(changes: Changes, options: WhatIfOptions = {}): Promise<WhatIf> {
    const { seconds } = checkedOptions(options, WHAT_IF_OPTIONS)
    const { memory, plan, graph } = this.#supervisor
    const meter = new LookMeter(memory, plan)
    await sleep(seconds * 1_000)
    return whatIfMeasured(graph, meter.look(), changes)
  }

  /**
   * Measures what a quicker stage would bring. Nothing can make it quicker at once, so for `seconds`, in turns, all others are made
   * slower in proportion: for each millisecond that its workers work, the others wait for `speedup` of one. Records go on as always, only
   * later. What the analysis predicts stands beside it. @throws OPTIONS_INVALID, NODE_UNKNOWN, PROBE_REFUSED, LOOP_TOO_LARGE
   */
  async probe(node: string, options: ProbeOptions = {}): Promise<Probe> {
    const { speedup, seconds } = checkedOptions(options, PROBE_OPTIONS)
    const found = await this.#supervisor.prober.probe(node, speedup, seconds)
    const { perSecond, ...rest } = found
    this.events.emit('stage.probed', { ...rest, ...perSecond })
    return found
  }

  /** The stages with `scale`, as the last look found them, in the order of the graph. Cost: as a snapshot. */
  scaling(): readonly ScaleStatus[] {
    return this.#supervisor.scaler.status()
  }

  /**
   * Ends a worker's thread; its successor goes on where it was. Nobody failed, so the stage's restarts are not charged.
   * @throws NODE_UNKNOWN, WORKER_UNKNOWN
   */
  async restartWorker(node: string, worker: number): Promise<void> {
    await this.#supervisor.handles.of(node, worker).restart()
  }

  /** Ends a worker's thread as a crash would: it counts against the stage's restarts. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  async killWorker(node: string, worker: number): Promise<void> {
    await this.#supervisor.handles.of(node, worker).kill()
  }

  /** Drains, as `await using` expects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain().catch(() => undefined)
  }
}
