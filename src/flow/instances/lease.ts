import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { within } from '../../running-time.ts'
import { clearTimeout, monotonicMs, setTimeout, sleep } from '../../time.ts'
import type { SharedFlowStore } from '../store/shared-store.ts'
import type { RequestTable } from '../table.ts'

/** Of the time of a lease, what this process uses: clocks differ a little, and a step starts a little after it was allowed. */
const USED = 0.95
const RENEWALS = 3
/** Between two tries while the store is away. */
const AGAIN_MS = 250
/** A store that does not answer for so long is left to itself at the end. */
const CLOSE_MS = 2_000

/**
 * The right of this process to run requests, for `leaseMs` since the last renewal was sent. Once it is over, the process has lost all
 * that it had, and begins again by a new name.
 */
export class Lease {
  readonly #store: SharedFlowStore
  readonly #table: RequestTable
  readonly #leaseMs: number
  readonly #onLost: () => void
  #instance = instanceName()
  #until = -Infinity
  #over: NodeJS.Timeout | undefined
  readonly #closed = new AbortController()
  #kept: Promise<void> = Promise.resolve()

  /** @param onLost is called when others may take what this process has */
  constructor(store: SharedFlowStore, table: RequestTable, leaseMs: number, onLost: () => void) {
    this.#store = store
    this.#table = table
    this.#leaseMs = leaseMs
    this.#onLost = onLost
  }

  /** By what the store knows this process; another one after each loss. */
  get instance(): string {
    return this.#instance
  }

  get isHeld(): boolean {
    return !this.#closed.signal.aborted && monotonicMs() < this.#until
  }

  /** @throws what the store says */
  async start(): Promise<void> {
    await this.#register()
    this.#kept = this.#keep()
  }

  /** Others can take at once whatever this process still has. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    clearTimeout(this.#over)
    this.#table.leaseUntil(monotonicMs())
    await this.#kept
    // A store that is away finds out when the lease is over.
    await within(CLOSE_MS, this.#store.leave(this.#instance)).catch(() => undefined)
  }

  async #register(): Promise<void> {
    const sentAt = monotonicMs()
    await this.#store.register(this.#instance, this.#leaseMs)
    this.#extend(sentAt)
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closed
    let waitMs = this.#leaseMs / RENEWALS
    for (;;) {
      await sleep(waitMs, signal)
      if (signal.aborted) return
      const isKnown = await this.#tryTo(() => this.#renew())
      if (isKnown === false || !this.isHeld) await this.#tryTo(() => this.#beginAgain())
      waitMs =
        this.isHeld && isKnown !== undefined ? this.#leaseMs / RENEWALS : Math.min(AGAIN_MS, this.#leaseMs / RENEWALS)
    }
  }

  async #renew(): Promise<boolean> {
    const sentAt = monotonicMs()
    const isKnown = await this.#store.renew(this.#instance, this.#leaseMs)
    // What was let go stays so.
    if (isKnown && this.isHeld) this.#extend(sentAt)
    return isKnown
  }

  async #beginAgain(): Promise<void> {
    this.#lose()
    await this.#store.leave(this.#instance)
    this.#instance = instanceName()
    await this.#register()
  }

  #extend(sentAt: number): void {
    if (this.#closed.signal.aborted) return
    this.#until = sentAt + this.#leaseMs * USED
    this.#table.leaseUntil(this.#until)
    clearTimeout(this.#over)
    this.#over = setTimeout(() => this.#lose(), Math.max(0, this.#until - monotonicMs()))
  }

  #lose(): void {
    clearTimeout(this.#over)
    this.#until = -Infinity
    this.#onLost()
  }

  /** @returns undefined where the store does not answer, or says no */
  async #tryTo<T>(act: () => Promise<T>): Promise<T | undefined> {
    return within(this.#leaseMs, act()).catch(() => undefined)
  }
}

function instanceName(): string {
  return `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
}
