import { load, store } from '#atomics'
import { wrap, releaseProxy } from 'comlink'
import { MessageChannel } from 'node:worker_threads'
import { ATTEND, COMMAND } from '../plan/control.js'
const CALL_DEADLINE_MS = 5_000
/** One worker as the supervisor sees it: its present thread, its epoch, and the two ports to it. */
export class Member {
  worker
  epoch = 0
  threadId
  isReady = false
  /** True from the start of its task to the end of its thread. */
  isAlive = false
  #pool
  #memory
  #listener
  #port
  #link
  #calls
  constructor(worker, pool, memory, listener) {
    this.worker = worker
    this.#pool = pool
    this.#memory = memory
    this.#listener = listener
  }
  /** Gives a thread of the pool this worker's task. */
  start(task) {
    const messages = new MessageChannel()
    const calls = new MessageChannel()
    this.#port = messages.port1
    this.#link = calls.port1
    this.#calls = wrap(calls.port1)
    this.#link.unref()
    this.isAlive = true
    this.isReady = false
    const { epoch } = this
    messages.port1.on('message', (message) => {
      if (message.epoch !== this.epoch) return
      if (message.type === 'started') this.threadId = message.threadId
      if (message.type === 'ready') this.isReady = true
      this.#listener.message(this, message)
    })
    messages.port1.unref()
    const given = { ...task, worker: this.worker.index, epoch, port: messages.port2, link: calls.port2 }
    this.#pool.run(given).then(
      () => this.#end(undefined),
      (error) => this.#end(error),
    )
  }
  /** Ends the thread at once; `over` follows when it is gone. */
  async kill() {
    if (this.threadId !== undefined) await this.#pool.terminate(this.threadId)
  }
  /** Calls the worker, by comlink. @returns undefined where it does not answer in time, or is gone */
  async call(act, deadlineMs = CALL_DEADLINE_MS) {
    if (!this.isAlive || this.#calls === undefined) return undefined
    const { words } = this.#memory
    const command = this.worker.control.offset / 4 + COMMAND
    // The loop of a sync stage runs no events of its own accord.
    store(words, command, load(words, command) | ATTEND)
    let timer
    try {
      const late = new Promise((resolve) => (timer = setTimeout(() => resolve(undefined), deadlineMs)))
      return await Promise.race([act(this.#calls).catch(() => undefined), late])
    } finally {
      clearTimeout(timer)
      store(words, command, load(words, command) & ~ATTEND)
    }
  }
  async #end(error) {
    // Until the thread is gone it might still write to shared memory.
    if (error !== undefined) await this.#pool.gone()
    this.isAlive = false
    this.threadId = undefined
    // Messages of the last moments: they were sent before the thread ended, and are delivered now.
    await new Promise((resolve) => setImmediate(resolve))
    this.#calls?.[releaseProxy]()
    this.#port?.close()
    this.#link?.close()
    this.#listener.over(this, error)
  }
}
