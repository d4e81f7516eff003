import { errorText } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { sleep } from '../../time.ts'

const FIRST_MS = 50
const MOST_MS = 5_000

/** Whether a worker reaches its server: it says so once all of its tries that failed have succeeded or ended. */
export class Reach {
  readonly #say: (reason: string | undefined) => void
  readonly #failing = new Set<object>()

  constructor({ degraded }: Pick<SetupContext, 'degraded'>) {
    this.#say = degraded
  }

  fails(who: object, reason: string): void {
    if (this.#failing.size === 0) this.#say(reason)
    this.#failing.add(who)
  }

  works(who: object): void {
    if (this.#failing.delete(who) && this.#failing.size === 0) this.#say(undefined)
  }
}

/** Pauses between tries to reach a server: each twice as long as the one before, with a random part. */
export class Backoff {
  readonly #reach: Reach | undefined
  #next = FIRST_MS

  /** @param reach is told of the second failure in a row: one alone says nothing */
  constructor(reach?: Reach) {
    this.#reach = reach
  }

  /** The last try was a success, or there is no further one. */
  reset(): void {
    this.#next = FIRST_MS
    this.#reach?.works(this)
  }

  /** Resolves after the next pause, or at once when `signal` is aborted. */
  pause(signal: AbortSignal, cause?: unknown): Promise<void> {
    if (this.#next > FIRST_MS)
      this.#reach?.fails(this, cause === undefined ? 'the server cannot be reached' : errorText(cause).message)
    const ms = this.#next * (0.75 + Math.random() / 2)
    this.#next = Math.min(MOST_MS, this.#next * 2)
    return sleep(ms, signal)
  }
}

/**
 * Does what a server confirms, again until it is done: the server may be away for a while, and then back-pressure is all that
 * happens. What is done twice must be the same as done once.
 * @param isPassing whether an error says only that the server was out of reach
 * @throws the other errors, and the last one when `signal` is aborted
 */
export async function untilConfirmed<T>(
  act: () => Promise<T>,
  isPassing: (error: unknown) => boolean,
  signal: AbortSignal,
  reach?: Reach,
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    return untilConfirmedAgain(error, act, isPassing, signal, reach)
  }
}

/**
 * The same after a first try that failed.
 * @param error of that try
 */
export async function untilConfirmedAgain<T>(
  error: unknown,
  act: () => Promise<T>,
  isPassing: (error: unknown) => boolean,
  signal: AbortSignal,
  reach?: Reach,
): Promise<T> {
  const backoff = new Backoff(reach)
  try {
    for (let last = error; ;) {
      if (signal.aborted || !isPassing(last)) throw last
      await backoff.pause(signal, last)
      try {
        return await act()
      } catch (next) {
        last = next
      }
    }
  } finally {
    backoff.reset()
  }
}
