import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Methods } from './instance-process.js'

const PROGRAM = fileURLToPath(new URL('instance-process.js', import.meta.url))

/** What an instance's process is told, and what it says. */
export interface Asked {
  readonly n: number
  readonly method: keyof Methods
  readonly args: readonly unknown[]
}
export type Answered = { readonly n: number } & (
  | { readonly value: unknown }
  | { readonly error: { readonly code: string; readonly message: string } }
)

interface InstanceOptions {
  readonly address: string
  readonly role: 'all' | 'api' | 'worker'
  readonly leaseMs?: number
  readonly keepRequests?: number
}

/** An instance of `spread` in a process of its own. */
export class Instance {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: any) => void; reject: (error: Error) => void }>()
  #asked = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (said: Answered | 'ready') => {
      if (said === 'ready') return
      const { resolve, reject } = this.#waiting.get(said.n)!
      this.#waiting.delete(said.n)
      if ('value' in said || !('error' in said)) resolve((said as { value?: unknown }).value)
      else reject(Object.assign(new Error(said.error.message), { code: said.error.code }))
    })
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(Object.assign(new Error('killed'), { code: 'KILLED' }))
    })
  }

  static async start({ leaseMs = 30_000, keepRequests = 1_000, ...options }: InstanceOptions): Promise<Instance> {
    const child = fork(PROGRAM, [JSON.stringify({ ...options, leaseMs, keepRequests })], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const instance = new Instance(child)
    const isReady = once(child, 'message').then(() => true)
    if (!(await Promise.race([isReady, once(child, 'exit').then(() => false)]))) throw new Error('it did not start')
    return instance
  }

  get pid(): number {
    return this.#child.pid!
  }

  ask<Method extends keyof Methods>(
    method: Method,
    ...args: Parameters<Methods[Method]>
  ): Promise<Awaited<ReturnType<Methods[Method]>>> {
    const n = this.#asked++
    const answer = new Promise<Awaited<ReturnType<Methods[Method]>>>((resolve, reject) =>
      this.#waiting.set(n, { resolve, reject }),
    )
    this.#child.send({ n, method, args } satisfies Asked)
    // Whoever waits for it learns of it there.
    answer.catch(() => undefined)
    return answer
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends the process at once, whatever it does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** Drains the flow, and ends the process. */
  async drain(): Promise<void> {
    await this.ask('drain')
    await this.kill()
  }
}
