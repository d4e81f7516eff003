import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import type { Memory } from '../memory/memory.ts'
import { RUNNING } from '../memory/control.ts'
import { INJECT } from '../plan/injection.ts'
import type { Plan } from '../plan/types.ts'
import { monotonicMs } from '../time.ts'
import type { WorkerMessage } from '../worker/thread/protocol.ts'
import { DeadLetters } from './dead-letters.ts'
import { DrainProgress } from './drain-progress.ts'
import { DurableRun } from './durable-run.ts'
import { Ending } from './ending.ts'
import { Events } from './events.ts'
import type { HandleListener, WorkerHandle } from './handle.ts'
import { Handles } from './handles.ts'
import { History } from './history.ts'
import type { HostListener } from './host/host-worker.ts'
import { HostWorkers } from './host/host-workers.ts'
import { Lifecycle, PIPELINE_NEXT, type PipelineState } from './lifecycle.ts'
import { allocate } from './memory.ts'
import { onAbort } from './on-abort.ts'
import { OpenSources } from './open-sources.ts'
import { flush } from './flush.ts'
import { enterPhase } from './phase.ts'
import { Resizes } from './resizes.ts'
import { Prober } from './probe/prober.ts'
import { Scaler } from './scale/scaler.ts'
import { RecordEvents } from './record-events.ts'
import { type Report, reportOf } from './report.ts'
import { RateLimits } from './rate-limits.ts'
import { SourceControls } from './source-controls.ts'
import { Start } from './start.ts'
import type { SupervisorOptions } from './supervisor-options.ts'
import { Stop } from './stop.ts'
import { Successors } from './successors.ts'
import { Tracing } from '../trace/tracing.ts'
import { bundleUrl } from '../worker/thread/boot.ts'
import { followLifecycle } from './trace-lifecycle.ts'
import { tracedInHand } from './traced-hand.ts'
import { startTracer } from './tracer-thread.ts'
import { WaitsOutside } from './waits-outside.ts'
import { Watch } from './watch.ts'

/**
 * Runs a plan: joins the machines that start its workers, replace those that die and stop them in order, and holds the state of
 * the pipeline.
 */
export class Supervisor implements HandleListener {
  readonly plan: Plan
  readonly memory: Memory
  readonly events: Events
  readonly history = new History()
  readonly deadLetters: DeadLetters
  readonly sources: SourceControls
  readonly limits: RateLimits
  /** Absent where nothing can be traced. */
  readonly tracing: Tracing | undefined
  /** Workers that wait for something outside. */
  readonly outside: WaitsOutside
  readonly handles: Handles
  readonly resizes: Resizes
  readonly scaler: Scaler
  readonly prober: Prober
  /** Absent where the run is not durable. */
  readonly durable: DurableRun | undefined
  readonly host: HostWorkers
  startedAtMs = monotonicMs()
  drainProgress: DrainProgress | undefined
  readonly #options: SupervisorOptions
  readonly #lifecycle: Lifecycle<PipelineState>
  readonly #openSources: OpenSources
  readonly #start: Start
  readonly successors: Successors
  readonly #watch: Watch
  readonly #stop: Stop
  readonly #ending = new Ending()
  readonly #records: RecordEvents

