import { load, store } from '#atomics'
import { wrap, type Remote, releaseProxy } from 'comlink'
import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { ring } from '../lane/doorbell.ts'
import type { Memory } from '../lane/memory.ts'
import { ATTEND, COMMAND } from '../plan/control.ts'
import type { WorkerPlan } from '../plan/types.ts'
import type { SupervisorMessage, WorkerCalls, WorkerMessage, WorkerTask } from '../worker/protocol.ts'
import type { StagePool } from './pool.ts'
import { within } from '../running-time.ts'
import { clearTimeout, monotonicMs, setTimeout } from '../time.ts'

/** What the supervisor wants to know of a worker. */
export interface MemberListener {
  message(member: Member, message: WorkerMessage): void
  /** The task is over: the worker has left, or its thread is gone. */
  over(member: Member, error: unknown): void
}

const CALL_DEADLINE_MS = 5_000
/** A port whose thread is gone ends at once. */
const CLOSING_MS = 1_000

/** One worker as the supervisor sees it: its present thread, its epoch, and the two ports to it. */
export class Member {
  readonly worker: WorkerPlan
  epoch = 0
  threadId: number | undefined
  isReady = false
  /** When it was given its task, in ms of the clock that all threads share. */
  startedAtMs = 0
  /** True from the start of its task to the end of its thread. */
  isAlive = false
  readonly #pool: StagePool
  readonly #memory: Memory
  readonly #listener: MemberListener
  #port: MessagePort | undefined
  #closed: Promise<unknown> | undefined
  #link: MessagePort | undefined
  #calls: Remote<WorkerCalls> | undefined
  /** To be ended as soon as it is known which thread it has. */
  #isDoomed = false

  constructor(worker: WorkerPlan, pool: StagePool, memory: Memory, listener: MemberListener) {
    this.worker = worker
    this.#pool = pool
    this.#memory = memory
    this.#listener = listener
  }

  /** Gives a thread of the pool this worker's task. */
  start(task: Omit<WorkerTask, 'worker' | 'epoch' | 'port' | 'link'>): void {
    const messages = new MessageChannel()
    const calls = new MessageChannel()
    this.#port = messages.port1
    this.#closed = once(messages.port1, 'close')
    this.#link = calls.port1
    this.#calls = wrap<WorkerCalls>(calls.port1)
    this.#link.unref()
    this.isAlive = true
    this.startedAtMs = monotonicMs()
    this.isReady = false
    this.#isDoomed = false
    const { epoch } = this
    messages.port1.on('message', (message: WorkerMessage) => {
      if (message.epoch !== this.epoch) return
      if (message.type === 'started') this.#hasStarted(message.threadId)
      if (message.type === 'ready') this.isReady = true
      this.#listener.message(this, message)
    })
    messages.port1.unref()
    const given = { ...task, worker: this.worker.index, epoch, port: messages.port2, link: calls.port2 }
    this.#pool.run(given).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error),
    )
  }

  /** Ends the thread at once, or as soon as it has taken its task; `over` follows when it is gone. */
  async kill(): Promise<void> {
    this.#isDoomed = true
    if (this.threadId !== undefined) await this.#pool.terminate(this.threadId)
  }

  #hasStarted(threadId: number): void {
    this.threadId = threadId
    if (this.#isDoomed) void this.kill()
  }

  tell(message: SupervisorMessage): void {
    this.#port?.postMessage(message)
  }

  /** Calls the worker, by comlink. @returns undefined where it does not answer in time, or is gone */
  async call<T>(
    act: (worker: Remote<WorkerCalls>) => Promise<T>,
    deadlineMs = CALL_DEADLINE_MS,
  ): Promise<T | undefined> {
    if (!this.isAlive || this.#calls === undefined) return undefined
    const { words } = this.#memory
    const command = this.worker.control.offset / 4 + COMMAND
    // It loads what answers when it is first asked for it; and the loop of a sync stage runs no events of its own accord.
    this.tell('answer')
    store(words, command, load(words, command) | ATTEND)
    ring(words, this.worker.control.doorbell)
    try {
      return await within(
        deadlineMs,
        act(this.#calls).catch(() => undefined),
      )
    } finally {
      store(words, command, load(words, command) & ~ATTEND)
    }
  }

  /** Resolves when the messages of the last moments are delivered: they come before the end of the port. */
  async #heard(): Promise<void> {
    const port = this.#port!
    port.ref()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSING_MS)))
    await Promise.race([this.#closed, late])
    clearTimeout(timer)
    port.close()
  }

  async #end(error: unknown): Promise<void> {
    this.isAlive = false
    this.threadId = undefined
    await this.#heard()
    this.#calls?.[releaseProxy]()
    this.#link?.close()
    this.#listener.over(this, error)
  }
}
