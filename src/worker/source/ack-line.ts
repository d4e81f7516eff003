import type { Slots } from '../../lane/slots.ts'
import type { Progress } from './progress.ts'

/** A chunk that has not ended, in the order in which the source handed them on. */
interface InLine {
  readonly sequence: number
  /** Of the last record before the next chunk in line: those between the two have ended. */
  cursor: unknown
  /** Sequence of the chunk of that record: the cursor is not its own any more where this is another one. */
  of: number
  before: InLine | undefined
  after: InLine | undefined
}

/** What a successor cannot find in the slots: the watermark, and the cursors of chunks that ended behind ones that are open. */
interface KnownLine {
  readonly watermark: unknown
  readonly of: number | undefined
  readonly passed: readonly (readonly [sequence: number, cursor: unknown, of: number])[]
}

/** Most cursors of ended chunks that a successor learns of: without the others its watermark stands back for a while. */
const MOST_PASSED = 256

/** The chunks of a source that have not ended, in their order: the watermark stands before the first one. */
export class AckLine {
  watermark: unknown
  readonly #slots: Slots
  readonly #progress: Progress
  readonly #passed: ReadonlyMap<number, { readonly cursor: unknown; readonly of: number }>
  readonly #bySlot = new Map<number, InLine>()
  #first: InLine | undefined
  #last: InLine | undefined
  /** Sequence of the chunk that the watermark is of. */
  #of: number | undefined

  constructor(slots: Slots, progress: Progress) {
    this.#slots = slots
    this.#progress = progress
    const known = progress.line as KnownLine | undefined
    this.#passed = new Map(known?.passed.map(([sequence, cursor, of]) => [sequence, { cursor, of }]))
    this.watermark = known?.watermark
    this.#of = known?.of
  }

  /** A chunk is handed on, the last of whose records has this cursor. */
  add(slot: number, cursor: unknown): void {
    this.#append(slot, cursor, this.#slots.sequence(slot))
  }

  /** The same of one that an earlier life has handed on. */
  addAgain(slot: number, cursor: unknown): void {
    const sequence = this.#slots.sequence(slot)
    const passed = this.#passed.get(sequence)
    this.#append(slot, passed === undefined ? cursor : passed.cursor, passed?.of ?? sequence)
  }

  /**
   * Takes a chunk that has ended out of the line: the one before it stands for it too, and the watermark for the first one. A successor
   * does so again with what its predecessor had not told, where a later chunk may stand already.
   */
  advance(slot: number): void {
    const chunk = this.#bySlot.get(slot)
    if (chunk === undefined) return
    const { cursor, of, before, after } = chunk
    this.#bySlot.delete(slot)
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
  }

  /** The next hand-off closes slots that were told, and says what they leave behind. */
  keep(): void {
    const passed: [sequence: number, cursor: unknown, of: number][] = []
    for (let at = this.#first; at !== undefined && passed.length < MOST_PASSED; at = at.after)
      if (at.of !== at.sequence) passed.push([at.sequence, at.cursor, at.of])
    const { watermark } = this
    if (watermark === undefined && passed.length === 0) return
    while (!this.#progress.keepLine({ watermark, of: this.#of, passed } satisfies KnownLine) && passed.length > 0)
      passed.length >>= 1
  }

  #append(slot: number, cursor: unknown, of: number): void {
    const sequence = this.#slots.sequence(slot)
    const chunk: InLine = { sequence, cursor, of, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = chunk
    else this.#last.after = chunk
    this.#last = chunk
    this.#bySlot.set(slot, chunk)
  }
}

function isLater(one: number, other: number): boolean {
  return ((one - other) | 0) > 0
}
