import type { Memory } from '../memory/memory.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import { RunningTime } from '../running-time.ts'
import { clearTimeout, setTimeout } from '../time.ts'
import { Drops } from './drops.ts'
import type { Events } from './events.ts'
import type { WorkerHandle } from './handle.ts'
import { Stall } from './stall.ts'
import { endHung } from './successors.ts'
import { Watchdog } from './watchdog.ts'

/** Between two looks after the workers: a part of the shortest time-out, within these. */
const LEAST_LOOK_MS = 5
const TIMED_LOOK_MS = 250
const MOST_LOOK_MS = 1_000

/** What a watch needs of the pipeline. */
interface WatchOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly events: Events
  readonly handles: readonly WorkerHandle[]
  readonly stallMs: number
}

/**
 * Looks after a running pipeline from time to time: ends hung workers, tells stalls and drops. Hung workers and stalls are told
 * by how long the process ran, not by how long ago it was.
 */
export class Watch {
  readonly #events: Events
  readonly #timed: readonly WorkerHandle[]
  readonly #watchdog: Watchdog
  readonly #stall: Stall
  readonly #drops: Drops
  /** Between two looks: usually, and at most. */
  readonly #usualMs: number
  readonly #mostMs: number
  #running = new RunningTime()
  #timer: NodeJS.Timeout | undefined

  constructor({ memory, plan, events, handles, stallMs }: WatchOptions) {
    this.#events = events
    this.#timed = handles.filter((handle) => timeoutOf(handle) > 0)
    this.#watchdog = new Watchdog(memory)
    this.#stall = new Stall(memory, plan, stallMs)
    this.#drops = new Drops(memory, plan)
    const untimedMs = Math.min(this.#drops.areAllowed ? TIMED_LOOK_MS : MOST_LOOK_MS, stallMs / 4)
    this.#mostMs = Math.max(LEAST_LOOK_MS, untimedMs)
    const timeouts = this.#timed.map((handle) => Math.min(TIMED_LOOK_MS, timeoutOf(handle) / 4))
    this.#usualMs = Math.max(LEAST_LOOK_MS, Math.min(this.#mostMs, ...timeouts))
  }

  begin(): void {
    this.#running = new RunningTime()
    this.#lookIn(this.#usualMs)
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  /** Another thread will be this worker. */
  forget(worker: WorkerPlan): void {
    this.#watchdog.forget(worker)
  }

  /** Tells what was dropped since the last time. */
  tellDrops(): void {
    if (!this.#drops.areAllowed) return
    for (const drop of this.#drops.look()) this.#events.emit('record.dropped', { ...drop })
  }

  #lookIn(afterMs: number): void {
    this.#timer = setTimeout(() => this.#look(afterMs), afterMs).unref()
  }

  #look(askedMs: number): void {
    const ranMs = this.#running.look(askedMs)
    // While all of them wait there is nothing to tell soon.
    const isQuiet = this.#timed.length > 0 && this.#timed.every(({ worker }) => this.#watchdog.isWaiting(worker))
    const nextMs = isQuiet ? Math.min(this.#mostMs, TIMED_LOOK_MS, 2 * askedMs) : this.#usualMs
    for (const handle of this.#timed) this.#lookIfHung(handle, ranMs)
    const stalled = this.#stall.look(ranMs)
    if (stalled !== undefined) this.#events.emit('pipeline.stalled', stalled)
    this.tellDrops()
    this.#lookIn(nextMs)
  }

  #lookIfHung(handle: WorkerHandle, ranMs: number): void {
    if (handle.threadId === undefined) return
    const forMs = this.#watchdog.hungForMs(handle.worker, timeoutOf(handle), ranMs)
    if (forMs === 0) return
    this.#watchdog.forget(handle.worker)
    endHung(handle, forMs, this.#events)
  }
}

/** 0: it has as long as it takes. */
function timeoutOf({ stage }: WorkerHandle): number {
  return stage.input?.timeoutMs ?? 0
}
