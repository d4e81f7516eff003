import { Deserializer, Serializer } from 'node:v8'
import type { ErrorData } from '../errors.ts'
import { cutText } from '../shown.ts'
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
  readonly error: ErrorData
  /**
   * The record, made anew at each look; absent where it could not be sent to this thread, or is larger than
   * `deadLetterBytes`.
   */
  readonly input?: unknown
  /** Bytes that the letter takes here, its record included. */
  readonly bytes: number
}

/** The text and the trace of an error are cut here. */
const TEXT_BYTES = 65_536
/** What a letter takes beside its texts and its record. */
const LETTER_BYTES = 512

/**
 * The last records that were given up: a list in memory, bounded in number and in bytes. The oldest make room for new ones.
 * Records are kept encoded, so that their bytes are known.
 */
export class DeadLetters {
  /** All that were ever told, kept or not. */
  total = 0
  /** Letters that made room for newer ones. */
  dropped = 0
  /** What the letters here take. */
  bytes = 0
  readonly #kept = new Map<number, DeadLetter>()
  readonly #most: number
  readonly #mostBytes: number

  constructor(most: number, mostBytes = Infinity) {
    this.#most = most
    this.#mostBytes = mostBytes
  }

  add({ suppressed = 0, ...told }: Omit<DeadLetter, 'id' | 'at' | 'bytes'> & { readonly suppressed?: number }): void {
    this.total += 1 + suppressed
    if (this.#most === 0) return
    const letter = letterOf(this.total, told, this.#mostBytes)
    this.#kept.set(letter.id, letter)
    this.bytes += letter.bytes
    for (const [id, oldest] of this.#kept) {
      if (this.#kept.size <= this.#most && this.bytes <= this.#mostBytes) return
      this.#forget(id, oldest)
      this.dropped++
    }
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

  /** The same letter is the same object for as long as it is kept. */
  get(id: number): DeadLetter | undefined {
    return this.#kept.get(id)
  }

  /** Forgets one, or all. @returns how many */
  purge(id?: number): number {
    if (id !== undefined) {
      const letter = this.#kept.get(id)
      if (letter !== undefined) this.#forget(id, letter)
      return letter === undefined ? 0 : 1
    }
    const { size } = this.#kept
    this.#kept.clear()
    this.bytes = 0
    return size
  }

  #forget(id: number, { bytes }: DeadLetter): void {
    this.#kept.delete(id)
    this.bytes -= bytes
  }
}

function letterOf(id: number, told: Omit<DeadLetter, 'id' | 'at' | 'bytes'>, mostBytes: number): DeadLetter {
  const { input, error, ...rest } = told
  const { message, stack } = error
  const kept = {
    ...error,
    message: cutText(message, TEXT_BYTES),
    ...(stack === undefined ? {} : { stack: cutText(stack, TEXT_BYTES) }),
  }
  const ownBytes = LETTER_BYTES + 2 * (kept.message.length + (kept.stack?.length ?? 0))
  const found = 'input' in told ? encoded(input) : undefined
  const record = found !== undefined && ownBytes + found.length <= mostBytes ? found : undefined
  const letter = { ...rest, id, at: wallMs(), error: kept, bytes: ownBytes + (record?.length ?? 0) }
  return record === undefined
    ? letter
    : Object.defineProperty(letter, 'input', { get: () => decoded(record), enumerable: true })
}

/** As a record crosses threads; nothing where it holds what cannot, and in Bun, which has no `Serializer`. */
function encoded(value: unknown): Uint8Array | undefined {
  try {
    const writer = new Serializer()
    writer.writeHeader()
    writer.writeValue(value)
    // A copy: what the writer gives away has room to grow.
    return new Uint8Array(writer.releaseBuffer())
  } catch {
    return undefined
  }
}

function decoded(bytes: Uint8Array): unknown {
  const reader = new Deserializer(bytes)
  reader.readHeader()
  return reader.readValue() as unknown
}
