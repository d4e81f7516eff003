/** Workers without threads: each does what its test says, at the two ports that a thread would have. */
import { store } from '#atomics'
import { dataflow } from 'millrace'
import type { Memory } from '#src/memory/memory.js'
import { LEFT, LIVE, PHASE, STATE } from '#src/memory/control.js'
import { plan as planOf } from '#src/plan/plan.js'
import type { Plan } from '#src/plan/types.js'
import { type HandleListener, type Threads, WorkerHandle } from '#src/supervisor/handle.js'
import { allocate } from '#src/supervisor/memory.js'
import type { WorkerMessage, WorkerTask } from '#src/worker/thread/protocol.js'
import { until } from '../run/harness.js'

type Told = WorkerMessage extends infer M ? (M extends unknown ? Omit<M, 'epoch'> : never) : never

/** One life of a worker. */
export class FakeThread {
  readonly over: Promise<void>
  readonly #task: WorkerTask
  readonly #memory: Memory
  #left!: () => void
  #died!: (error: unknown) => void

  constructor(task: WorkerTask, memory: Memory) {
    this.#task = task
    this.#memory = memory
    this.over = new Promise((resolve, reject) => {
      this.#left = resolve
      this.#died = reject
    })
    // As of a thread: a port that is listened to keeps the process.
    task.port.on('message', () => undefined)
  }

  get id(): number {
    return 100 * (this.#task.worker + 1) + this.#task.epoch
  }

  get epoch(): number {
    return this.#task.epoch
  }

  get phase(): number {
    return this.#memory.words[this.#task.plan.control.offset / 4 + PHASE]!
  }

  say(message: Told): void {
    this.#task.port.postMessage({ ...message, epoch: this.epoch })
  }

  /** The usual beginning. */
  getReady(): void {
    this.say({ type: 'started', threadId: this.id })
    this.say({ type: 'ready' })
    this.#enter(LIVE)
  }

  leave(): void {
    this.#enter(LEFT)
    this.#close()
    this.#left()
  }

  die(error: Error = new Error('the thread exited')): void {
    this.#close()
    this.#died(error)
  }

  #enter(state: number): void {
    store(this.#memory.words, this.#task.plan.workers[this.#task.worker]!.control.offset / 4 + STATE, state)
  }

  #close(): void {
    this.#task.port.close()
    this.#task.link.close()
  }
}

/** The threads of one worker, the latest last. */
export class FakeThreads implements Threads {
  readonly lives: FakeThread[] = []
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  get last(): FakeThread {
    return this.lives.at(-1)!
  }

  run(task: WorkerTask): Promise<void> {
    this.lives.push(new FakeThread(task, this.#memory))
    return this.last.over
  }

  terminate(threadId: number): Promise<void> {
    this.lives.find(({ id }) => id === threadId)?.die(new Error('terminated'))
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    for (const life of this.lives) life.die(new Error('terminated'))
    return Promise.resolve()
  }

  /** Waits for the life of this epoch. */
  async life(epoch: number): Promise<FakeThread> {
    await until(() => this.lives.length > epoch, `life ${epoch}`, 1)
    return this.lives[epoch]!
  }
}

/** A source with acks, a transform and a sink, with a worker each. */
export interface Crew {
  readonly plan: Plan
  readonly memory: Memory
  readonly handles: readonly WorkerHandle[]
  /** By the place of the handle. */
  readonly threads: readonly FakeThreads[]
  /** Starts all and waits until they are ready. */
  readonly begin: () => Promise<void>
}

const three = dataflow('three')
  .source('numbers', { produce: () => [1], ack: () => undefined })
  .transform('work', { map: (n: number) => n })
  .sink('save', { write: () => undefined })
  .connect('numbers', 'work')
  .connect('work', 'save')

/** @param options of the run's plan: how workers are restarted */
export function crew(listener: Partial<HandleListener> = {}, options: Parameters<typeof planOf>[1] = {}): Crew {
  const plan = planOf(three, options)
  const allocated = allocate(plan, three)
  const { memory } = allocated
  const threads = plan.workers.map(() => new FakeThreads(memory))
  const assignment = {
    plan,
    memory: allocated.shared,
    assembly: undefined,
    graph: { name: plan.graph, module: undefined, nodes: [], edges: [], clusters: [] },
    hasFunctions: true,
    serial: undefined,
    maker: undefined,
    params: undefined,
  }
  const heard: HandleListener = { message: () => undefined, over: () => undefined, ...listener }
  const handles = plan.workers.map((worker, i) => new WorkerHandle(worker, threads[i]!, memory, assignment, heard))
  const begin = async (): Promise<void> => {
    for (const handle of handles) handle.start()
    for (const { last } of threads) last.getReady()
    await until(() => handles.every(({ state }) => state === 'ready'), 'all are ready', 1)
  }
  return { plan, memory, handles, threads, begin }
}
