import { shapeCodec } from '../../codec/shape.ts'
import type { Decoder, Encoder } from '../../codec/codec.ts'
import { FRAME_BYTES } from '../../memory/lane.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import { Stash, type StashEntry } from '../../lane/stash.ts'
import { type StashLayout, stashTexts } from '../../memory/stash.ts'
import { Texts } from '../../lane/texts.ts'
import { type ChunkHeader, NO_ROOM } from '../../lane/writer.ts'
import type { Chunk } from '../chunk.ts'

/** A first try: most records fit. */
const USUAL_ENTRY_BYTES = 1024

/**
 * The records that a worker keeps in its stash, and when each is due: at once, or after the delay of a retry. What is here
 * in the heap is found again in the stash by a successor.
 */
export class Pending {
  readonly stash: Stash
  readonly #memory: Memory
  readonly #journal: Journal
  readonly #encoder: Encoder
  readonly #decoder: Decoder
  /** Entries that nobody works on, by the time when they are due. */
  readonly #waiting: StashEntry[] = []
  readonly #out: unknown[] = []

  constructor(memory: Memory, layout: StashLayout, journal: Journal) {
    this.#memory = memory
    this.#journal = journal
    this.stash = new Stash(memory, layout)
    const texts = new Texts(memory, stashTexts(layout), () => this.stash.isUnused)
    this.#encoder = shapeCodec.encoder(texts)
    this.#decoder = shapeCodec.decoder(texts)
  }

  /** Takes up all that an earlier life left. */
  recover(): StashEntry[] {
    const entries = this.stash.open()
    for (const entry of entries) this.wait(entry)
    return entries
  }

  /**
   * Keeps a record: from the next hand-off on, it is here.
   * @returns undefined where there is no room for it
   * @throws RECORD_NOT_ENCODABLE
   */
  put(header: ChunkHeader, value: unknown, dueAt: number, since: number): StashEntry | undefined {
    for (const bytes of [Math.min(USUAL_ENTRY_BYTES, this.stash.maxEntryBytes), this.stash.maxEntryBytes]) {
      const at = this.stash.claim(bytes)
      if (at === NO_ROOM) return undefined
      const body = this.stash.body(at, header.furtherAnchors.length)
      if (body >= this.stash.limit) continue
      if (this.#encoder.encode(this.#memory, [value], 0, 1, body, this.stash.limit) === 0) continue
      return this.stash.append(at, this.#encoder.end, header, dueAt, since)
    }
    return undefined
  }

  /** Keeps several records, or none of them where they do not all fit. */
  putAll(
    headers: readonly ChunkHeader[],
    values: ArrayLike<unknown>,
    dueAt: number,
    since: number,
  ): StashEntry[] | undefined {
    const entries: StashEntry[] = []
    for (let i = 0; i < headers.length; i++) {
      const entry = this.stash.hasRoom(0) ? this.put(headers[i]!, values[i], dueAt, since) : undefined
      if (entry === undefined) {
        this.stash.takeBack(entries)
        return undefined
      }
      entries.push(entry)
    }
    return entries
  }

  /** Reads an entry into a chunk of one record; without its value where that cannot be read. */
  take(entry: StashEntry, chunk: Chunk, isReadable = true): void {
    chunk.take(this.stash.header(entry))
    chunk.count = 1
    chunk.from = 0
    chunk.values = [isReadable ? this.value(entry) : undefined]
  }

  value(entry: StashEntry): unknown {
    const body = this.stash.body(entry.at, this.stash.header(entry).furtherAnchors.length)
    const end = entry.at + this.#memory.words[(entry.at >> 2) + FRAME_BYTES]!
    this.#decoder.decode(this.#memory, body, end, 1, this.#out)
    return this.#out[0]
  }

  /** From now on the entry waits for its time. */
  wait(entry: StashEntry): void {
    let at = this.#waiting.length
    while (at > 0 && this.#waiting[at - 1]!.dueAt > entry.dueAt) at--
    this.#waiting.splice(at, 0, entry)
  }

  /** The first entry that is due; it is the caller's then. */
  next(nowMs: number): StashEntry | undefined {
    const first = this.#waiting[0]
    return first !== undefined && first.dueAt <= nowMs ? this.#waiting.shift() : undefined
  }

  /** The entry with this header, due or not; it is the caller's then. */
  nextWhere(matches: (header: ChunkHeader) => boolean): StashEntry | undefined {
    const at = this.#waiting.findIndex((entry) => matches(this.stash.header(entry)))
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]
  }

  /** All entries that wait, in the order in which they came; they are the caller's then. */
  takeAll(): StashEntry[] {
    return this.#waiting.splice(0).sort((a, b) => (a.order - b.order) | 0)
  }

  /** After a hand-off: gives the room of ended entries back that lie behind old ones. */
  tidy(): void {
    if (!this.stash.isEmpty) this.stash.compact()
  }

  /** When the next entry is due, in ms of the monotonic clock; Infinity where none waits. */
  get nextDueAt(): number {
    return this.#waiting.length === 0 ? Infinity : this.#waiting[0]!.dueAt
  }

  /** Entries that nobody works on. */
  get waiting(): number {
    return this.#waiting.length
  }

  finish(entry: StashEntry): void {
    this.stash.finish(entry, this.#journal)
  }

  stage(journal: Journal): void {
    this.stash.stage(journal)
  }
}
