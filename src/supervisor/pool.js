import { once } from 'node:events'
import { Piscina } from 'piscina'
const ENTRY = new URL('../worker/main.js', import.meta.url).href
/**
 * The threads of one stage: a Piscina pool of as many as the stage has workers, each with one task that never ends. Piscina
 * replaces a thread that died; the supervisor gives the new one its task.
 */
export class StagePool {
  #piscina
  /** Threads that were seen in the pool: those that left it are on their way out, or gone. */
  #seen = new Set()
  constructor(stage) {
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
  }
  /** Gives a thread its task. Rejects when the thread dies, perhaps before it is gone: see `gone`. */
  run(task) {
    this.#look()
    return this.#piscina.run(task, { transferList: [task.port, task.link] })
  }
  /** The thread with this id, while it lives. */
  thread(threadId) {
    this.#look()
    return [...this.#seen].find((thread) => thread.threadId === threadId)
  }
  /** Ends a thread at once. */
  async terminate(threadId) {
    await this.thread(threadId)?.terminate()
  }
  /** Resolves when every thread that has left the pool is gone: until then it might still write to shared memory. */
  async gone() {
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
  async destroy() {
    await this.#piscina.destroy()
  }
  #look() {
    for (const thread of this.#piscina.threads) this.#seen.add(thread)
  }
}
