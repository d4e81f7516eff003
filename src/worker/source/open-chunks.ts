import type { Journal } from '../../lane/journal.ts'
import type { Slots } from '../../lane/slots.ts'
import type { StashEntry } from '../../lane/stash.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Pending } from '../hold/pending.ts'
import { KeptLine, type Line } from './kept-line.ts'
import { type KeptReason, type SlotReasons, isReason } from './slot-reasons.ts'
import type { Taken } from './supply.ts'

/** What is kept of a chunk until its records have ended. */
interface Kept {
  /** Absent where the source has no `ack`. */
  readonly receipts?: readonly unknown[]
  readonly cursor: unknown
}

/** Most cursors of ended chunks that a successor learns of: without the others its watermark stands back for a while. */
const MOST_PASSED = 256

/** An open chunk, in the order in which the source handed them on. */
interface OpenChunk {
  readonly sequence: number
  readonly entry: StashEntry | undefined
  isInLine: boolean
  /** Of the last record before the next chunk in line: those between the two have ended. */
  cursor: unknown
  /** Sequence of the chunk of that record: the cursor is not its own any more if this is another one. */
  of: number
  before: OpenChunk | undefined
  after: OpenChunk | undefined
}

/** What the open chunks of a source need. */
interface OpenChunksOptions {
  readonly memory: Memory
  /** Offset of the worker's progress. */
  readonly progress: number
  readonly slots: Slots
  readonly pending: Pending
  readonly reasons: SlotReasons | undefined
}

/**
 * The chunks of a source that have not ended, in a line: the watermark stands before the first one. What is kept of each lies in the
 * worker's stash, and the line beside the progress, so a successor goes on with both.
 */
export class OpenChunks {
  /** The cursor below which all records have ended. */
  watermark: unknown
  readonly #slots: Slots
  readonly #pending: Pending
  readonly #reasons: SlotReasons | undefined
  readonly #kept: KeptLine
  readonly #bySlot = new Map<number, OpenChunk>()
  #first: OpenChunk | undefined
  #last: OpenChunk | undefined
  /** Sequence of the chunk that the watermark is of. */
  #of: number | undefined
  #hasMoved = false

  constructor({ memory, progress, slots, pending, reasons }: OpenChunksOptions) {
    this.#slots = slots
    this.#pending = pending
    this.#reasons = reasons
    this.#kept = new KeptLine(memory, progress)
    this.#recover(this.#kept.line)
  }

  /** Receipts of all chunks: those that an earlier life left, before a chunk is kept. */
  get receipts(): unknown[] {
    return [...this.#bySlot.keys()].flatMap((slot) => this.receiptsOf(slot) ?? [])
  }

  /** Undefined if the chunk is not kept any more. */
  receiptsOf(slot: number): readonly unknown[] | undefined {
    const entry = this.#bySlot.get(slot)?.entry
    return entry && this.#read(entry).receipts
  }

  /**
   * A chunk is handed on: the first `count` records that are taken.
   * @param receipts of the records, if `ack` is to have them
   * @returns false if the stash has no room
   */
  keep(
    header: ChunkHeader,
    slot: number,
    { marks, hasMarks }: Taken,
    count: number,
    receipts?: readonly unknown[],
  ): boolean {
    let cursor: unknown
    if (hasMarks) for (let i = count - 1; i >= 0 && cursor === undefined; i--) cursor = marks[i]?.cursor
    let entry: StashEntry | undefined
    if (receipts !== undefined || cursor !== undefined) {
      // The reasons of failures have room beside receipts.
      const { stash } = this.#pending
      if (receipts !== undefined && this.#reasons !== undefined && !stash.isEmpty && !stash.leaves(stash.maxEntryBytes))
        return false
      const kept: Kept = receipts === undefined ? { cursor } : { receipts, cursor }
      entry = this.#pending.put({ ...header, slot }, kept, 0, 0)
      if (entry === undefined) return false
    }
    const sequence = this.#slots.sequence(slot)
    this.#append(slot, entry, sequence, cursor, sequence)
    return true
  }

  /**
   * Takes a chunk that has ended out of the line: the one before it stands for it too, and the watermark for the first one. A successor
   * does so again with what its predecessor had not told, where a later chunk may stand already.
   */
  pass(slot: number): void {
    const chunk = this.#bySlot.get(slot)
    if (chunk === undefined || !chunk.isInLine) return
    const { cursor, of, before, after } = chunk
    chunk.isInLine = false
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    if (cursor === undefined) return
    if (before !== undefined) {
      if (isLater(of, before.of)) Object.assign(before, { cursor, of })
    } else if (this.#of === undefined || isLater(of, this.#of)) {
      this.watermark = cursor
      this.#of = of
    }
    this.#hasMoved = true
  }

  /** With the next hand-off nothing is known of the chunk any more. */
  forget(slot: number): void {
    const entry = this.#bySlot.get(slot)?.entry
    this.#bySlot.delete(slot)
    if (entry !== undefined) this.#pending.finish(entry)
  }

  stage(journal: Journal): void {
    if (this.#hasMoved) this.#kept.keep(this.#line)
    this.#hasMoved = false
    this.#kept.stage(journal)
  }

  get #line(): Line {
    const passed: [sequence: number, cursor: unknown, of: number][] = []
    for (let at = this.#first; at !== undefined && passed.length < MOST_PASSED; at = at.after)
      if (at.of !== at.sequence) passed.push([at.sequence, at.cursor, at.of])
    return { watermark: this.watermark, of: this.#of, passed }
  }

  #recover(line: Line | undefined): void {
    this.watermark = line?.watermark
    this.#of = line?.of
    const passed = new Map(line?.passed.map(([sequence, cursor, of]) => [sequence, { cursor, of }]))
    const entries = new Map<number, StashEntry>()
    for (const entry of this.#pending.recover()) {
      const kept = this.#pending.value(entry) as Kept | KeptReason
      if (isReason(kept)) this.#reasons?.recover(entry, kept)
      else entries.set(this.#pending.stash.header(entry).slot, entry)
    }
    this.#pending.takeAll()
    for (const slot of this.#slots.openSlots()) {
      const entry = entries.get(slot)
      // It was released, and `ack` was told: it is in line no more.
      if (entry === undefined && this.#slots.isReleased(slot)) continue
      const sequence = this.#slots.sequence(slot)
      const { cursor, of } = passed.get(sequence) ?? { cursor: entry && this.#read(entry).cursor, of: sequence }
      this.#append(slot, entry, sequence, cursor, of)
    }
  }

  #append(slot: number, entry: StashEntry | undefined, sequence: number, cursor: unknown, of: number): void {
    const chunk: OpenChunk = { sequence, entry, isInLine: true, cursor, of, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = chunk
    else this.#last.after = chunk
    this.#last = chunk
    this.#bySlot.set(slot, chunk)
  }

  #read(entry: StashEntry): Kept {
    return this.#pending.value(entry) as Kept
  }
}

function isLater(one: number, other: number): boolean {
  return ((one - other) | 0) > 0
}
