import type { Sql } from 'postgres'
import { within } from '../../running-time.ts'
import { sleep } from '../../time.ts'
import { SCHEMA_LOCK, clientsOf } from './postgres-client.ts'

/** Between two tries to connect, in seconds: the shortest lease lasts a few of them. */
const backoff = (): number => 0.1
/** Saves, looks and news of an instance do not wait for each other. */
const CONNECTIONS = 4
/** A server that has not answered after this time is asked over other connections. */
const ANSWER_MS = 10_000
/** While a connection closes, the package loses what it is asked: nothing is asked at once again. */
const CLOSING_MS = 20

interface Clients {
  readonly sql: Sql
  /** Holds the lock, and renews instances: nothing else may keep that waiting. */
  readonly guard: Sql
}

/** The connections of one process to a store that others use too. */
export class SharedConnection {
  readonly #connect: Awaited<ReturnType<typeof clientsOf>>
  readonly #channel: string
  readonly #listeners = new Set<(text: string) => void>()
  #clients: Clients
  #locked: Promise<void> | undefined
  #isListening = false
  #isClosed = false

  private constructor(connect: Awaited<ReturnType<typeof clientsOf>>, channel: string) {
    this.#connect = connect
    this.#channel = channel
    this.#clients = this.#open()
  }

  /** @throws TRACE_STORE_NOT_INSTALLED */
  static async to(url: string, channel: string): Promise<SharedConnection> {
    return new SharedConnection(await clientsOf(url), channel)
  }

  /** What the server answers, while no process uses the store alone. */
  async ask<T>(act: (clients: Clients) => Promise<T>): Promise<T> {
    const clients = this.#clients
    const answer = this.#ready(clients).then(async () => ({ value: await act(clients) }))
    const said = await within(ANSWER_MS, answer).catch(async (error: unknown) => {
      await sleep(CLOSING_MS)
      throw error
    })
    if (said !== undefined) return said.value
    if (clients === this.#clients && !this.#isClosed) this.#clients = this.#open()
    void end(clients, 0)
    throw new Error('the server does not answer')
  }

  /** Nobody tells of what was said while the connection was away. */
  listen(onText: (text: string) => void): () => void {
    this.#listeners.add(onText)
    return () => this.#listeners.delete(onText)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await end(this.#clients, 5)
  }

  #open(): Clients {
    this.#locked = undefined
    this.#isListening = false
    const guard = this.#connect({ backoff, onClose: () => clients === this.#clients && (this.#locked = undefined) })
    const clients = { guard, sql: this.#connect({ connections: CONNECTIONS, backoff }) }
    return clients
  }

  #ready(clients: Clients): Promise<void> {
    if (clients !== this.#clients) return Promise.reject(new Error('the connection was closed'))
    if (!this.#isListening) void this.#hear(clients)
    if (this.#locked !== undefined) return this.#locked
    const locked = lock(clients).catch((error: unknown) => {
      if (this.#locked === locked) this.#locked = undefined
      throw error
    })
    return (this.#locked = locked)
  }

  async #hear({ sql }: Clients): Promise<void> {
    const tell = (text: string): void => {
      for (const listener of this.#listeners) listener(text)
    }
    this.#isListening = true
    try {
      // The package listens again after it has connected again.
      await sql.listen(this.#channel, tell)
    } catch {
      this.#isListening = false
    }
  }
}

async function lock({ guard }: Clients): Promise<void> {
  const [row] = await guard<{ taken: boolean }[]>`select pg_try_advisory_lock_shared(${SCHEMA_LOCK}) as taken`
  if (row?.taken !== true) throw new Error('a process uses it alone')
}

async function end({ sql, guard }: Clients, seconds: number): Promise<void> {
  await Promise.allSettled([sql.end({ timeout: seconds }), guard.end({ timeout: seconds })])
}
