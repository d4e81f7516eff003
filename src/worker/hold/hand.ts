import { load } from '#atomics'
import { mixed, unmix } from '../../lane/ids.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import {
  CALLED,
  COUNT,
  DOUBT_COUNT,
  DOUBT_HIGH,
  DOUBT_INDEX,
  DOUBT_LOW,
  HELD_BATCH,
  HOLDING,
  HOLDS_BATCH,
  HOLDS_NOTHING,
  HOLDS_RECORD,
  HOLDS_SEVERAL,
  ID_HIGH,
  ID_LOW,
  INDEX,
  PLACES,
  READING,
  READ_COUNT,
  READ_HIGH,
  READ_INDEX,
  READ_LOW,
  RESUME_HIGH,
  RESUME_LOW,
  RESUMING,
  SEGMENT,
  SEGMENTS,
  SUSPECT,
  SUSPECTS,
  SUSPECT_WORDS,
  COMPLETED_BY,
} from '../../memory/hand.ts'
import type { HandLayout } from '../../plan/types.ts'
import { idOf, tokenOf } from '../chunk.ts'

/** Where the worker says what its handler works on. Plain stores: they are read after its death only, or by a watchdog. */
export class Hand {
  /** The chunk in hand is half sent, and a successor has to take it up first. */
  isResuming: boolean
  /** How many suspects the supervisor has found in earlier lives of this worker. */
  readonly suspects: number
  /** A suspect was taken up: what is done must be handed off before the next one ends this life too. */
  hasMetSuspect = false
  readonly #words: Int32Array
  readonly #at: number
  readonly #timed: boolean
  #places = 0

