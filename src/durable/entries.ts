import { decodeValue, encodeValue } from '../codec/values.ts'
import { GROUP_HEAD_BYTES, type GroupPlace, groupBytes, sealGroup } from './groups.ts'

/**
 * The entries of a group: a byte for the kind, a word for the length of what follows.
 *
 *     OPENED   the head of a segment, as a value
 *     PUSHED   number (a float), node (its index in the head of the segment), a bit for each flag; then the record, as a value
 *     ENDED    runs of numbers: the first one (a float), and how many (a word)
 *     CURSOR   a `KeptCursor`, as a value
 *     CLOSED   the journal was closed: nothing follows
 */
const OPENED = 1
const PUSHED = 2
const ENDED = 3
const CURSOR = 4
const CLOSED = 5

const ENTRY_HEAD_BYTES = 5
const PUSHED_HEAD_BYTES = 8 + 2 + 1
const RUN_BYTES = 12
/** Flags of a pushed record: somebody waited for its answer; its value is a `MarkedRecord`. */
const IS_CALL = 1
const IS_MARKED = 2

/** The head of a segment: what is known of the time before it. */
export interface SegmentHead {
  readonly format: number
  /** Names the journal: two words, which the ids of its records are mixed from. */
  readonly journal: readonly [low: number, high: number]
  readonly graph: string
  readonly segment: number
  /** No record behind this head has a lower number. */
  readonly next: number
  /** Sources that are pushed into. */
  readonly nodes: readonly string[]
  readonly cursors: readonly KeptCursor[]
}

/** Where a source goes on: the cursor below which all records of one of its workers have ended. */
export interface KeptCursor {
  readonly node: string
  readonly worker: number
  /** How many workers share the source: with another number, each has other records. */
  readonly workers: number
  readonly cursor: Uint8Array
}

/** A record that was pushed with marks. */
export interface MarkedRecord {
  readonly value: unknown
  readonly cursor?: unknown
  readonly error?: unknown
  readonly flush?: boolean
  readonly id?: string | number
  readonly traceparent?: string
  readonly alone?: boolean
  readonly meta?: unknown
  readonly expiresAt?: number
}

/** A record as a segment keeps it. */
export interface PushedEntry {
  readonly number: number
  readonly node: number
  readonly isCall: boolean
  readonly isMarked: boolean
  /** Encoded. */
  readonly record: Uint8Array
}

export type JournalEntry =
  | { readonly kind: 'opened'; readonly head: SegmentHead }
  | { readonly kind: 'pushed'; readonly pushed: PushedEntry }
  | { readonly kind: 'ended'; readonly first: number; readonly count: number }
  | { readonly kind: 'cursor'; readonly cursor: KeptCursor }
  | { readonly kind: 'closed' }

/** Writes the entries of one group. */
export class GroupWriter {
  #bytes = Buffer.allocUnsafe(4_096)
  #at = GROUP_HEAD_BYTES

  get isEmpty(): boolean {
    return this.#at === GROUP_HEAD_BYTES
  }

  /** Bytes of the group, as far as it is written. */
  get length(): number {
    return groupBytes(this.#at - GROUP_HEAD_BYTES)
  }

  opened(head: SegmentHead): void {
    this.#value(OPENED, head)
  }

  pushed({ number, node, isCall, isMarked, record }: PushedEntry): void {
    const at = this.#entry(PUSHED, PUSHED_HEAD_BYTES + record.length)
    this.#bytes.writeDoubleLE(number, at)
    this.#bytes.writeUInt16LE(node, at + 8)
    this.#bytes[at + 10] = (isCall ? IS_CALL : 0) | (isMarked ? IS_MARKED : 0)
    this.#bytes.set(record, at + PUSHED_HEAD_BYTES)
  }

  /** @param numbers in any order; sorted here */
  ended(numbers: number[]): void {
    numbers.sort((a, b) => a - b)
    const runs: [first: number, count: number][] = []
    for (const number of numbers) {
      const last = runs.at(-1)
      if (last !== undefined && last[0] + last[1] === number) last[1]++
      else runs.push([number, 1])
    }
    let at = this.#entry(ENDED, runs.length * RUN_BYTES)
    for (const [first, count] of runs) {
      this.#bytes.writeDoubleLE(first, at)
      this.#bytes.writeUInt32LE(count, at + 8)
      at += RUN_BYTES
    }
  }

  cursor(cursor: KeptCursor): void {
    this.#value(CURSOR, cursor)
  }

  closed(): void {
    this.#entry(CLOSED, 0)
  }

  /** The finished group; its bytes are good until something is written again. */
  seal(place: GroupPlace): Buffer {
    const entries = this.#at - GROUP_HEAD_BYTES
    this.#room(8)
    return sealGroup(this.#bytes, entries, place)
  }

  #value(kind: number, value: unknown): void {
    const bytes = encodeValue(value)
    const at = this.#entry(kind, bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Begins an entry. @returns where its content goes */
  #entry(kind: number, length: number): number {
    this.#room(ENTRY_HEAD_BYTES + length)
    this.#bytes[this.#at] = kind
    this.#bytes.writeUInt32LE(length, this.#at + 1)
    const at = this.#at + ENTRY_HEAD_BYTES
    this.#at = at + length
    return at
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + bytes))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/** Reads the entries of a group. @throws RangeError, or what `decodeValue` throws, where they are none */
export function* readEntries(bytes: Buffer): Generator<JournalEntry> {
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at]!
    const content = bytes.subarray(at + ENTRY_HEAD_BYTES, at + ENTRY_HEAD_BYTES + bytes.readUInt32LE(at + 1))
    at += ENTRY_HEAD_BYTES + content.length
    if (kind === OPENED) yield { kind: 'opened', head: decodeValue(content) as SegmentHead }
    else if (kind === PUSHED) yield { kind: 'pushed', pushed: entryIn(content) }
    else if (kind === CURSOR) yield { kind: 'cursor', cursor: decodeValue(content) as KeptCursor }
    else if (kind === CLOSED) yield { kind: 'closed' }
    else if (kind !== ENDED) throw new RangeError(`entry of kind ${kind}`)
    else
      for (let run = 0; run < content.length; run += RUN_BYTES)
        yield { kind: 'ended', first: content.readDoubleLE(run), count: content.readUInt32LE(run + 8) }
  }
}

function entryIn(content: Buffer): PushedEntry {
  const flags = content[10]!
  return {
    number: content.readDoubleLE(0),
    node: content.readUInt16LE(8),
    isCall: (flags & IS_CALL) !== 0,
    isMarked: (flags & IS_MARKED) !== 0,
    record: content.subarray(PUSHED_HEAD_BYTES),
  }
}
