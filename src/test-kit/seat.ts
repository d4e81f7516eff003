import type { WorkerPlan } from '../plan/types.ts'
import type { CodeGuard } from './guard.ts'
import type { Life } from './life.ts'
import type { Random } from './random.ts'

/** The place of a worker in one of its lives: there before the life is made, which may already do things. */
export interface Seat extends CodeGuard {
  readonly worker: WorkerPlan
  readonly epoch: number
  readonly state: unknown
  isDead: boolean
  life: Life | undefined
}

/** An answer that waits for its turn. */
interface Answer {
  readonly seat: Seat
  readonly act: () => void
}

/** What handlers have answered, until the scheduler lets it arrive. */
export class AnswerQueue {
  readonly #waiting: Answer[] = []

  get count(): number {
    return this.#waiting.length
  }

  add(answer: Answer): void {
    this.#waiting.push(answer)
  }

  /** Takes any one of them. */
  take(random: Random): Answer {
    return this.#waiting.splice(random.between(0, this.#waiting.length - 1), 1)[0]!
  }

  /** Forgets those of one that is dead. */
  drop(seat: Seat): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) if (this.#waiting[i]!.seat === seat) this.#waiting.splice(i, 1)
  }
}