  constructor(plan: Plan, options: SupervisorOptions) {
    const { graph, hasFunctions, found, stallMs, startDeadlineMs, deadlineMs } = options
    const allocated = allocate(plan, graph)
    const { memory } = allocated
    this.plan = plan
    this.memory = memory
    this.#options = options
    this.#lifecycle = new Lifecycle(`pipeline ${plan.graph}`, PIPELINE_NEXT, 'starting')
    this.events = new Events(plan.graph)
    this.outside = new WaitsOutside(this.events)
    this.deadLetters = new DeadLetters(options.deadLetters, options.deadLetterBytes)
    this.#records = new RecordEvents(this, (event) => this.host.told(event))
    this.sources = new SourceControls(memory, plan, (node, isPaused) =>
      this.events.emit(isPaused ? 'source.paused' : 'source.resumed', { node }),
    )
    this.limits = new RateLimits(memory, plan)
    if (options.paused) this.sources.pause()
    if (plan.trace !== undefined) {
      const task = { memory: allocated.shared, plan, recent: options.recentTraces }
      this.tracing = new Tracing(memory, task, bundleUrl === undefined ? startTracer : undefined)
      followLifecycle(this.events, this.tracing, (node, ordinal) => {
        const dead = plan.workers.find((each) => each.ordinal === ordinal && plan.stages[each.stage]!.node === node)
        return dead === undefined ? [] : tracedInHand(memory, plan, dead)
      })
    }
    this.#openSources = new OpenSources(plan)
    const listener: HostListener = {
      ended: (worker) => this.#sourceEnded(worker),
      event: (worker, event) => this.#records.tell(worker, 0, event),
      failed: (cause) => this.fail(new MillraceError('INTERNAL', { reason: String(cause) }, { cause })),
    }
    this.durable = options.durable && new DurableRun(options.durable, memory, plan, this.events)
    this.host = new HostWorkers(plan, memory, options.embedded, listener, options.durable?.journal)
    this.handles = new Handles(plan, allocated, { graph, hasFunctions, ...found }, this)
    const common = { memory, plan, events: this.events, handles: this.handles.all, graph }
    const seated = this.handles.all.filter(({ worker, stage }) => worker.ordinal < stage.concurrency)
    this.#start = new Start(seated, startDeadlineMs)
    this.resizes = new Resizes({ ...common, startDeadlineMs, isRunning: () => this.state === 'running' })
    this.prober = new Prober({ ...common, isRunning: () => this.state === 'running' })
    this.scaler = new Scaler({
      ...common,
      resize: (node, workers) => this.resizes.resize(node, workers),
      isFlowing: () => this.state === 'running' && !this.sources.isPaused() && !this.prober.isProbing,
    })
    this.#watch = new Watch({ ...common, stallMs })
    this.#stop = new Stop({ ...common, host: this.host, deadlineMs })
    this.successors = new Successors({
      ...common,
      history: this.history,
      startDeadlineMs,
      onDeath: ({ worker }) => {
        this.#openSources.died(worker.index)
        this.#watch.forget(worker)
      },
      onDrain: (error) => void this.drain(undefined, error),
      onGiveUp: (error) => this.fail(error),
    })
  }

  get state(): PipelineState {
    return this.#lifecycle.state
  }

  get finished(): Promise<Report> {
    return this.#ending.finished
  }

  /** The graph as it crosses threads: without its functions. */
  get graph(): GraphData {
    return this.#options.graph
  }

