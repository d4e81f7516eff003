import { load, store } from '#atomics'
import { threadId } from 'node:worker_threads'
import type { SetupContext } from '../../plan/definition.ts'
import { Doorbell } from '../../lane/doorbell.ts'
import { SizingWords } from '../../lane/sizing.ts'
import { type Memory, viewMemory } from '../../memory/memory.ts'
import {
  DRAINING,
  LEFT,
  LIVE,
  NACKING,
  PHASE,
  READY,
  RELEASED,
  RUNNING,
  SETUP,
  STATE,
  STOPPING,
} from '../../memory/control.ts'
import type { Plan, StagePlan, WorkerPlan } from '../../plan/types.ts'
import type { Handlers } from '../call/handlers.ts'
import { leave } from './leaving.ts'
import { importModule } from './load.ts'
import { loadHandlers } from './load-handlers.ts'
import { Loop } from '../loop/loop.ts'
import { ProbeDelay } from '../probe/probe-delay.ts'
import { isDetached, makeParts } from '../parts.ts'
import { type SupervisorMessage, type WorkerMessage, type WorkerTask, errorMessage } from './protocol.ts'
import type { SourceStage } from '../stages/source.ts'
import { loadStage } from './stage-kinds.ts'
import type { WorkerEvent } from '../stage.ts'
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../../time.ts'

/** Phases come by the doorbell; how often a worker that waits for one looks all the same. */
const LOOK_EVERY_MS = 2_000

/** The endless task of a worker's thread: load, set up, say ready, run until the pipeline stops, tear down, leave. */
export default async function work(task: WorkerTask): Promise<void> {
  try {
    await live(task)
  } finally {
    await leave()
    // What was posted comes before the end of the port.
    task.port.close()
  }
}

async function live(task: WorkerTask): Promise<void> {
  const { plan, epoch, port } = task
  const tell = (message: DistributedOmit<WorkerMessage, 'epoch'>): void => port.postMessage({ ...message, epoch })
  const memory = viewMemory(task.memory)
  const worker = plan.workers[task.worker]!
  const control = worker.control.offset / 4
  store(memory.words, control + STATE, SETUP)
  tell({ type: 'started', threadId })
  let settle!: (isGiven: boolean) => void
  const verdict = new Promise<boolean>((resolve) => (settle = resolve))
  let isAnswering = false
  port.on('message', (message: SupervisorMessage) => {
    if (message !== 'answer') return settle(message === 'same')
    if (!isAnswering) void import('./answer.ts').then(({ answerCalls }) => answerCalls(task.link))
    isAnswering = true
  })
  const thread = new WorkerThread(task, memory, (reason) => tell({ type: 'degraded', reason }))
  try {
    await thread.load(() => {
      tell({ type: 'asks' })
      return verdict
    })
  } catch (error) {
    return tell({ type: 'refused', step: thread.step, error: errorMessage(error) })
  }
  store(memory.words, control + STATE, READY)
  tell({ type: 'ready' })
  try {
    await thread.run(tell)
  } catch (error) {
    tell({ type: 'failed', error: errorMessage(error) })
    throw error
  }
  store(memory.words, control + STATE, LEFT)
}

type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

class WorkerThread {
  step: 'load' | 'setup' = 'load'
  readonly #task: WorkerTask
  readonly #degraded: (reason: string | undefined) => void
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #worker: WorkerPlan
  readonly #stage: StagePlan
  readonly #stopped = new AbortController()
  readonly #draining = new AbortController()
  #handlers!: Handlers
  #kind!: Awaited<ReturnType<typeof loadStage>>
  #state: unknown

  constructor(task: WorkerTask, memory: Memory, degraded: (reason: string | undefined) => void) {
    this.#degraded = degraded
    this.#task = task
    this.#memory = memory
    this.#plan = task.plan
    this.#worker = task.plan.workers[task.worker]!
    this.#stage = task.plan.stages[this.#worker.stage]!
  }

  async load(isGiven: () => Promise<boolean>): Promise<void> {
    const { workerModule, loader } = this.#plan
    if (workerModule !== undefined) await importModule(workerModule, loader)
    this.#handlers = await loadHandlers(this.#task, this.#memory, isGiven)
    this.#kind = await loadStage(this.#stage)
    this.step = 'setup'
    if (this.#isSetUp) this.#state = await this.#handlers.own('setup')?.(this.#setupContext())
  }

  /** What runs without its handler needs nothing that it needs; but a source has its `ack`. */
  get #isSetUp(): boolean {
    return this.#stage.kind === 'source' || !isDetached(this.#memory, this.#worker)
  }

