import { formatId, mix, mixed } from '../lane/ids.ts'
import type { ChunkHeader } from '../lane/writer.ts'

export const NO_ANCHORS: readonly number[] = Object.freeze([])

/** A chunk in a worker's hands: its header, and its records as values. Reused. */
export class Chunk implements ChunkHeader {
  slot = 0
  furtherAnchors: readonly number[] = NO_ANCHORS
  baseLow = 0
  baseHigh = 0
  first = 0
  salt = 0
  /** Failed attempts before this one. */
  attempt = 0
  trace = 0
  /** It came from a lane, and not from the stash. */
  isOnLane = false
  count = 0
  /** Records that are done already: the work goes on behind them. */
  from = 0
  stamp = 0
  /** A new array for each chunk, or a view of the lane, until the chunk is released. */
  values: ArrayLike<unknown> = []

  take(header: ChunkHeader): void {
    this.slot = header.slot
    this.furtherAnchors = header.furtherAnchors
    this.baseLow = header.baseLow
    this.baseHigh = header.baseHigh
    this.first = header.first
    this.salt = header.salt
    this.attempt = header.attempt
    this.trace = header.trace
    this.isOnLane = false
  }
}

/** One record of a batch: the chunk that it counts for, and its place in it. */
export interface Member {
  readonly header: ChunkHeader
  readonly index: number
}

/** What is sent together, and lay apart: asked for only where it is traced. */
export interface Composed {
  /** Of a batch: where each of its records counts. */
  members?(): readonly Member[]
  /** The records as they were taken. */
  records?(): ArrayLike<unknown>
}

/** The header of one record of a chunk as a chunk of its own: the record keeps its id, the chunk has one of its own. */
export function headerOf(chunk: ChunkHeader, index: number, attempt: number): ChunkHeader {
  const { slot, furtherAnchors, baseLow, baseHigh, first, salt, trace } = chunk
  const own = { first: (first + index) | 0, salt: partSalt(salt, index) }
  return { slot, furtherAnchors, baseLow, baseHigh, ...own, attempt, trace }
}

/** The header under which the records of a chunk from `from` on are sent, apart from those before. */
export function portionOf(chunk: ChunkHeader, from: number): ChunkHeader {
  const { slot, furtherAnchors, baseLow, baseHigh, first, salt, attempt, trace } = chunk
  return { slot, furtherAnchors, baseLow, baseHigh, first, salt: partSalt(salt, from), attempt, trace }
}

/** The salt of a part of a chunk, apart from the whole's and from other parts'. */
export function partSalt(salt: number, part: number): number {
  return (Math.imul(salt ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b)) | 1
}

/** Computes the id of a record into `mixed`. */
export function idOf(header: ChunkHeader, index: number): void {
  mix(header.baseLow, header.baseHigh, (header.first + index) | 0)
}

/** The id of a record as handlers and events show it: 16 hexadecimal digits. */
export function recordIdOf(header: ChunkHeader, index: number): string {
  idOf(header, index)
  return formatId(mixed.low, mixed.high)
}

/** The id that the acks follow a chunk by, in `mixed`. */
export function tokenOf(header: ChunkHeader): void {
  mix(header.baseLow, header.baseHigh, header.first)
  if (header.salt !== 0) mix(mixed.low, mixed.high, header.salt)
}

/** Makes the base of what comes of a chunk, in `mixed`: no other chunk has it, and a replay makes it again. */
export function deriveBase(header: ChunkHeader, place: number): void {
  tokenOf(header)
  mix(mixed.low, mixed.high, place)
}
