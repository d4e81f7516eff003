import { load, store } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import { VERSION, WORKERS } from '../memory/sizing.ts'

/**
 * How many workers a stage has: read by its workers and by those above it, stored by the supervisor alone. Its first workers, by
 * ordinal, are the ones that it has.
 */
export class SizingWords {
  readonly #words: Int32Array
  readonly #at: number

  constructor({ words }: Memory, offset: number) {
    this.#words = words
    this.#at = offset / 4
  }

  get version(): number {
    // RESIZE: pairs with the store in `resize`. The number of workers was stored before.
    return load(this.#words, this.#at + VERSION)
  }

  /** @param version the present one, or the one before */
  workers(version: number): number {
    return load(this.#words, this.#at + WORKERS + (version & 1))
  }

  /** Begins a new version; only once the one before is over (Z3). @returns it */
  resize(workers: number): number {
    const version = this.version + 1
    store(this.#words, this.#at + WORKERS + (version & 1), workers)
    store(this.#words, this.#at + VERSION, version)
    return version
  }

  /** The number of workers at the start, before there are any. */
  begin(workers: number): void {
    store(this.#words, this.#at + WORKERS, workers)
  }
}
