import { load, store } from '#atomics'
import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import { ring } from '../lane/doorbell.ts'
import { type Memory, viewMemory } from '../lane/memory.ts'
import { grantFirst } from '../lane/reader.ts'
import { sign } from '../lane/signature.ts'
import { DRAINING, RUN_LOW, LEFT, NACKING, PHASE, RUNNING, STATE, STOPPING } from '../plan/control.ts'
import { INJECT } from '../plan/stages.ts'
import { termsOf } from '../plan/terms.ts'
import type { Plan, StagePlan, WorkerPlan } from '../plan/types.ts'
import { CRASHED, IN } from '../telemetry/counters.ts'
import { LIBRARY_VERSION } from '../version.ts'
import type { Handlers } from '../worker/handlers.ts'
import { type ErrorMessage, type WorkerMessage, type WorkerTask, errorMessage } from '../worker/protocol.ts'
import type { WorkerEvent } from '../worker/stage.ts'
import { onAbort } from './on-abort.ts'
import { Drops } from './drops.ts'
import { Embedder } from './host/host-workers.ts'
import { DeadLetters } from './dead-letters.ts'
import { Events } from './events.ts'
import { type Death, History } from './history.ts'
import { Member, type MemberListener } from './handle.ts'
import { StagePool } from './pool.ts'
import { Verdicts, isPoisonous } from './poison.ts'
import { type Findings, recoverWorker } from './recovery.ts'
import { type Report, reportOf } from './report.ts'
import { restartVerdict } from './restart.ts'
import { SourceControls } from './source-controls.ts'
import { Stall } from './stall.ts'
import type { PipelineState } from './state.ts'
import { Watchdog } from './watchdog.ts'
import { RunningTime, TimeOut } from '../running-time.ts'
import { clearTimeout, monotonicMs, setTimeout } from '../time.ts'

/** What the supervisor needs beside the plan. */
export interface SupervisorOptions {
  readonly graph: GraphData
  readonly hasFunctions: boolean
  /** How workers find the graph in its module, and what else they are given of the run. */
  readonly found: Pick<WorkerTask, 'serial' | 'maker' | 'params'>
  /** Whether the graph is the one that its module exports. */
  readonly isExported: () => Promise<boolean>
  /** Handlers of the stages in this thread, by stage index. */
  readonly embedded: ReadonlyMap<number, Handlers>
  readonly deadlineMs: number
  readonly startDeadlineMs: number
  readonly stallMs: number
  /** Dead letters that are kept in memory. */
  readonly deadLetters: number
  readonly deadLetterBytes: number
}

/** Between two looks after the workers: a part of the shortest time-out, within these. */
const LEAST_LOOK_MS = 5
const TIMED_LOOK_MS = 250
const MOST_LOOK_MS = 1_000
/** Part of the deadline that is kept for leaving, after draining has taken too long. */
const LEAVING_SHARE = 0.2
const LEAVING_MS = 1_000

/** Starts a plan's workers, watches over them, replaces those that die, and stops them in order. */
export class Supervisor implements MemberListener {
  readonly events: Events
  readonly finished: Promise<Report>
  readonly memory: Memory
  readonly plan: Plan
  readonly embedder: Embedder
  readonly sources: SourceControls
  readonly history = new History()
  readonly deadLetters: DeadLetters
  state: PipelineState = 'starting'
  startedAtMs = monotonicMs()
  readonly #options: SupervisorOptions
  readonly #shared: SharedArrayBuffer
  readonly #assemblies = new Map<number, SharedArrayBuffer>()
  readonly #pools = new Map<number, StagePool>()
  readonly #members: Member[] = []
  readonly #verdicts = new Verdicts()
  readonly #watchdog: Watchdog
  readonly #stall: Stall
  readonly #drops: Drops
  /** Source workers, by index, that have made all and have all of it acked. */
  readonly #ended = new Set<number>()
  readonly #refusals = new Map<number, MillraceError>()
  readonly #lastErrors = new Map<number, ErrorMessage>()
  /** Workers that are ended because a restart was asked for. */
  readonly #asked = new Set<number>()
  /** Workers whose successors are not ready yet: since when, and until when at most. */
  readonly #successors = new Map<number, { readonly diedAt: number; readonly deadline: TimeOut }>()
  readonly #deadlines = new Set<TimeOut>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  #watch: NodeJS.Timeout | undefined
  #settle!: { resolve: (report: Report) => void; reject: (error: unknown) => void }
  #onReady: (() => void) | undefined
  /** Told of every task that is over while the pipeline stops. */
  #onOver: (() => void) | undefined
  #outcome: Report['outcome'] = 'finished'
  #failure: MillraceError | undefined
  #deadlinePassed = false

