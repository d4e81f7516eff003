import { monotonicMs, sleep } from '../time.ts'

/** Holds rows to so many in a second. */
export class Pace {
  readonly #msPerRow: number
  #dueMs = 0

  constructor(rowsPerSecond: number) {
    this.#msPerRow = 1_000 / rowsPerSecond
  }

  /** How long the next rows have to wait, behind so many. What was not used up is not made up for. */
  waitMs(rows: number, nowMs: number): number {
    this.#dueMs = Math.max(this.#dueMs, nowMs) + rows * this.#msPerRow
    return this.#dueMs - nowMs
  }

  /** Resolves when the next rows may go, or when it is aborted. */
  async after(rows: number, signal: AbortSignal): Promise<void> {
    await sleep(this.waitMs(rows, monotonicMs()), signal)
  }
}
