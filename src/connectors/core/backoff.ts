import { clearTimeout, setTimeout } from '../../time.ts'

const FIRST_MS = 50
const MOST_MS = 5_000

/** Pauses between tries to reach a server: each twice as long as the one before, with a random part. */
export class Backoff {
  #next = FIRST_MS

  /** The last try was a success. */
  reset(): void {
    this.#next = FIRST_MS
  }

  /** Resolves after the next pause, or at once when `signal` is aborted. */
  pause(signal: AbortSignal): Promise<void> {
    const ms = this.#next * (0.75 + Math.random() / 2)
    this.#next = Math.min(MOST_MS, this.#next * 2)
    return pause(ms, signal)
  }
}

/** Resolves after so long, or when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
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
): Promise<T> {
  const backoff = new Backoff()
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error
      await backoff.pause(signal)
    }
  }
}