  constructor(plan: Plan, options: SupervisorOptions) {
    this.plan = plan
    this.#options = options
    this.events = new Events(plan.graph)
    this.deadLetters = new DeadLetters(options.deadLetters, options.deadLetterBytes)
    this.#shared = new SharedArrayBuffer(plan.memoryBytes)
    this.memory = viewMemory(this.#shared)
    this.memory.words.set(crypto.getRandomValues(new Int32Array(2)), plan.control.offset / 4 + RUN_LOW)
    for (const { edges, lanes } of plan.links) {
      for (const lane of lanes.flat()) {
        sign(this.memory, lane, LIBRARY_VERSION, termsOf(options.graph, edges))
        grantFirst(this.memory, lane)
      }
    }
    this.sources = new SourceControls(this.memory, plan)
    this.#watchdog = new Watchdog(this.memory)
    this.#drops = new Drops(this.memory, plan)
    this.#stall = new Stall(this.memory, plan, options.stallMs)
    this.finished = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // Whoever does not look at the end of a pipeline is told by its events; an unhandled rejection would end the process.
    this.finished.catch(() => undefined)
    this.embedder = new Embedder(plan, this.memory, options.embedded, {
      ended: (worker) => this.#sourceEnded(worker),
      event: (worker, event) => this.#recordEvent(worker, 0, event),
      failed: (cause) => this.fail(new MillraceError('INTERNAL', { reason: String(cause) }, { cause })),
    })
    for (const stage of plan.stages) {
      if (stage.host !== 'pool') continue
      const pool = new StagePool(stage)
      this.#pools.set(stage.index, pool)
      for (const index of stage.workers) {
        const worker = plan.workers[index]!
        this.#members.push(new Member(worker, pool, this.memory, this))
        if (worker.inputs.length > 0) this.#assemblies.set(index, new SharedArrayBuffer(plan.maxRecordBytes))
      }
    }
  }

  /**
   * Makes all workers ready, then lets them run, until the signal aborts.
   * @throws START_FAILED, START_TIMEOUT, the signal's reason; then nothing runs
   */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const forget = onAbort(signal, () => (this.state === 'starting' ? this.#onReady!() : void this.stop()))
    this.finished.then(forget, forget)
    const ready = new Promise<void>((resolve) => (this.#onReady = resolve))
    for (const member of this.#members) this.#startMember(member)
    this.#lookIfReady()
    const deadline = this.#deadline(this.#options.startDeadlineMs, () => this.#onReady!())
    await ready
    this.#forget(deadline)
    if (signal?.aborted === true) {
      this.#outcome = 'stopped'
      await this.#leaveStart()
      throw signal.reason
    }
    const failure = this.#startFailure()
    if (failure !== undefined) {
      this.#outcome = 'failed'
      this.#failure = failure
      if (failure.code === 'START_TIMEOUT') await this.#leaveStart()
      else await this.#leave(this.#options.deadlineMs)
      throw failure
    }
    this.startedAtMs = monotonicMs()
    this.state = 'running'
    this.#setPhase(RUNNING)
    this.embedder.start()
    this.#watchOver()
    this.events.emit('pipeline.started', { stages: this.plan.stages.length, workers: this.plan.workers.length })
    this.#lookIfSourcesOver()
  }

  /** Lets the sources make no more, and ends when all of their records have. */
  drain(deadlineMs = this.#options.deadlineMs): Promise<Report> {
    if (this.state === 'running') {
      this.state = 'draining'
      this.#outcome = 'drained'
      this.events.emit('pipeline.draining')
      this.#setPhase(DRAINING)
      this.embedder.close()
      const leavingMs = Math.min(LEAVING_MS, deadlineMs * LEAVING_SHARE)
      this.#deadline(deadlineMs - leavingMs, () => {
        this.#deadlinePassed = true
        void this.#leave(leavingMs)
      })
    }
    return this.finished
  }

  /** Ends now: workers hand off what they have in hand, and what is left is nacked. */
  stop(deadlineMs = this.#options.deadlineMs): Promise<Report> {
    if (this.state === 'running' || this.state === 'draining') {
      this.#outcome = 'stopped'
      void this.#leave(deadlineMs)
    }
    return this.finished
  }

  /** Ends with an error. */
  fail(error: MillraceError): void {
    if (this.state === 'ended' || this.#failure !== undefined) return
    this.#failure = error
    this.#outcome = 'failed'
    if (this.state !== 'starting') void this.#leave(this.#options.deadlineMs)
  }

  members(): readonly Member[] {
    return this.#members
  }

  /** Ends a worker's thread; its successor goes on, and the stage's budget is not charged. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  async restart(node: string, ordinal: number): Promise<void> {
    const member = this.member(node, ordinal)
    if (!member.isAlive) return
    this.#asked.add(member.worker.index)
    await member.kill()
  }

  /** The graph as it crosses threads: without its functions. */
  get graph(): GraphData {
    return this.#options.graph
  }

  /** The worker of a stage. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  member(node: string, ordinal: number): Member {
    const stage = this.#stage(node)
    const found = this.#members.find(({ worker }) => worker.stage === stage.index && worker.ordinal === ordinal)
    if (found === undefined) throw new MillraceError('WORKER_UNKNOWN', { node, worker: ordinal })
    return found
  }

  message(member: Member, message: WorkerMessage): void {
    const place = this.#place(member)
    switch (message.type) {
      case 'started':
        return this.events.emit('worker.started', { ...place, threadId: message.threadId })
      case 'asks':
        return void this.#options.isExported().then((isSame) => member.tell(isSame ? 'same' : 'differs'))
      case 'ready':
        this.events.emit('worker.ready', { ...place, tookMs: monotonicMs() - member.startedAtMs })
        return this.#lookIfReady()
      case 'refused':
        this.#refusals.set(member.worker.index, this.#startError(member, message.error, message.step))
        return
      case 'ended':
        return this.#sourceEnded(member.worker.index)
      case 'failed':
        this.#lastErrors.set(member.worker.index, message.error)
        return
      case 'event':
        return this.#recordEvent(member.worker, member.epoch, message.event)
      default:
        return message satisfies never
    }
  }

  over(member: Member, error: unknown): void {
    if (this.state === 'starting') {
      this.#noteDeathAtStart(member, error)
      return this.#lookIfReady()
    }
    const refusal = this.#refusals.get(member.worker.index)
    if (this.state === 'stopping' || this.state === 'ended') return this.#onOver?.()
    // A successor's module that does not load never will; its `setup` may succeed the next time.
    if (refusal?.detail['step'] === 'load') this.fail(refusal)
    else if (refusal !== undefined || error !== undefined) this.#replace(member, refusal ?? error)
  }

  /** A thread that ends before it is ready refuses too: by `process.exit`, an uncaught error, too small a heap. */
  #noteDeathAtStart(member: Member, error: unknown): void {
    const { index } = member.worker
    if (this.#refusals.has(index)) return
    const told = this.#lastErrors.get(index) ?? errorMessage(error ?? new Error('its thread ended'))
    this.#refusals.set(index, this.#startError(member, told, 'setup'))
  }

  #startMember(member: Member): void {
    const { plan } = this
    const { graph, hasFunctions, found } = this.#options
    const assembly = this.#assemblies.get(member.worker.index)
    this.#refusals.delete(member.worker.index)
    member.start({ plan, memory: this.#shared, assembly, graph, hasFunctions, ...found })
  }

  /** A thread ended in the middle of its work: its memory is put in order, and a successor goes on there. */
  #replace(member: Member, error: unknown): void {
    const { worker } = member
    const stage = this.plan.stages[worker.stage]!
    const diedAt = monotonicMs()
    this.#ended.delete(worker.index)
    this.#forgetSuccessor(member)
    this.#watchdog.forget(worker)
    const { finishedHandoff, suspects } = recoverWorker(this.memory, this.plan, worker)
    const told = this.#lastErrors.get(worker.index)
    const cause = this.#causeOf(member, error)
    const place = this.#place(member)
    const wasAsked = this.#asked.delete(worker.index)
    const { counts } = this.history.add(
      { ...place, atMs: diedAt, cause: cause.message, error: thrown(told ?? error), wasAsked },
      suspects,
      (stage.input ?? stage.source)!.maxCrashes,
    )
    this.events.emit('worker.died', { ...place, cause, finishedHandoff, inHand: suspects.length, counts })
    if (this.#isPoisonous(stage, suspects)) return this.#giveUp(stage, cause, 'STAGE_POISONED')
    const verdict = restartVerdict(stage.restart, this.history.charged(stage.node), diedAt)
    if (!verdict.restart) return this.#giveUp(stage, cause, 'RESTARTS_EXHAUSTED')
    const restart = setTimeout(() => {
      this.#restarts.delete(restart)
      if (this.state !== 'running' && this.state !== 'draining') return
      member.epoch++
      this.#startMember(member)
      // One that hangs in its module or its `setup` has no heart beat yet.
      const deadline = this.#deadline(this.#options.startDeadlineMs, () => {
        this.#endHung(member, monotonicMs() - member.startedAtMs)
      })
      this.#successors.set(worker.index, { diedAt, deadline })
    }, verdict.delayMs)
    this.#restarts.add(restart)
  }

  #endHung(member: Member, forMs: number): void {
    this.events.emit('worker.hung', { ...this.#place(member), forMs })
    void member.kill()
  }

  /** Whether a record that is given up now is one too many. */
  #isPoisonous({ node, workers, nodes, input, restart }: StagePlan, suspects: Findings['suspects']): boolean {
    if (input === undefined || !suspects.some(({ deaths }) => deaths >= input.maxCrashes)) return false
    const total = (counter: number): number =>
      workers.reduce((sum, index) => {
        const { countersOffset } = this.plan.workers[index]!.journal
        return sum + this.memory.floats[countersOffset / 8 + nodes[0]!.counters + counter]!
      }, 0)
    return isPoisonous(restart.maxPoison, this.#verdicts.add(node, { ended: total(IN), crashed: total(CRASHED) }))
  }

  #giveUp(stage: StagePlan, cause: MillraceError, code: 'RESTARTS_EXHAUSTED' | 'STAGE_POISONED'): void {
    const history = this.history.of(stage.node)
    this.events.emit('stage.gaveUp', { node: stage.node, deaths: history.length, cause })
    this.fail(new MillraceError(code, { node: stage.node, deaths: history.length, history }, { cause }))
  }

  #causeOf({ worker, epoch }: Member, error: unknown): MillraceError {
    const told = this.#lastErrors.get(worker.index)
    this.#lastErrors.delete(worker.index)
    const { node } = this.plan.stages[worker.stage]!
    const reason = told?.message ?? (error instanceof Error ? error.message : String(error))
    const cause = told === undefined ? error : errorOf(told)
    return new MillraceError('WORKER_DIED', { node, worker: worker.ordinal, epoch, reason }, { cause })
  }

  #lookIfReady(): void {
    if (this.state !== 'starting') {
      for (const member of this.#members) this.#tellRestarted(member)
      return
    }
    if (this.#refusals.size > 0 || this.#members.every(({ isReady }) => isReady)) this.#onReady?.()
  }

  #tellRestarted(member: Member): void {
    if (!member.isReady) return
    const diedAt = this.#forgetSuccessor(member)
    if (diedAt === undefined) return
    this.events.emit('worker.restarted', { ...this.#place(member), tookMs: monotonicMs() - diedAt })
  }

  /** The successor is ready, or dead: it has no deadline any more. @returns when its predecessor died */
  #forgetSuccessor({ worker: { index } }: Member): number | undefined {
    const successor = this.#successors.get(index)
    if (successor === undefined) return undefined
    this.#successors.delete(index)
    this.#forget(successor.deadline)
    return successor.diedAt
  }

  /** Why the start failed, if it did. */
  #startFailure(): MillraceError | undefined {
    if (this.#failure !== undefined) return this.#failure
    const [refusal] = this.#refusals.values()
    if (refusal !== undefined) return refusal
    const late = this.#members.filter(({ isReady }) => !isReady)
    if (late.length === 0) return undefined
    const nodes = [...new Set(late.map(({ worker }) => this.plan.stages[worker.stage]!.node))]
    return new MillraceError('START_TIMEOUT', { nodes, startDeadlineMs: this.#options.startDeadlineMs })
  }

  #startError({ worker }: Member, told: ErrorMessage, step: string): MillraceError {
    const { node } = this.plan.stages[worker.stage]!
    const detail = { node, worker: worker.ordinal, step, reason: told.message }
    return new MillraceError('START_FAILED', detail, { cause: errorOf(told) })
  }

  #sourceEnded(worker: number): void {
    this.#ended.add(worker)
    if (this.state !== 'starting') this.#lookIfSourcesOver()
  }

  #lookIfSourcesOver(): void {
    if (this.state !== 'running' && this.state !== 'draining') return
    const open = this.plan.sources.filter((worker) => !this.#ended.has(worker))
    // Injected records do not keep a pipeline running whose sources have ended; those that are on their way do.
    if (open.length === 1 && this.plan.stages[this.plan.workers[open[0]!]!.stage]!.isHidden) this.embedder.close(INJECT)
    if (open.length > 0) return
    this.events.emit('pipeline.drained')
    void this.#leave(this.#options.deadlineMs)
  }

  /** Leaves without those that are not ready: they may never come out of their module or their `setup`. */
  async #leaveStart(): Promise<void> {
    for (const member of this.#members) if (!member.isReady) void member.kill()
    await this.#leave(this.#options.deadlineMs)
  }

  /**
   * Tells all workers to leave, ends those that do not within the deadline, and reports. Sources with `ack` leave last: by
   * then all is handed off that will be.
   */
  async #leave(deadlineMs: number): Promise<void> {
    if (this.state === 'stopping' || this.state === 'ended') return
    this.state = 'stopping'
    const isTeller = ({ worker }: Member): boolean => this.plan.stages[worker.stage]!.source?.acks === true
    const tellers = this.#members.filter(isTeller)
    const others = this.#members.filter((member) => !isTeller(member))
    const tellingMs = tellers.length === 0 ? 0 : Math.min(LEAVING_MS, deadlineMs * LEAVING_SHARE)
    const endsAt = monotonicMs() + deadlineMs
    this.#setPhase(STOPPING)
    await this.#untilGone(others, deadlineMs - tellingMs)
    await this.embedder.left()
    this.#setPhase(NACKING)
    await this.#untilGone(tellers, endsAt - monotonicMs())
    for (const each of this.#deadlines) each.cancel()
    for (const each of this.#restarts) clearTimeout(each)
    clearTimeout(this.#watch)
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
    this.#end()
  }

  /** Waits until the tasks of these workers are over; after so long their threads are ended. */
  async #untilGone(members: readonly Member[], withinMs: number): Promise<void> {
    const isOver = await new Promise<boolean>((resolve) => {
      const deadline = this.#deadline(withinMs, () => resolve(false))
      this.#onOver = (): void => {
        if (members.some(({ isAlive }) => isAlive)) return
        this.#forget(deadline)
        resolve(true)
      }
      this.#onOver()
    })
    this.#onOver = undefined
    if (!isOver) {
      this.#deadlinePassed = true
      await Promise.all(members.map(({ worker }) => this.#pools.get(worker.stage)!.destroy()))
    }
    // Those that did not leave by themselves may have been in the middle of a hand-off.
    for (const { worker } of members) {
      if (load(this.memory.words, worker.control.offset / 4 + STATE) !== LEFT)
        recoverWorker(this.memory, this.plan, worker)
    }
  }

  #end(): void {
    this.state = 'ended'
    const facts = { outcome: this.#outcome, deadlinePassed: this.#deadlinePassed }
    if (this.#drops.areAllowed) this.#tellDrops()
    const report = reportOf(this.memory, this.plan, this.startedAtMs, facts)
    if (this.#failure === undefined) {
      this.events.emit('pipeline.finished', { report })
      this.#settle.resolve(report)
    } else {
      this.events.emit('pipeline.failed', { error: this.#failure, report })
      this.#settle.reject(Object.assign(this.#failure, { report }))
    }
  }

  #setPhase(phase: number): void {
    store(this.memory.words, this.plan.control.offset / 4 + PHASE, phase)
    this.#ringAll()
  }

  #ringAll(): void {
    for (const { control } of this.plan.workers) ring(this.memory.words, control.doorbell)
  }

  #stage(node: string): StagePlan {
    const found = this.plan.stages.find((stage) => stage.node === node)
    if (found === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    return found
  }

  /** Looks after hung workers and stalls. Both are told by how long the process ran, not by how long ago it was. */
  #watchOver(): void {
    const running = new RunningTime()
    const timed = this.#members.filter(({ worker }) => (this.plan.stages[worker.stage]!.input?.timeoutMs ?? 0) > 0)
    const most = Math.max(
      LEAST_LOOK_MS,
      Math.min(this.#drops.areAllowed ? TIMED_LOOK_MS : MOST_LOOK_MS, this.#options.stallMs / 4),
    )
    const timeouts = timed.map((member) => Math.min(TIMED_LOOK_MS, this.#timeoutOf(member) / 4))
    const usualMs = Math.max(LEAST_LOOK_MS, Math.min(most, ...timeouts))
    let everyMs = usualMs
    const look = (): void => {
      const ranMs = running.look(everyMs)
      // While all of them wait there is nothing to tell soon.
      const isQuiet = timed.length > 0 && timed.every(({ worker }) => this.#watchdog.isWaiting(worker))
      everyMs = isQuiet ? Math.min(most, TIMED_LOOK_MS, 2 * everyMs) : usualMs
      for (const member of timed) this.#lookIfHung(member, ranMs)
      this.#lookForStall(ranMs)
      if (this.#drops.areAllowed) this.#tellDrops()
      this.#watch = setTimeout(look, everyMs).unref()
    }
    this.#watch = setTimeout(look, everyMs).unref()
  }

  #timeoutOf({ worker }: Member): number {
    return this.plan.stages[worker.stage]!.input!.timeoutMs
  }

  #lookIfHung(member: Member, ranMs: number): void {
    if (!member.isAlive || member.threadId === undefined) return
    const forMs = this.#watchdog.hungForMs(member.worker, this.#timeoutOf(member), ranMs)
    if (forMs === 0) return
    this.#watchdog.forget(member.worker)
    this.#endHung(member, forMs)
  }

  #lookForStall(ranMs: number): void {
    const stalled = this.#stall.look(ranMs)
    if (stalled !== undefined) this.events.emit('pipeline.stalled', stalled)
  }

  #tellDrops(): void {
    for (const drop of this.#drops.look()) this.events.emit('record.dropped', { ...drop })
  }

  /** What a worker tells of records. `event.node` may be a node that the stage runs inline. */
  #recordEvent(worker: WorkerPlan, epoch: number, event: WorkerEvent): void {
    const { name, input, ...fields } = event
    if (name === 'record.failed' || name === 'record.deadLettered') {
      const outcome = name === 'record.failed' ? 'failed' : 'deadLettered'
      // A record may be undefined itself: it is another thing that there is none to be had.
      const had = 'input' in event ? { input } : {}
      this.deadLetters.add({ ...fields, ...had, outcome, worker: worker.ordinal })
      this.embedder.told({ name, ...fields })
    }
    this.events.emit(name, { worker: worker.ordinal, epoch, ...fields })
  }

  #place({ worker, epoch }: Member): { node: string; worker: number; epoch: number } {
    return { node: this.plan.stages[worker.stage]!.node, worker: worker.ordinal, epoch }
  }

  #deadline(ms: number, act: () => void): TimeOut {
    const deadline = new TimeOut(ms, () => {
      this.#deadlines.delete(deadline)
      act()
    })
    this.#deadlines.add(deadline)
    return deadline
  }

  #forget(deadline: TimeOut): void {
    deadline.cancel()
    this.#deadlines.delete(deadline)
  }
}

/** An error of a worker's thread, as it was there. */
function errorOf({ name, message, stack, code, detail }: ErrorMessage): Error {
  return Object.assign(new Error(message), { name, stack, ...(code === undefined ? {} : { code, detail }) })
}

/** What of an error a history keeps. */
function thrown(error: unknown): Death['error'] {
  const { name = 'Error', message = String(error), code } = (error ?? {}) as Partial<Death['error']>
  return { name, message, ...(typeof code === 'string' ? { code } : {}) }
}
