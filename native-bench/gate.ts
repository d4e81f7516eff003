import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { load, store } from '#src/atomics.js'
import { type Burst, moved } from './suite.ts'

/**
 * What the embedder and the threads of one contender share: how many records to move, and what arrived. Threads find it by
 * name, through the environment data that every new thread inherits.
 *
 *     0    TARGET  records asked for, over all bursts; FIRST: those before this burst. The embedder
 *     128  COUNT   records that arrived. The last thread
 *     256  START, END of the burst in ms of the shared clock, SUM, RATE, then what the last thread tells, as floats
 */
const TARGET = 0
const FIRST = 1
const COUNT = 32
const START = 32
const END = 33
const SUM = 34
const RATE = 35
const TOLD = 36
const BYTES = 384
const SLICE_MS = 2
const TIMEOUT_MS = 60_000

export class Gate {
  /** Source: index of the next record. */
  next = 0
  readonly #words: Int32Array
  readonly #floats: Float64Array
  #sum = 0
  #count = 0

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
    this.#floats = new Float64Array(buffer)
  }

  /** Source: how many of the next records to make now, at most `most`; 0 between two bursts. */
  allowed(most: number): number {
    const count = Math.min(most, load(this.#words, TARGET) - this.next)
    if (count > 0 && this.#floats[START] === 0) this.#floats[START] = performance.now()
    return count
  }

  /** Source: when a record of this burst is due; without a rate, when the burst began. */
  dueAt(index: number): number {
    const rate = this.#floats[RATE]!
    const start = this.#floats[START]!
    return rate === 0 ? start : start + (index - load(this.#words, FIRST)) / rate
  }

  /** Source: how many of the next records are due. */
  due(): number {
    const rate = this.#floats[RATE]!
    if (rate === 0) return Infinity
    // The first one is what starts the clock.
    if (this.#floats[START] === 0) return 1
    return Math.max(0, Math.floor((performance.now() - this.dueAt(this.next)) * rate) + 1)
  }

  /** The last thread, before the last record: further figures of the burst. */
  tell(figures: readonly number[]): void {
    this.#floats.set(figures, TOLD)
  }

  /** Embedder: what the last thread told. */
  told(figures: number): readonly number[] {
    return [...this.#floats.subarray(TOLD, TOLD + figures)]
  }

  /** The last thread: whether so many more records are the last ones of the burst. */
  isLast(count: number): boolean {
    return this.#count + count === load(this.#words, TARGET)
  }

  /** The last thread: so many more records arrived. */
  arrived(count: number, sum: number): void {
    this.#count += count
    this.#sum += sum
    if (this.#count !== load(this.#words, TARGET)) return
    this.#floats[SUM] = this.#sum
    this.#floats[END] = performance.now()
    store(this.#words, COUNT, this.#count)
  }

  /** Embedder: lets the source make so many more records. @returns how many it was asked for in all */
  ask(records: number, ratePerMs = 0): number {
    const first = load(this.#words, TARGET)
    this.#floats[START] = 0
    this.#floats[RATE] = ratePerMs
    store(this.#words, FIRST, first)
    store(this.#words, TARGET, first + records)
    return first + records
  }

  /**
   * Embedder: has so many records moved, and checks what arrived.
   * @param sumOfFirst sum of the first so many records of all, as they must arrive
   */
  async burst(records: number, sumOfFirst: (count: number) => number, ratePerMs = 0): Promise<Burst> {
    const deadline = performance.now() + TIMEOUT_MS
    const cpu = process.cpuUsage()
    const target = this.ask(records, ratePerMs)
    while (load(this.#words, COUNT) !== target) {
      if (performance.now() > deadline) throw new Error(`only ${load(this.#words, COUNT)} of ${target} records arrived`)
      await new Promise((resolve) => setTimeout(resolve, SLICE_MS))
    }
    const { user, system } = process.cpuUsage(cpu)
    if (this.#floats[SUM] !== sumOfFirst(target))
      throw new Error(`${target} records arrived whose sum is ${this.#floats[SUM]}, not ${sumOfFirst(target)}`)
    const cpuNs = ((user + system) * 1000) / records
    const { [START]: start = 0, [END]: end = 0 } = this.#floats
    return moved(records, end - start, { cpu: { value: cpuNs, unit: 'ns CPU/record' } })
  }
}

/** Makes a gate that threads started from now on find by `name`. */
export function makeGate(name: string): Gate {
  const buffer = new SharedArrayBuffer(BYTES)
  setEnvironmentData(`bench gate ${name}`, buffer)
  return new Gate(buffer)
}

/** In a thread: the gate of this name. */
export function gateOf(name: string): Gate {
  const buffer = getEnvironmentData(`bench gate ${name}`)
  // A graph is also loaded where nothing is measured: then there is nothing to move.
  return new Gate(buffer instanceof SharedArrayBuffer ? buffer : new SharedArrayBuffer(BYTES))
}
