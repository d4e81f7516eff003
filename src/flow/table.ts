import { allocateWords } from '../supervisor/memory.ts'
import { mix, mixed } from '../lane/ids.ts'
import { monotonicMs } from '../time.ts'
import { load, notify, store, waitAsync } from '#atomics'

/** Words of a line: which request it belongs to, and what it is told. */
const [TURN, COMMAND, LINE_WORDS] = [0, 1, 2]
const [PAUSE, STOP] = [1, 2]
/** Behind the lines: joins that have enough answers, by a mix of what names them. A later one may take the place of another. */
const DECISIONS = 4_096
const DECISION_WORDS = 2
/** Longer than any request waits; a wait is asked for again. */
const WAIT_MS = 86_400_000

/** Where a request stands in the table. */
export interface Place {
  readonly at: number
  readonly turn: number
}

/** Names one join of one request. */
export interface Decision extends Place {
  readonly node: string
  readonly path: string
}

/**
 * What requests are told, in shared memory: a line for each that may be open at once. The thread that called `runFlow` writes it;
 * every worker looks at its request's line before it calls a step.
 */
export class RequestTable {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #decisions: number
  /** The last word: until when requests may go on here, in ms of the monotonic clock, modulo 2^32; 0 where there is no such limit. */
  readonly #lease: number

  /** @param memory of a table that another thread has made */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#words = new Int32Array(memory)
    this.#lease = this.#words.length - 1
    this.#decisions = this.#lease - DECISIONS * DECISION_WORDS
  }

  static of(requests: number): RequestTable {
    return new RequestTable(allocateWords(LINE_WORDS * requests + DECISIONS * DECISION_WORDS + 1))
  }

  /** A request takes a free line. */
  open(at: number): Place {
    return { at, turn: load(this.#words, at * LINE_WORDS + TURN) }
  }

  /** Nothing of the request is left: the line is free. */
  close({ at, turn }: Place): void {
    store(this.#words, at * LINE_WORDS + TURN, (turn + 1) | 0)
    this.#command(at, 0)
  }

  stop({ at }: Place): void {
    this.#command(at, STOP)
  }

  /** No step of it is called until it goes on. A request that is stopped stays so. */
  pause({ at }: Place): void {
    if (load(this.#words, at * LINE_WORDS + COMMAND) !== STOP) this.#command(at, PAUSE)
  }

  resume({ at }: Place): void {
    if (load(this.#words, at * LINE_WORDS + COMMAND) === PAUSE) this.#command(at, 0)
  }

  isStopped(place: Place): boolean {
    return this.#commandOf(place) === STOP
  }

  isPaused(place: Place): boolean {
    return this.#commandOf(place) === PAUSE
  }

  /** No step of any request is called after this time, by the monotonic clock, unless it is moved before. */
  leaseUntil(ms: number): void {
    store(this.#words, this.#lease, Math.floor(ms) | 0 || 1)
  }

  get isLeaseOver(): boolean {
    const until = load(this.#words, this.#lease)
    return until !== 0 && ((until - monotonicMs()) | 0) < 0
  }

  /** Aborts `controller` when the request is stopped. Resolves when there is nothing more to wait for. */
  async abortOnStop(place: Place, controller: AbortController): Promise<void> {
    const word = place.at * LINE_WORDS + COMMAND
    while (this.#isOpen(place.at, place.turn) && !controller.signal.aborted) {
      const command = load(this.#words, word)
      if (this.isStopped(place)) return controller.abort()
      const waited = waitAsync(this.#words, word, command, WAIT_MS)
      if (waited.async) await waited.value
    }
  }

  /**
   * A join has enough answers. Several workers may write here: where two joins meet in one place, one of them is forgotten, and those
   * who make answers for it go on for nothing.
   */
  decide(decision: Decision): void {
    const { word, low, high } = this.#decision(decision)
    store(this.#words, word + 1, 0)
    store(this.#words, word, low)
    store(this.#words, word + 1, high)
    notify(this.#words, word + 1)
  }

  isDecided(decision: Decision): boolean {
    const { word, low, high } = this.#decision(decision)
    return load(this.#words, word) === low && load(this.#words, word + 1) === high
  }

  async abortOnDecision(decision: Decision, controller: AbortController): Promise<void> {
    const { word } = this.#decision(decision)
    while (this.#isOpen(decision.at, decision.turn) && !controller.signal.aborted) {
      const seen = load(this.#words, word + 1)
      if (this.isDecided(decision)) return controller.abort()
      const waited = waitAsync(this.#words, word + 1, seen, WAIT_MS)
      if (waited.async) await waited.value
    }
  }

  #commandOf({ at, turn }: Place): number {
    return this.#isOpen(at, turn) ? load(this.#words, at * LINE_WORDS + COMMAND) : 0
  }

  /** Where a decision stands, and the 64 bits by which it is known there: so are all ids here. */
  #decision({ at, turn, path, node }: Decision): { word: number; low: number; high: number } {
    mix(at, turn, 1)
    const name = `${node}${path}`
    for (let i = 0; i < name.length; i++) mix(mixed.low, mixed.high, name.charCodeAt(i))
    const place = (mixed.low & (DECISIONS - 1)) * DECISION_WORDS
    return { word: this.#decisions + place, low: mixed.low, high: mixed.high || 1 }
  }

  #isOpen(at: number, turn: number): boolean {
    return load(this.#words, at * LINE_WORDS + TURN) === turn
  }

  #command(at: number, command: number): void {
    store(this.#words, at * LINE_WORDS + COMMAND, command)
    notify(this.#words, at * LINE_WORDS + COMMAND)
  }
}