  /**
   * Makes all workers ready, then lets them run, until the signal aborts.
   * @throws START_FAILED, START_TIMEOUT, the signal's reason; then nothing runs
   */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const forget = onAbort(signal, () => (this.state === 'starting' ? this.#start.abort() : void this.stop()))
    this.finished.then(forget, forget)
    this.#start.begin()
    await this.#start.settled
    const { outcome } = this.#start
    if (signal?.aborted === true) {
      this.#ending.by('stopped')
      this.handles.killLate()
      await this.#leave()
      throw signal.reason
    }
    if (outcome instanceof MillraceError) {
      this.#ending.fail(outcome)
      if (outcome.code === 'START_TIMEOUT') this.handles.killLate()
      await this.#leave()
      throw outcome
    }
    this.startedAtMs = monotonicMs()
    this.#lifecycle.enter('running')
    enterPhase(this.memory, this.plan, RUNNING)
    this.host.start()
    this.#watch.begin()
    this.scaler.begin()
    this.durable?.begin()
    this.events.emit('pipeline.started', { stages: this.plan.stages.length, workers: this.plan.workers.length })
    this.#lookIfSourcesOver()
  }

  /** Lets the sources make no more, and ends when all of their records have. */
  drain(deadlineMs?: number, error?: MillraceError): Promise<Report> {
    if (error !== undefined) this.#ending.fail(error)
    if (this.state === 'running') {
      this.#lifecycle.enter('draining')
      this.#ending.by('drained')
      this.events.emit('pipeline.draining')
      this.drainProgress = new DrainProgress(
        this.memory,
        this.plan,
        deadlineMs ?? this.#options.deadlineMs,
        this.events,
      )
      this.#stop.drain(() => void this.#leave(), deadlineMs)
    }
    return this.finished
  }

  /** Ends now: workers hand off what they have in hand, and what is left is nacked. */
  stop(deadlineMs = this.#options.deadlineMs): Promise<Report> {
    if (this.#lifecycle.isIn('running', 'draining')) {
      this.#ending.by('stopped')
      void this.#leave(deadlineMs)
    }
    return this.finished
  }

  /** Resolves when all has ended that sources have handed on until now. @throws NODE_UNKNOWN, NODE_NOT_SOURCE, PIPELINE_NOT_RUNNING */
  async flush(node?: string): Promise<void> {
    const stages = this.sources.stages(node)
    if (!this.#lifecycle.isIn('running', 'draining'))
      throw new MillraceError('PIPELINE_NOT_RUNNING', { pipeline: this.plan.graph, state: this.state })
    await flush(this.memory, this.plan, stages, () => this.state === 'ended')
  }

  fail(error: MillraceError): void {
    this.#ending.fail(error)
    void this.#leave()
  }

  message(handle: WorkerHandle, message: WorkerMessage): void {
    switch (message.type) {
      case 'started':
        return this.events.emit('worker.started', { ...handle.place, threadId: message.threadId })
      case 'asks':
        return void this.#options.isExported().then((isSame) => handle.tell(isSame ? 'same' : 'differs'))
      case 'ready':
        this.events.emit('worker.ready', { ...handle.place, tookMs: monotonicMs() - handle.startedAtMs })
        return this.state === 'starting' ? this.#start.ready(handle) : this.#ready(handle)
      case 'ended':
        return this.#sourceEnded(handle.worker.index)
      case 'degraded':
        return this.outside.tell(handle.place, message.reason)
      case 'event':
        return this.#records.tell(handle.worker, handle.epoch, message.event)
      // The handle keeps why, until its task is over.
      case 'refused':
      case 'failed':
        return
      default:
        return message satisfies never
    }
  }

  over(handle: WorkerHandle, error: unknown): void {
    this.outside.forget(handle.place)
    if (this.resizes.over(handle, error)) return
    if (this.state === 'starting') this.#start.over(handle, error)
    else if (this.#lifecycle.isIn('running', 'draining')) this.successors.over(handle, error)
    else this.successors.forget(handle)
  }

  #ready(handle: WorkerHandle): void {
    if (!this.resizes.ready(handle)) this.successors.ready(handle)
  }

  #sourceEnded(worker: number): void {
    this.#openSources.ended(worker)
    this.#lookIfSourcesOver()
  }

  #lookIfSourcesOver(): void {
    if (!this.#lifecycle.isIn('running', 'draining')) return
    const open = this.#openSources.stages
    // Injected records do not keep a pipeline running whose sources have ended; those that are on their way do.
    if (open.length === 1 && open[0]!.role === 'system') this.host.close(INJECT)
    if (open.length > 0) return
    this.events.emit('pipeline.drained')
    void this.#leave()
  }

  /** @param deadlineMs default: what is left of the deadline of `drain`, or that of the run */
  async #leave(deadlineMs?: number): Promise<void> {
    if (this.#lifecycle.isIn('stopping', 'ended')) return
    this.#lifecycle.enter('stopping')
    this.successors.close()
    this.resizes.close()
    this.scaler.end()
    this.drainProgress?.end()
    await this.#stop.leave(deadlineMs)
    this.#watch.end()
    this.#watch.tellDrops()
    await this.durable?.end()
    this.#lifecycle.enter('ended')
    const facts = { outcome: this.#ending.outcome, deadlinePassed: this.#stop.isLate }
    await this.tracing?.settle()
    this.#ending.settle(reportOf(this.memory, this.plan, this.startedAtMs, facts), this.events)
  }
}