  constructor(memory: Memory, layout: HandLayout, timed: boolean) {
    this.#words = memory.words
    this.#at = layout.offset / 4
    this.#timed = timed
    this.suspects = load(this.#words, this.#at + SUSPECTS)
    this.isResuming = load(this.#words, this.#at + RESUMING) === 1
    // What an earlier life held is not in this one's hand: a death before it is taken up again is not its fault.
    const held = this.#words[this.#at + HOLDING]
    this.#words[this.#at + HOLDING] = held === HOLDS_BATCH || held === HELD_BATCH ? HELD_BATCH : HOLDS_NOTHING
    this.#words[this.#at + PLACES] = 0
    this.#words[this.#at + READING] = 0
  }

  /** The chunk whose records are taken up next, one after the other. */
  open({ baseLow, baseHigh }: ChunkHeader): void {
    this.#words[this.#at + ID_LOW] = baseLow
    this.#words[this.#at + ID_HIGH] = baseHigh
  }

  /** The record that the handler gets now: its index under the chunk's base. */
  hold(index: number): void {
    this.#words[this.#at + INDEX] = index
    if (this.#timed) this.#words[this.#at + CALLED]!++
    this.#words[this.#at + HOLDING] = HOLDS_RECORD
  }

  /** Records of the open chunk are sent now, the first one with this index. */
  holdSeveral(index: number, count: number): void {
    if (count === 1) return this.hold(index)
    this.#words[this.#at + INDEX] = index
    this.#words[this.#at + COUNT] = count
    this.#words[this.#at + HOLDING] = HOLDS_SEVERAL
  }

  /** A record by its whole header: it is put away, or read again. */
  holdOne({ baseLow, baseHigh, first }: ChunkHeader): void {
    this.#words[this.#at + ID_LOW] = baseLow
    this.#words[this.#at + ID_HIGH] = baseHigh
    this.hold(first)
  }

  /**
   * The records of a chunk from `from` on are read from its lane now.
   * @returns the deaths that reading them has cost; they are not to be read where that is more than the worker may die of
   */
  startReading(chunk: ChunkHeader, from: number, count: number): number {
    const words = this.#words
    const at = this.#at
    words[at + READ_LOW] = chunk.baseLow
    words[at + READ_HIGH] = chunk.baseHigh
    words[at + READ_INDEX] = (chunk.first + from) | 0
    words[at + READ_COUNT] = count - from
    words[at + READING] = 1
    return this.suspects === 0 ? 0 : this.#deathsReading(chunk, from, count)
  }

  endReading(): void {
    this.#words[this.#at + READING] = 0
  }

  /** The batch that the handler gets now: its id is in `mixed`, what it is made of has been written. */
  holdBatch(): void {
    this.#words[this.#at + ID_LOW] = mixed.low
    this.#words[this.#at + ID_HIGH] = mixed.high
    if (this.#timed) this.#words[this.#at + CALLED]!++
    this.#words[this.#at + HOLDING] = HOLDS_BATCH
  }

  drop(): void {
    this.#words[this.#at + HOLDING] = HOLDS_NOTHING
  }

  /** One more open call, for the record or batch whose id is in `mixed`, at a place that no other call has. */
  holdCall(place: number): void {
    const at = this.#at + SEGMENT + 2 * place
    this.#words[at] = mixed.low
    this.#words[at + 1] = mixed.high
    if (place >= this.#places) this.#words[this.#at + PLACES] = this.#places = place + 1
    if (this.#timed) this.#words[this.#at + CALLED]!++
  }

  /** The call at a place has ended. */
  dropCall(place: number): void {
    const at = this.#at + SEGMENT + 2 * place
    this.#words[at] = 0
    this.#words[at + 1] = 0
  }

  /** What a batch is made of, so that a successor hands over the same one: inputs and their records, in order; and what completed it. */
  writeSegments(segments: readonly (readonly [input: number, records: number])[], trigger: number): void {
    this.#words[this.#at + HOLDING] = HOLDS_NOTHING
    this.#words[this.#at + COMPLETED_BY] = trigger
    segments.forEach(([input, records], i) => {
      this.#words[this.#at + SEGMENT + 2 * i] = input
      this.#words[this.#at + SEGMENT + 2 * i + 1] = records
    })
    this.#words[this.#at + SEGMENTS] = segments.length
  }

  /** The batch that an earlier life died with; none where it held none. */
  leftSegments(): [input: number, records: number][] {
    if (this.#words[this.#at + HOLDING] !== HELD_BATCH) return []
    return Array.from({ length: this.#words[this.#at + SEGMENTS]! }, (_, i) => [
      this.#words[this.#at + SEGMENT + 2 * i]!,
      this.#words[this.#at + SEGMENT + 2 * i + 1]!,
    ])
  }

  /** What completed that batch. */
  get leftTrigger(): number {
    return this.#words[this.#at + COMPLETED_BY]!
  }

  /** With the next hand-off the batch in hand is done. */
  dropBatch(journal: Journal): void {
    journal.set(this.#at + HOLDING, HOLDS_NOTHING)
  }

  /** Whether a chunk is the one that an earlier life left half sent. */
  resumes(chunk: ChunkHeader): boolean {
    if (!this.isResuming) return false
    tokenOf(chunk)
    return mixed.low === this.#words[this.#at + RESUME_LOW] && mixed.high === this.#words[this.#at + RESUME_HIGH]
  }

  /** Gives a header the id of the chunk that an earlier life left half sent: as if its first record had index 0. */
  nameHalfSent(chunk: { baseLow: number; baseHigh: number; first: number }): void {
    unmix(this.#words[this.#at + RESUME_LOW]!, this.#words[this.#at + RESUME_HIGH]!)
    chunk.baseLow = mixed.low
    chunk.baseHigh = mixed.high
    chunk.first = 0
  }

  /** The next hand-off leaves this chunk half sent. */
  markResume(chunk: ChunkHeader, journal: Journal): void {
    tokenOf(chunk)
    journal.set(this.#at + RESUME_LOW, mixed.low)
    journal.set(this.#at + RESUME_HIGH, mixed.high)
    journal.set(this.#at + RESUMING, 1)
    this.isResuming = true
  }

  /** The next hand-off sends it wholly. */
  clearResume(journal: Journal): void {
    if (!this.isResuming) return
    journal.set(this.#at + RESUMING, 0)
    this.isResuming = false
  }

  /** Deaths with this record in hand. */
  deathsOf(chunk: ChunkHeader, index: number): number {
    if (this.suspects === 0) return 0
    idOf(chunk, index)
    return this.deathsOfMixed()
  }

  #deathsReading(chunk: ChunkHeader, from: number, count: number): number {
    if (count - from === 1) return this.deathsOf(chunk, from)
    mixed.low = chunk.baseLow
    mixed.high = chunk.baseHigh
    return this.deathsOfMixed()
  }

  /** One of these records, or of those beside them, has killed, and nobody knows which: they go one by one. */
  doubts({ baseLow, baseHigh, first }: ChunkHeader, from: number, to: number): boolean {
    const words = this.#words
    const at = this.#at
    const count = words[at + DOUBT_COUNT]!
    if (count === 0 || words[at + DOUBT_LOW] !== baseLow || words[at + DOUBT_HIGH] !== baseHigh) return false
    // Indexes wrap, so they are compared by difference.
    const start = (first + from - words[at + DOUBT_INDEX]!) | 0
    return start < count && start + (to - from) > 0
  }

  /** Deaths with the record or batch in hand whose id is in `mixed`. */
  deathsOfMixed(): number {
    for (let i = 0; i < this.suspects; i++) {
      const at = this.#at + SUSPECT + SUSPECT_WORDS * i
      if (this.#words[at] !== mixed.low || this.#words[at + 1] !== mixed.high) continue
      this.hasMetSuspect = true
      return this.#words[at + 2]!
    }
    return 0
  }
}
