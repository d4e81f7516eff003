import { load, store } from '#atomics'
import { MillraceError } from '../errors.js'
import { ring } from '../lane/doorbell.js'
import { viewMemory } from '../lane/memory.js'
import { COMMAND, DRAINING, PAUSED, PHASE, RATE, RUNNING, STOPPING } from '../plan/control.js'
import { INJECT } from '../plan/stages.js'
import { readSnapshot } from '../telemetry/snapshot.js'
import { Embedder } from './embedder.js'
import { DeadLetters } from './dead-letters.js'
import { Events } from './events.js'
import { Member } from './member.js'
import { StagePool } from './pool.js'
import { recoverWorker } from './recovery.js'
import { reportOf } from './report.js'
import { restartVerdict } from './restart.js'
import { Watchdog } from './watchdog.js'
/** RATE counts records per 1000 seconds in a signed word; faster is no limit. */
const MAX_RATE_WORD = 2 ** 31 - 1
const LOOK_EVERY_MS = 250
/** Part of the deadline that is kept for leaving, after draining has taken too long. */
const LEAVING_SHARE = 0.2
const LEAVING_MS = 1_000
/** Starts a plan's workers, watches over them, replaces those that die, and stops them in order. */
export class Supervisor {
  events
  finished
  memory
  plan
  embedder
  history = []
  deadLetters
  state = 'starting'
  startedAtMs = performance.now()
  #options
  #shared
  #assemblies = new Map()
  #pools = new Map()
  #members = []
  #watchdog
  /** Source workers, by index, that have made all and have all of it acked. */
  #ended = new Set()
  #refusals = new Map()
  #lastErrors = new Map()
  /** Workers that are ended because a restart was asked for. */
  #asked = new Set()
  #timers = new Set()
  #settle
  #onReady
  #onAllOver
  #outcome = 'finished'
  #failure
  #deadlinePassed = false
  #moves = { sum: 0, at: 0, told: false }
  constructor(plan, options) {
    this.plan = plan
    this.#options = options
    this.events = new Events(plan.graph)
    this.deadLetters = new DeadLetters(options.deadLetters)
    this.#shared = new SharedArrayBuffer(plan.memoryBytes)
    this.memory = viewMemory(this.#shared)
    this.#watchdog = new Watchdog(this.memory)
    this.finished = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // Whoever does not look at the end of a pipeline is told by its events; an unhandled rejection would end the process.
    this.finished.catch(() => undefined)
    this.embedder = new Embedder(plan, this.memory, options.embedded, {
      ended: (worker) => this.#sourceEnded(worker),
      failed: (cause) => this.fail(new MillraceError('INTERNAL', { reason: String(cause) }, { cause })),
    })
    for (const stage of plan.stages) {
      if (stage.host !== 'pool') continue
      const pool = new StagePool(stage)
      this.#pools.set(stage.index, pool)
      for (const index of stage.workers) {
        const worker = plan.workers[index]
        this.#members.push(new Member(worker, pool, this.memory, this))
        if (worker.inputs.length > 0) this.#assemblies.set(index, new SharedArrayBuffer(plan.maxRecordBytes))
      }
    }
  }
  /** Makes all workers ready, then lets them run. @throws START_FAILED, START_TIMEOUT; then nothing runs */
  async start() {
    const ready = new Promise((resolve) => (this.#onReady = resolve))
    for (const member of this.#members) this.#startMember(member)
    this.#lookIfReady()
    const timer = setTimeout(() => this.#onReady(), this.#options.startDeadlineMs)
    await ready
    clearTimeout(timer)
    const failure = this.#startFailure()
    if (failure !== undefined) {
      this.#outcome = 'failed'
      this.#failure = failure
      await this.#leave(this.#options.deadlineMs)
      throw failure
    }
    this.startedAtMs = performance.now()
    this.state = 'running'
    this.#setPhase(RUNNING)
    this.embedder.start()
    this.#every(LOOK_EVERY_MS, () => this.#lookForStall())
    this.#watchTimeouts()
    this.events.emit('pipeline.started', { stages: this.plan.stages.length, workers: this.plan.workers.length })
    this.#lookIfSourcesOver()
  }
  /** Lets the sources make no more, and ends when all of their records have. */
  drain(deadlineMs = this.#options.deadlineMs) {
    if (this.state === 'running') {
      this.state = 'draining'
      this.#outcome = 'drained'
      this.events.emit('pipeline.draining')
      this.#setPhase(DRAINING)
      this.embedder.close()
      const leavingMs = Math.min(LEAVING_MS, deadlineMs * LEAVING_SHARE)
      this.#after(deadlineMs - leavingMs, () => {
        this.#deadlinePassed = true
        void this.#leave(leavingMs)
      })
    }
    return this.finished
  }
  /** Ends now: workers hand off what they have in hand, and what is left is nacked. */
  stop(deadlineMs = this.#options.deadlineMs) {
    if (this.state === 'running' || this.state === 'draining') {
      this.#outcome = 'stopped'
      void this.#leave(deadlineMs)
    }
    return this.finished
  }
  /** Ends with an error. */
  fail(error) {
    if (this.state === 'ended' || this.#failure !== undefined) return
    this.#failure = error
    this.#outcome = 'failed'
    if (this.state !== 'starting') void this.#leave(this.#options.deadlineMs)
  }
  members() {
    return this.#members
  }
  /** Sources make no records until `resume`; all of them where no node is named. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  pause(node) {
    for (const control of this.#sourceControls(node)) this.#command(control, (word) => word | PAUSED)
    this.#ringAll()
  }
  resume(node) {
    for (const control of this.#sourceControls(node)) this.#command(control, (word) => word & ~PAUSED)
    this.#ringAll()
  }
  /** A source, or all of them. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  isPaused(node) {
    return this.#sourceControls(node).every((control) => (load(this.memory.words, control + COMMAND) & PAUSED) !== 0)
  }
  /** Changes the rate limit of a source at once: records per second, Infinity for none, undefined for the planned one. */
  setRateLimit(node, perSecond) {
    const controls = this.#sourceControls(node)
    const each = perSecond === undefined ? 0 : Math.round((1000 * perSecond) / controls.length)
    const word = perSecond !== undefined && each > MAX_RATE_WORD ? -1 : Math.max(perSecond === undefined ? 0 : 1, each)
    for (const control of controls) store(this.memory.words, control + RATE, word)
    this.#ringAll()
  }
  /** What `setRateLimit` set, all workers together; the planned limit where it set none. Infinity: no limit. */
  rateLimit(node) {
    const words = this.#sourceControls(node).map((control) => load(this.memory.words, control + RATE))
    const planned = this.#stage(node).source?.rateLimit ?? 0
    const each = words.map((word) => (word === 0 ? planned || Infinity : word === -1 ? Infinity : word / 1000))
    return each.reduce((sum, rate) => sum + rate, 0)
  }
  /** Ends a worker's thread; its successor goes on, and the stage's budget is not charged. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  async restart(node, ordinal) {
    const member = this.member(node, ordinal)
    if (!member.isAlive) return
    this.#asked.add(member.worker.index)
    await member.kill()
  }
  /** The graph as it crosses threads: without its functions. */
  get graph() {
    return this.#options.graph
  }
  /** The worker of a stage. @throws NODE_UNKNOWN, WORKER_UNKNOWN */
  member(node, ordinal) {
    const stage = this.#stage(node)
    const found = this.#members.find(({ worker }) => worker.stage === stage.index && worker.ordinal === ordinal)
    if (found === undefined) throw new MillraceError('WORKER_UNKNOWN', { node, worker: ordinal })
    return found
  }
  message(member, message) {
    const place = this.#place(member)
    switch (message.type) {
      case 'started':
        return this.events.emit('worker.started', { ...place, threadId: message.threadId })
      case 'ready':
        this.events.emit('worker.ready', place)
        return this.#lookIfReady()
      case 'refused':
        this.#refusals.set(member.worker.index, this.#startError(member, message.error, message.step))
        return
      case 'ended':
        return this.#sourceEnded(member.worker.index)
      case 'failed':
        this.#lastErrors.set(member.worker.index, message.error)
        return
      case 'event': {
        const { name, input, ...fields } = message.event
        if (name === 'record.failed' || name === 'record.deadLettered') {
          this.deadLetters.add({
            ...fields,
            input,
            outcome: name === 'record.failed' ? 'failed' : 'deadLettered',
            worker: place.worker,
          })
        }
        // `fields.node` may be a node that the stage runs inline.
        return this.events.emit(name, { ...place, ...fields })
      }
      default:
        return message
    }
  }
  over(member, error) {
    const refusal = this.#refusals.get(member.worker.index)
    if (this.state === 'starting') return this.#lookIfReady()
    if (this.state === 'stopping' || this.state === 'ended') return this.#lookIfAllOver()
    if (refusal !== undefined) this.fail(refusal)
    else if (error !== undefined) this.#replace(member, error)
  }
  #startMember(member) {
    const { plan } = this
    const { graph, hasFunctions } = this.#options
    const assembly = this.#assemblies.get(member.worker.index)
    this.#refusals.delete(member.worker.index)
    member.start({ plan, memory: this.#shared, assembly, graph, hasFunctions })
  }
  /** A thread ended in the middle of its work: its memory is put in order, and a successor goes on there. */
  #replace(member, error) {
    const { worker } = member
    const stage = this.plan.stages[worker.stage]
    const diedAt = performance.now()
    this.#ended.delete(worker.index)
    this.#watchdog.forget(worker)
    const { finishedHandoff, suspects } = recoverWorker(this.memory, this.plan, worker)
    // A record that kills again is on its way to be given up; the stage is not to blame for it.
    const counts = !this.#asked.delete(worker.index) && !suspects.some(({ deaths }) => deaths > 1)
    const told = this.#lastErrors.get(worker.index)
    const cause = this.#causeOf(member, error)
    const place = this.#place(member)
    this.history.push({
      node: stage.node,
      worker: worker.ordinal,
      epoch: member.epoch,
      at: diedAt,
      cause: cause.message,
      error: thrown(told ?? error),
      counts,
    })
    this.events.emit('worker.died', { ...place, cause, finishedHandoff, inHand: suspects.length, counts })
    const verdict = this.#verdict(stage, diedAt)
    if (!verdict.restart) return this.#giveUp(stage, cause)
    this.#after(verdict.delayMs, () => {
      if (this.state !== 'running' && this.state !== 'draining') return this.#lookIfAllOver()
      member.epoch++
      this.#restartedAt.set(worker.index, diedAt)
      this.#startMember(member)
    })
  }
  #restartedAt = new Map()
  #verdict(stage, now) {
    const deaths = this.history.filter(({ node, counts }) => node === stage.node && counts).map(({ at }) => at)
    return restartVerdict(stage.restart, deaths, now)
  }
  #giveUp(stage, cause) {
    const history = this.history.filter(({ node }) => node === stage.node)
    this.events.emit('stage.gaveUp', { node: stage.node, deaths: history.length, cause })
    this.fail(new MillraceError('RESTARTS_EXHAUSTED', { node: stage.node, deaths: history.length, history }, { cause }))
  }
  #causeOf({ worker, epoch }, error) {
    const told = this.#lastErrors.get(worker.index)
    this.#lastErrors.delete(worker.index)
    const { node } = this.plan.stages[worker.stage]
    const reason = told?.message ?? (error instanceof Error ? error.message : String(error))
    return new MillraceError('WORKER_DIED', { node, worker: worker.ordinal, epoch, reason }, { cause: error })
  }
  #lookIfReady() {
    if (this.state !== 'starting') {
      for (const member of this.#members) this.#tellRestarted(member)
      return
    }
    const isRefused = this.#members.some((member) => this.#refusals.has(member.worker.index) || !member.isAlive)
    if (isRefused || this.#members.every(({ isReady }) => isReady)) this.#onReady?.()
  }
  #tellRestarted(member) {
    const diedAt = this.#restartedAt.get(member.worker.index)
    if (diedAt === undefined || !member.isReady) return
    this.#restartedAt.delete(member.worker.index)
    this.events.emit('worker.restarted', { ...this.#place(member), tookMs: performance.now() - diedAt })
  }
  /** Why the start failed, if it did. */
  #startFailure() {
    if (this.#failure !== undefined) return this.#failure
    const [refusal] = this.#refusals.values()
    if (refusal !== undefined) return refusal
    const dead = this.#members.find(({ isAlive }) => !isAlive)
    if (dead !== undefined) {
      const told = this.#lastErrors.get(dead.worker.index)
      return this.#startError(dead, told ?? { name: 'Error', message: 'its thread ended', stack: '' }, 'setup')
    }
    const late = this.#members.filter(({ isReady }) => !isReady)
    if (late.length === 0) return undefined
    const nodes = [...new Set(late.map(({ worker }) => this.plan.stages[worker.stage].node))]
    return new MillraceError('START_TIMEOUT', { nodes, startDeadlineMs: this.#options.startDeadlineMs })
  }
  #startError({ worker }, { name, message, stack, code, detail }, step) {
    const cause = Object.assign(new Error(message), { name, stack, ...(code === undefined ? {} : { code, detail }) })
    const { node } = this.plan.stages[worker.stage]
    return new MillraceError('START_FAILED', { node, worker: worker.ordinal, step, reason: message }, { cause })
  }
  #sourceEnded(worker) {
    this.#ended.add(worker)
    if (this.state !== 'starting') this.#lookIfSourcesOver()
  }
  #lookIfSourcesOver() {
    if (this.state !== 'running' && this.state !== 'draining') return
    const open = this.plan.sources.filter((worker) => !this.#ended.has(worker))
    // Injected records do not keep a pipeline running whose sources have ended; those that are on their way do.
    if (open.length === 1 && this.plan.stages[this.plan.workers[open[0]].stage].isHidden) this.embedder.close(INJECT)
    if (open.length > 0) return
    this.events.emit('pipeline.drained')
    void this.#leave(this.#options.deadlineMs)
  }
  /** Tells all workers to leave, ends those that do not within the deadline, and reports. */
  async #leave(deadlineMs) {
    if (this.state === 'stopping' || this.state === 'ended') return
    this.state = 'stopping'
    const allOver = new Promise((resolve) => (this.#onAllOver = resolve))
    this.#setPhase(STOPPING)
    const timer = setTimeout(() => {
      this.#deadlinePassed = true
      this.#onAllOver()
    }, deadlineMs)
    this.#lookIfAllOver()
    await allOver
    clearTimeout(timer)
    for (const each of this.#timers) clearTimeout(each)
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
    await this.embedder.left()
    this.#end()
  }
  #end() {
    this.state = 'ended'
    const facts = { outcome: this.#outcome, deadlinePassed: this.#deadlinePassed }
    const report = reportOf(this.memory, this.plan, this.startedAtMs, facts)
    if (this.#failure === undefined) {
      this.events.emit('pipeline.finished', { report })
      this.#settle.resolve(report)
    } else {
      this.events.emit('pipeline.failed', { error: this.#failure, report })
      this.#settle.reject(Object.assign(this.#failure, { report }))
    }
  }
  #lookIfAllOver() {
    if (this.#members.every(({ isAlive }) => !isAlive)) this.#onAllOver?.()
  }
  #setPhase(phase) {
    store(this.memory.words, this.plan.control.offset / 4 + PHASE, phase)
    this.#ringAll()
  }
  #ringAll() {
    for (const { control } of this.plan.workers) ring(this.memory.words, control.doorbell)
  }
  #stage(node) {
    const found = this.plan.stages.find((stage) => stage.node === node)
    if (found === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    return found
  }
  /** Word indexes of the control lines of a source's workers, or of all sources'. */
  #sourceControls(node) {
    const stages = node === undefined ? this.plan.stages.filter(({ kind }) => kind === 'source') : [this.#stage(node)]
    const other = stages.find(({ kind }) => kind !== 'source')
    if (other !== undefined) throw new MillraceError('NODE_NOT_SOURCE', { node: other.node })
    return stages.flatMap(({ workers }) => workers.map((index) => this.plan.workers[index].control.offset / 4))
  }
  #command(control, change) {
    const { words } = this.memory
    store(words, control + COMMAND, change(load(words, control + COMMAND)))
  }
  #watchTimeouts() {
    const timed = this.#members.filter(({ worker }) => (this.plan.stages[worker.stage].input?.timeoutMs ?? 0) > 0)
    const timeoutOf = ({ worker }) => this.plan.stages[worker.stage].input.timeoutMs
    if (timed.length === 0) return
    this.#every(Math.max(5, Math.min(LOOK_EVERY_MS, ...timed.map((member) => timeoutOf(member) / 4))), () => {
      for (const member of timed) {
        if (!member.isAlive || member.threadId === undefined) continue
        const forMs = this.#watchdog.hungForMs(member.worker, timeoutOf(member), performance.now())
        if (forMs === 0) continue
        this.events.emit('worker.hung', { ...this.#place(member), forMs })
        this.#watchdog.forget(member.worker)
        void member.kill()
      }
    })
  }
  #lookForStall() {
    const { stages } = readSnapshot(this.memory, this.plan, this.startedAtMs)
    const sources = this.plan.stages
      .filter(({ kind, isHidden }) => kind === 'source' && !isHidden)
      .map(({ node }) => stages[node])
    const inFlight = sources.reduce((sum, stage) => sum + stage.inFlight, 0)
    const sum = Object.values(stages).reduce(
      (total, { workers }) => workers.reduce((all, { handoffs }) => all + handoffs, total),
      0,
    )
    const now = performance.now()
    if (sum !== this.#moves.sum || inFlight === 0) this.#moves = { sum, at: now, told: false }
    const forMs = now - this.#moves.at
    if (this.#moves.told || forMs < this.#options.stallMs) return
    this.#moves.told = true
    this.events.emit('pipeline.stalled', { inFlight, forMs })
  }
  #place({ worker, epoch }) {
    return { node: this.plan.stages[worker.stage].node, worker: worker.ordinal, epoch }
  }
  #every(ms, act) {
    this.#timers.add(setInterval(act, ms).unref())
  }
  #after(ms, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }
}
/** What of an error a history keeps. */
function thrown(error) {
  const { name = 'Error', message = String(error), code } = error ?? {}
  return { name, message, ...(typeof code === 'string' ? { code } : {}) }
}
