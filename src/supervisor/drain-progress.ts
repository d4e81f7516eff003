import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'
import { readMovement } from '../telemetry/snapshot.ts'
import { clearInterval, monotonicMs, setInterval } from '../time.ts'
import type { Events } from './events.ts'

/** How far a drain is. */
export interface DrainStatus {
  /** Source records that are still in flight, and that were when it began. */
  readonly left: number
  readonly atFirst: number
  readonly forMs: number
  /** Until the deadline. */
  readonly leftMs: number
}

const EVERY_MS = 1_000

/** Follows a drain, and tells each second how many records are left. */
export class DrainProgress {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #since = monotonicMs()
  readonly #deadlineMs: number
  readonly #atFirst: number
  readonly #timer: NodeJS.Timeout

  constructor(memory: Memory, plan: Plan, deadlineMs: number, events: Events) {
    this.#memory = memory
    this.#plan = plan
    this.#deadlineMs = deadlineMs
    this.#atFirst = this.#left()
    this.#timer = setInterval(() => events.emit('pipeline.drainProgress', { ...this.status }), EVERY_MS).unref()
  }

  get status(): DrainStatus {
    const forMs = monotonicMs() - this.#since
    return { left: this.#left(), atFirst: this.#atFirst, forMs, leftMs: Math.max(0, this.#deadlineMs - forMs) }
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #left(): number {
    return readMovement(this.#memory, this.#plan).inFlight
  }
}
