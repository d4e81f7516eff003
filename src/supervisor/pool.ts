import { Worker } from 'node:worker_threads'
import type { StagePlan } from '../plan/types.ts'
import { LEFT_MESSAGE, type WorkerStart, bundleUrl } from '../worker/thread/boot.ts'
import type { WorkerTask } from '../worker/thread/protocol.ts'
import type { Threads } from './handle.ts'

/** The threads of one stage: each with one task that never ends. */
export class StagePool implements Threads {
  readonly #threads = new Set<Worker>()
  readonly #node: string
  readonly #limits: StagePlan['resourceLimits']

  constructor(stage: StagePlan) {
    this.#node = stage.node
    this.#limits = stage.resourceLimits
  }

  /**
   * Starts a thread with its task. Resolves when the worker has left, though its thread may be there still; rejects when the
   * thread is gone before that: then it writes to shared memory no more.
   */
  async run(task: WorkerTask): Promise<void> {
    const thread = new Worker(bundleUrl ?? new URL('../worker/thread/entry.cjs', import.meta.url), {
      // What debuggers and, where Node can, the system call the thread.
      name: `${this.#node} #${task.plan.workers[task.worker]!.ordinal}`,
      workerData: { millrace: task } satisfies WorkerStart,
      transferList: [task.port, task.link],
      ...(this.#limits === undefined ? {} : { resourceLimits: this.#limits }),
    })
    this.#threads.add(thread)
    return new Promise((resolve, reject) => {
      let cause: unknown
      thread.on('message', (message: unknown) => {
        if (message === LEFT_MESSAGE) resolve()
      })
      thread.on('error', (error) => (cause = error))
      thread.on('exit', (code) => {
        this.#threads.delete(thread)
        reject(cause ?? new Error(`The thread exited with code: ${code}`))
      })
    })
  }

  /** Ends a thread at once. */
  async terminate(threadId: number): Promise<void> {
    await [...this.#threads].find((thread) => thread.threadId === threadId)?.terminate()
  }

  /** Ends all threads. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()))
  }
}
