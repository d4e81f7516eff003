import { allocateWords } from '../supervisor/memory.ts'
import { load, notify, store, waitAsync } from '#atomics'

/** Words of a line: which request it belongs to, and what it is told. */
const [TURN, COMMAND, LINE_WORDS] = [0, 1, 2]
const STOP = 2
/** Longer than any request waits; a wait is asked for again. */
const WAIT_MS = 86_400_000

/** Where a request stands in the table. */
export interface Place {
  readonly at: number
  readonly turn: number
}

/**
 * What requests are told, in shared memory: a line for each that may be open at once. The thread that called `runFlow` writes it;
 * every worker looks at its request's line before it calls a step.
 */
export class RequestTable {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array

  /** @param memory of a table that another thread has made */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  static of(requests: number): RequestTable {
    return new RequestTable(allocateWords(LINE_WORDS * requests))
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

  isStopped({ at, turn }: Place): boolean {
    return load(this.#words, at * LINE_WORDS + COMMAND) === STOP && this.#isOpen(at, turn)
  }

  /** Aborts `controller` when the request is stopped. Resolves when there is nothing more to wait for. */
  async abortOnStop({ at, turn }: Place, controller: AbortController): Promise<void> {
    const command = at * LINE_WORDS + COMMAND
    while (this.#isOpen(at, turn) && !controller.signal.aborted) {
      if (this.isStopped({ at, turn })) return controller.abort()
      const waited = waitAsync(this.#words, command, 0, WAIT_MS)
      if (waited.async) await waited.value
    }
  }

  #isOpen(at: number, turn: number): boolean {
    return load(this.#words, at * LINE_WORDS + TURN) === turn
  }

  #command(at: number, command: number): void {
    store(this.#words, at * LINE_WORDS + COMMAND, command)
    notify(this.#words, at * LINE_WORDS + COMMAND)
  }
}
