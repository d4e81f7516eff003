import { load, store } from '#atomics'
import { wrap, type Remote, releaseProxy } from 'comlink'
import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ErrorData } from '../errors.ts'
import { ring } from '../lane/doorbell.ts'
import type { Memory } from '../memory/memory.ts'
import { ATTEND, COMMAND } from '../memory/control.ts'
import type { StagePlan, WorkerPlan } from '../plan/types.ts'
import { within } from '../running-time.ts'
import { clearTimeout, monotonicMs, setTimeout } from '../time.ts'
import type { SupervisorMessage, WorkerCalls, WorkerMessage, WorkerTask } from '../worker/thread/protocol.ts'
import { Lifecycle, type Transitions } from './lifecycle.ts'

/** What the supervisor wants to know of a worker. */
export interface HandleListener {
  message(handle: WorkerHandle, message: WorkerMessage): void
  /** The task is over: the worker has left, or its thread is gone. */
  over(handle: WorkerHandle, error: unknown): void
}

/** The threads of a stage, as a handle needs them. */
export interface Threads {
  /** Resolves if the worker has left; rejects if its thread is gone before that. */
  run(task: WorkerTask): Promise<void>
  /** Ends one thread at once. */
  terminate(threadId: number): Promise<void>
  /** Ends all threads. */
  destroy(): Promise<void>
}

/** What all lives of a worker are given. */
export type Assignment = Omit<WorkerTask, 'worker' | 'epoch' | 'port' | 'link'>

/** Where a worker's thread is in its life: not there yet, importing and setting up, at work, told to end, gone. */
type HandleState = 'idle' | 'starting' | 'ready' | 'ending' | 'gone'

const NEXT: Transitions<HandleState> = {
  idle: ['starting'],
  starting: ['ready', 'ending', 'gone'],
  ready: ['ending', 'gone'],
  ending: ['gone'],
  // A successor.
  gone: ['starting'],
}

const CALL_DEADLINE_MS = 5_000
/** A port whose thread is gone ends at once. */
const CLOSING_MS = 1_000

/** The ports to one thread. */
interface Line {
  readonly port: MessagePort
  readonly closed: Promise<unknown>
  readonly link: MessagePort
  readonly calls: Remote<WorkerCalls>
}

/** One worker as the supervisor sees it: the state of its present thread, its epoch, and the two ports to it. */
export class WorkerHandle {
  readonly worker: WorkerPlan
  readonly stage: StagePlan
  readonly threads: Threads
  epoch = 0
  /** Known from the thread's first message to its end. */
  threadId: number | undefined
  /** When it was given its task, in ms of the clock that all threads share. */
  startedAtMs = 0
  /** Why this life could not get ready, as it said itself. */
  refusal: { readonly step: 'load' | 'setup'; readonly error: ErrorData } | undefined
  /** What ended this life, as it said itself. */
  lastError: ErrorData | undefined
  /** This life is ended because a restart was asked for: nobody failed. */
  isRestartAsked = false
  /** Resolves when the present life is over and the listener has been told. */
  gone: Promise<void> = Promise.resolve()
  readonly #assignment: Assignment
  readonly #memory: Memory
  readonly #listener: HandleListener
  readonly #life: Lifecycle<HandleState>
  #line: Line | undefined

  constructor(worker: WorkerPlan, threads: Threads, memory: Memory, assignment: Assignment, listener: HandleListener) {
    this.worker = worker
    this.stage = assignment.plan.stages[worker.stage]!
    this.threads = threads
    this.#memory = memory
    this.#assignment = assignment
    this.#listener = listener
    this.#life = new Lifecycle(`worker ${worker.ordinal} of ${this.stage.node}`, NEXT, 'idle')
  }

  get state(): HandleState {
    return this.#life.state
  }

  /** Whether its thread may still write to shared memory. */
  get isAlive(): boolean {
    return this.#life.isIn('starting', 'ready', 'ending')
  }

  /** Who it is, in events and errors. */
  get place(): { node: string; worker: number; epoch: number } {
    return { node: this.stage.node, worker: this.worker.ordinal, epoch: this.epoch }
  }

  /** Gives a thread of the stage this worker's task. After a death that is the successor, in the next epoch. */
  start(): void {
    if (this.#life.isIn('gone')) this.epoch++
    this.#life.enter('starting')
    const messages = new MessageChannel()
    const calls = new MessageChannel()
    this.#line = {
      port: messages.port1,
      closed: once(messages.port1, 'close'),
      link: calls.port1,
      calls: wrap<WorkerCalls>(calls.port1),
    }
    calls.port1.unref()
    this.startedAtMs = monotonicMs()
    this.refusal = undefined
    this.lastError = undefined
    this.isRestartAsked = false
    const { epoch } = this
    messages.port1.on('message', (message: WorkerMessage) => {
      if (message.epoch === this.epoch) this.#hear(message)
    })
    messages.port1.unref()
    const task = { ...this.#assignment, worker: this.worker.index, epoch, port: messages.port2, link: calls.port2 }
    this.gone = this.threads.run(task).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error),
    )
  }

  /** Ends the thread for a successor, though nobody failed: the stage's budget is not charged. */
  async restart(): Promise<void> {
    if (!this.isAlive) return
    this.isRestartAsked = true
    await this.kill()
  }

  /** Ends the thread at once, or as soon as it is known which one it is; `over` follows when it is gone. */
  async kill(): Promise<void> {
    if (this.#life.isIn('starting', 'ready')) this.#life.enter('ending')
    if (this.threadId !== undefined) await this.threads.terminate(this.threadId)
  }

  tell(message: SupervisorMessage): void {
    this.#line?.port.postMessage(message)
  }

  /** Calls the worker, by comlink. @returns undefined if it does not answer in time, or is gone */
  async call<T>(
    act: (worker: Remote<WorkerCalls>) => Promise<T>,
    deadlineMs = CALL_DEADLINE_MS,
  ): Promise<T | undefined> {
    if (!this.isAlive || this.#line === undefined) return undefined
    const { words } = this.#memory
    const command = this.worker.control.offset / 4 + COMMAND
    // It loads what answers when it is first asked for it; and the loop of a sync stage runs no events of its own accord.
    this.tell('answer')
    store(words, command, load(words, command) | ATTEND)
    ring(words, this.worker.control.doorbell)
    try {
      return await within(
        deadlineMs,
        act(this.#line.calls).catch(() => undefined),
      )
    } finally {
      store(words, command, load(words, command) & ~ATTEND)
    }
  }

  /** What a thread has posted may come after its end: it is told, and changes no state then. */
  #hear(message: WorkerMessage): void {
    switch (message.type) {
      case 'started':
        if (this.isAlive) this.threadId = message.threadId
        if (this.#life.isIn('ending')) void this.kill()
        break
      case 'ready':
        if (this.#life.isIn('starting')) this.#life.enter('ready')
        break
      case 'refused':
        this.refusal = message
        break
      case 'failed':
        this.lastError = message.error
        break
    }
    this.#listener.message(this, message)
  }

  /** Resolves when the messages of the last moments are delivered: they come before the end of the port. */
  async #heard({ port, closed }: Line): Promise<void> {
    port.ref()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSING_MS)))
    await Promise.race([closed, late])
    clearTimeout(timer)
    port.close()
  }

  async #end(error: unknown): Promise<void> {
    this.#life.enter('gone')
    this.threadId = undefined
    const line = this.#line!
    await this.#heard(line)
    line.calls[releaseProxy]()
    line.link.close()
    this.#listener.over(this, error)
  }
}
