import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/** The ways in which a worker can be told to die. `terminate` comes from outside, at any instant. */
export const KINDS = ['terminate', 'exit', 'uncaught', 'heap', 'endless', 'native'] as const
export type Kind = (typeof KINDS)[number]

const MOST_WORKERS = 64
const RECEIPTS = 1 << 22

/**
 * What the threads of one round share beside the pipeline: orders to die, and where each source is to end. It outlives every
 * worker, as the pipeline's own memory does.
 *
 *     0              the sources may end
 *     1 …            the order for each worker: 0 none, n: kind n, -n: it is being carried out
 *     … MADE         for each worker: records that any life of this source has made
 *     … END          for each worker: at which record it ended; 0 while it has not
 *     … TOLD         for each record of the sources with `ack`: how often its receipt was told
 */
const ORDER = 1
const MADE: number = ORDER + MOST_WORKERS
const END: number = MADE + MOST_WORKERS
const TOLD: number = END + MOST_WORKERS

export class Orders {
  readonly #words: Int32Array

  private constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
  }

  /** New orders for the round of a seed, and for its workers that are started from here on. */
  static create(seed: number): Orders {
    const memory = new SharedArrayBuffer(4 * (TOLD + RECEIPTS))
    setEnvironmentData(keyOf(seed), memory)
    return new Orders(memory)
  }

  /** The orders of the round of a seed, in any thread. */
  static of(seed: number): Orders {
    return new Orders(getEnvironmentData(keyOf(seed)) as SharedArrayBuffer)
  }

  /** The round is over. */
  static drop(seed: number): void {
    setEnvironmentData(keyOf(seed), undefined)
  }

  give(worker: number, kind: Kind): void {
    Atomics.store(this.#words, ORDER + worker, KINDS.indexOf(kind))
  }

  /** Takes an order back. @returns false where it is being carried out already */
  takeBack(worker: number, kind: Kind): boolean {
    const number = KINDS.indexOf(kind)
    return Atomics.compareExchange(this.#words, ORDER + worker, number, 0) === number
  }

  isUnderWay(worker: number): boolean {
    return Atomics.load(this.#words, ORDER + worker) < 0
  }

  clear(worker: number): void {
    Atomics.store(this.#words, ORDER + worker, 0)
  }

  /** The order for a worker, which it carries out now, if it is one of these. */
  obey(worker: number, kinds: readonly Kind[] = KINDS): Kind | undefined {
    const number = Atomics.load(this.#words, ORDER + worker)
    if (number <= 0 || !kinds.includes(KINDS[number]!)) return undefined
    return Atomics.compareExchange(this.#words, ORDER + worker, number, -number) === number ? KINDS[number] : undefined
  }

  letSourcesEnd(): void {
    Atomics.store(this.#words, 0, 1)
  }

  /**
   * Whether a source ends before its record `n`. All lives of a source agree: it ends behind everything that any of them has
   * made, and where one has ended, all do.
   */
  endsBefore(worker: number, n: number): boolean {
    const end = Atomics.load(this.#words, END + worker)
    if (end > 0) return n >= end
    const made = Atomics.load(this.#words, MADE + worker)
    if (n < made) return false
    if (n > 0 && Atomics.load(this.#words, 0) === 1) {
      Atomics.store(this.#words, END + worker, n)
      return true
    }
    Atomics.store(this.#words, MADE + worker, n + 1)
    return false
  }

  /** Records that a source made in all; NaN while it has not ended. */
  end(worker: number): number {
    return Atomics.load(this.#words, END + worker) || Number.NaN
  }

  /** Records that a source made. */
  made(worker: number): number {
    return Atomics.load(this.#words, END + worker) || Atomics.load(this.#words, MADE + worker)
  }

  /** The receipt of a record; that of a far later one may be the same. */
  static receipt(worker: number, n: number): number {
    return (n * MOST_WORKERS + worker) % RECEIPTS
  }

  tell(receipt: number): void {
    Atomics.add(this.#words, TOLD + receipt, 1)
  }

  wasTold(receipt: number): boolean {
    return Atomics.load(this.#words, TOLD + receipt) > 0
  }
}

/** Rounds that overlap have orders of their own. */
function keyOf(seed: number): string {
  return `millrace.chaos.${seed}`
}
