import type { Slots } from '../../lane/slots.ts'
import type { StashEntry } from '../../lane/stash.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { Pending } from '../hold/pending.ts'
import type { Taken } from './supply.ts'

/** A chunk that has not ended, in the order in which the source handed them on. */
interface InLine {
  /** Of the last record before the next chunk in line: those between the two have ended. */
  cursor: unknown
  /** Where the cursor is kept. */
  entry: StashEntry | undefined
  before: InLine | undefined
  after: InLine | undefined
}

/** What is kept of a chunk with a cursor. */
type Kept = readonly [sequence: number, cursor: unknown]

/**
 * The open chunks of a source without `ack` in a durable run, in their order: the watermark stands before the first one. Their cursors,
 * and those of chunks that ended behind open ones, lie in the worker's stash, so that a replacement goes on with the line.
 */
export class CursorLine {
  watermark: unknown
  readonly #pending: Pending
  readonly #slots: Slots
  /** By slot. */
  readonly #line = new Map<number, InLine>()
  #last: InLine | undefined

  constructor(pending: Pending, slots: Slots) {
    this.#pending = pending
    this.#slots = slots
    const open = slots
      .openSlots()
      .map((slot) => ({ sequence: slots.sequence(slot), slot, cursor: undefined as unknown }))
    const kept = pending.recover().map((entry) => {
      const [sequence, cursor] = pending.value(entry) as Kept
      return { sequence, cursor, entry }
    })
    pending.takeAll()
    const entries = new Map(kept.map((each) => [each.sequence, each]))
    for (const { sequence, slot } of open) {
      const { cursor, entry } = entries.get(sequence) ?? {}
      entries.delete(sequence)
      this.#lineUp(slot, cursor, entry)
    }
    // Those that have ended: each belongs to the last open one before it.
    for (const { sequence, cursor, entry } of entries.values()) {
      const before = open.findLast((each) => ((each.sequence - sequence) | 0) < 0)
      this.#pass(before && this.#line.get(before.slot), cursor, entry)
    }
  }

  /** Keeps the last cursor of a chunk, the first `count` records that are taken; false where the stash has no room. */
  keep(header: ChunkHeader, slot: number, { marks, hasMarks }: Taken, count: number): boolean {
    let cursor: unknown
    if (hasMarks) for (let i = count - 1; i >= 0 && cursor === undefined; i--) cursor = marks[i]?.cursor
    const kept: Kept = [this.#slots.sequence(slot), cursor]
    const entry = cursor === undefined ? undefined : this.#pending.put({ ...header, slot }, kept, 0, 0)
    if (cursor !== undefined && entry === undefined) return false
    this.#lineUp(slot, cursor, entry)
    return true
  }

  /** All that came of a slot's records is done: the chunk before stands for it too, and the watermark for the first one. */
  end(slot: number): void {
    const chunk = this.#line.get(slot)
    if (chunk === undefined) return
    this.#line.delete(slot)
    const { cursor, entry, before, after } = chunk
    if (before !== undefined) before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    if (entry !== undefined) this.#pass(before, cursor, entry)
  }

  #lineUp(slot: number, cursor: unknown, entry: StashEntry | undefined): void {
    const chunk: InLine = { cursor, entry, before: this.#last, after: undefined }
    if (this.#last !== undefined) this.#last.after = chunk
    this.#last = chunk
    this.#line.set(slot, chunk)
  }

  /** All up to this cursor has ended, from the chunk `before` on. */
  #pass(before: InLine | undefined, cursor: unknown, entry: StashEntry): void {
    const passed = before === undefined ? entry : before.entry
    if (passed !== undefined) this.#pending.finish(passed)
    if (before === undefined) this.watermark = cursor
    else {
      before.cursor = cursor
      before.entry = entry
    }
  }
}
