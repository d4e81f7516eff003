import { wallMs } from '../time.ts'
/** A record that was given up, as the pipeline remembers it. */
export interface DeadLetter {
  /** Counts up from 1 within the pipeline. */
  readonly id: number
  /** The record's stable id, as its handler sees it in `context.id`; absent where it was one of a batch. */
  readonly recordId?: string
  readonly node: string
  readonly worker: number
  /** Time, in ms since 1970. */
  readonly at: number
  /** It was nacked, or went to an error or dead-letter edge. */
  readonly outcome: 'failed' | 'deadLettered'
  readonly attempts: number
  readonly error: {
    readonly name: string
    readonly message: string
    readonly stack?: string
    readonly code?: string | undefined
  }
  /** The record; absent where it could not be sent to this thread. */
  readonly input?: unknown
}

/** The last records that were given up: a bounded list in memory. The oldest make room for new ones. */
export class DeadLetters {
  /** All that were ever told, kept or not. */
  total = 0
  readonly #kept = new Map<number, DeadLetter>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(letter: Omit<DeadLetter, 'id' | 'at'> & { suppressed?: number }): void {
    const { suppressed = 0, ...kept } = letter
    this.total += 1 + suppressed
    if (this.#most === 0) return
    const id = this.total
    this.#kept.set(id, { ...kept, id, at: wallMs() })
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value!)
  }

  /** Those that are kept, newest first. */
  list({
    node,
    limit = Infinity,
    before = Infinity,
  }: { node?: string; limit?: number; before?: number } = {}): DeadLetter[] {
    const found = [...this.#kept.values()].filter(
      (letter) => letter.id < before && (node === undefined || letter.node === node),
    )
    return found.toReversed().slice(0, limit)
  }

  get(id: number): DeadLetter | undefined {
    return this.#kept.get(id)
  }

  /** Forgets one, or all. @returns how many */
  purge(id?: number): number {
    if (id !== undefined) return this.#kept.delete(id) ? 1 : 0
    const { size } = this.#kept
    this.#kept.clear()
    return size
  }
}
