import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { StagePlan } from '../plan/types.ts'
import type { WorkerTask } from '../worker/protocol.ts'

const ENTRY = new URL('../worker/entry.cjs', import.meta.url).href

/**
 * The threads of one stage: a Piscina pool of as many as the stage has workers, each with one task that never ends. Piscina
 * replaces a thread that died; the supervisor gives the new one its task.
 */
export class StagePool {
  readonly #piscina: Piscina
  /** Threads that were seen in the pool: those that left it are on their way out, or gone. */
  readonly #seen = new Set<Worker>()

  constructor(stage: StagePlan) {
    this.#piscina = new Piscina({
      filename: ENTRY,
      minThreads: stage.concurrency,
      maxThreads: stage.concurrency,
      idleTimeout: Infinity,
      // A task that returns must not freeze what the user's modules still have under way.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: stage.resourceLimits,
    })
    // A thread that fails between two tasks: its successor is started by the pool, and takes the next task.
    this.#piscina.on('error', () => undefined)
    this.#piscina.on('workerCreate', () => this.#look())
  }

  /** Gives a thread its task. Rejects when the thread dies, perhaps before it is gone: see `gone`. */
  run(task: WorkerTask): Promise<void> {
    this.#look()
    return this.#piscina.run(task, { transferList: [task.port, task.link] }) as Promise<void>
  }

  /** The thread with this id, while it lives. */
  thread(threadId: number): Worker | undefined {
    this.#look()
    return [...this.#seen].find((thread) => thread.threadId === threadId)
  }

  /** Ends a thread at once. */
  async terminate(threadId: number): Promise<void> {
    await this.thread(threadId)?.terminate()
  }

  /** Resolves when every thread that has left the pool is gone: until then it might still write to shared memory. */
  async gone(): Promise<void> {
    const living = new Set(this.#piscina.threads)
    const leaving = [...this.#seen].filter((thread) => !living.has(thread))
    await Promise.all(
      leaving.map(async (thread) => {
        if (thread.threadId !== -1) await once(thread, 'exit')
        this.#seen.delete(thread)
      }),
    )
    this.#look()
  }

  /** Ends all threads; those that still have a task are terminated. */
  async destroy(): Promise<void> {
    await this.#piscina.destroy()
  }

  #look(): void {
    for (const thread of this.#piscina.threads) this.#seen.add(thread)
  }
}