  async run(tell: (message: DistributedOmit<WorkerMessage, 'epoch'>) => void): Promise<void> {
    // All workers are made ready before any of them runs, and so are those of a resize before records are sent to them.
    await this.#until((phase) => phase >= STOPPING || (phase >= RUNNING && this.#hasSeat()))
    const assembly = viewMemory(this.#task.assembly ?? new ArrayBuffer(0))
    let wake = nothing
    let delay: ProbeDelay | undefined
    const parts = makeParts({
      plan: this.#plan,
      worker: this.#worker.index,
      memory: this.#memory,
      epoch: this.#task.epoch,
      assembly,
      handlers: this.#handlers,
      state: this.#state,
      stopped: this.#stopped.signal,
      draining: this.#draining.signal,
      wake: () => wake(),
      report: (event) => tellEvent(event, tell),
    })
    const stage = new this.#kind(parts)
    const { clock } = parts
    const onEnded = (): void => tell({ type: 'ended' })
    const beforeWait = (): void => parts.outlet.wakePeers(true)
    const loop = new Loop({
      plan: this.#plan,
      worker: this.#worker,
      memory: this.#memory,
      stage,
      clock,
      onEnded,
      beforeWait,
      onPhase: (phase) => this.#tellPhase(phase),
      hasLeft: () => parts.inlet.tenure?.hasLeft === true,
      onDelayed: () => (delay ??= new ProbeDelay(this.#memory, this.#plan)).pay(),
    })
    wake = loop.wake
    store(this.#memory.words, this.#worker.control.offset / 4 + STATE, LIVE)
    try {
      await loop.run()
    } finally {
      this.#stopped.abort()
    }
    if (parts.source !== undefined) await this.#nackRest(stage as SourceStage)
    if (this.#isSetUp) await this.#handlers.own('teardown')?.(this.#state, this.#setupContext())
  }

  async #nackRest(source: SourceStage): Promise<void> {
    if (!source.hasToTell) return
    await this.#until((phase) => phase >= NACKING)
    await source.nackRest()
  }

  /** Its stage has as many workers; or it is the successor of one that loses its seat, and has not released what it keeps. */
  #hasSeat(): boolean {
    if (this.#stage.sizing === undefined) return true
    const sizing = new SizingWords(this.#memory, this.#stage.sizing)
    const { version } = sizing
    const { ordinal, control } = this.#worker
    if (ordinal < sizing.workers(version)) return true
    return ordinal < sizing.workers(version - 1) && load(this.#memory.words, control.offset / 4 + RELEASED) !== version
  }

  /** Waits until the pipeline has come to a phase. */
  async #until(hasCome: (phase: number) => boolean): Promise<void> {
    const doorbell = new Doorbell(this.#memory.words, this.#worker.control.doorbell)
    const held = setInterval(() => undefined, 1 << 30)
    while (!hasCome(this.#phase())) {
      doorbell.announce(LOOK_EVERY_MS)
      if (!hasCome(this.#phase())) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_EVERY_MS)
          const wake = (): void => {
            clearTimeout(timer)
            resolve()
          }
          if (!doorbell.parkAsync(wake)) wake()
        })
      }
      doorbell.rise()
    }
    doorbell.leave()
    clearInterval(held)
  }

  /** Tells handlers that wait for something else: a source that sleeps, a call that is open. */
  #tellPhase(phase: number): void {
    if (phase >= DRAINING) this.#draining.abort()
    if (phase >= STOPPING) this.#stopped.abort()
  }

  #phase(): number {
    return load(this.#memory.words, this.#plan.control.offset / 4 + PHASE)
  }

  #setupContext(): SetupContext {
    const { node, concurrency } = this.#stage
    const { epoch, params } = this.#task
    const [signal, degraded] = [this.#stopped.signal, this.#degraded]
    return { node, worker: this.#worker.ordinal, workers: concurrency, epoch, params, signal, degraded }
  }
}

/** A record that was refused for what it holds cannot be told either. */
function tellEvent(event: WorkerEvent, tell: (message: DistributedOmit<WorkerMessage, 'epoch'>) => void): void {
  try {
    tell({ type: 'event', event })
  } catch {
    const { input: _, ...rest } = event
    tell({ type: 'event', event: rest })
  }
}

function nothing(): void {
  // Until the loop is made, nothing can have happened that it would have to be woken for.
}
