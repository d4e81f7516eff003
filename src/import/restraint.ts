/** A worker takes no less of its time than this. */
const LEAST_SHARE = 1 / 16
const MOST_REST_MS = 5_000

/** How much of its time a worker gives to the database: half as much whenever the server is slow to answer, and by and by more when it is not. */
export class Restraint {
  readonly #limitMs: number
  #share = 1

  /** @param limitMs a server that takes longer for a question that asks nothing is slow */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  /** From 1, all of it, down to a sixteenth. */
  get share(): number {
    return this.#share
  }

  /** Tells how long the server took for a question that asks nothing. */
  see(latencyMs: number): void {
    this.#share = latencyMs > this.#limitMs ? Math.max(LEAST_SHARE, this.#share / 2) : Math.min(1, this.#share * 1.25)
  }

  /** How long to rest behind work of so many milliseconds. */
  restMs(workedMs: number): number {
    return Math.min(MOST_REST_MS, workedMs * (1 / this.#share - 1))
  }
}
