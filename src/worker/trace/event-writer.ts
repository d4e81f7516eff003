import type { Journal } from '../../lane/journal.ts'
import type { Slots } from '../../lane/slots.ts'
import { NO_SIDE, type TraceWriter } from '../../lane/trace.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { SEQUENCE, SLOT_WORDS, TRACE, anchorSlot, anchorSource } from '../../memory/slots.ts'
import {
  ATTEMPT,
  EVENT_KINDS,
  EVENT_OUTCOMES,
  EVENT_TRUNCATED,
  HANDED,
  INPUT,
  INPUTS,
  INPUT_WORDS,
  KIND,
  OUTPUT,
  OUTPUTS,
  OUTPUT_WORDS,
  RECORDS,
  SECTION_ATTRIBUTES,
  SECTION_CHECKSUM,
  SECTION_CONTENT,
  SECTION_ERROR,
  SECTION_INPUT,
  SECTION_ORIGINS,
  SECTION_OUTPUT,
  SECTION_PARENT,
  SECTION_SLOT,
  SECTION_TYPE,
  SERVICE,
  SIDE,
  SIDE_LENGTH,
  SLOT,
  SLOTS,
  TAKEN,
} from '../../memory/trace.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import type { TracedSlot } from './span-names.ts'
import type { Seen } from './witness.ts'

/** Longer texts of errors are cut. */
const MOST_TEXT_BYTES = 512
const WORD = 2 ** 32

/** What an event says beside its slots. Inputs and outputs are the words of `memory/trace.ts`, one after the other. */
export interface EventFacts {
  readonly kind: (typeof EVENT_KINDS)[number]
  readonly outcome: (typeof EVENT_OUTCOMES)[number]
  readonly flags: number
  readonly attempt: number
  readonly takenAt: number
  readonly serviceUs: number
  readonly records: number
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Of each output: run lengths, or the first place where each came of the next one; undefined where ids tell, or all came of all. */
  readonly origins: readonly (readonly number[] | undefined)[]
  readonly error?: string | undefined
  /** As JSON: what handlers said. */
  readonly attributes?: string | undefined
  readonly seen?: Seen | undefined
  /** Of `open`: what its record continues, as words. */
  readonly parent?: readonly number[] | undefined
}

/** Writes events into the ring of a worker. */
export class EventWriter {
  readonly #writer: TraceWriter
  readonly #plan: Plan
  readonly #worker: WorkerPlan
  readonly #own: Slots | undefined
  readonly #epoch: number
  readonly #sections: number[] = []
  /** Events that no hand-off has stamped yet. */
  readonly #unstamped: number[] = []

  /** @param own of a source: its slots, as the next hand-off will leave them */
  constructor(writer: TraceWriter, plan: Plan, worker: WorkerPlan, own: Slots | undefined, epoch: number) {
    this.#writer = writer
    this.#plan = plan
    this.#worker = worker
    this.#own = own
    this.#epoch = epoch
  }

  get isDirty(): boolean {
    return this.#writer.isDirty
  }

  hasRoom(events: number): boolean {
    return this.#writer.hasRoom(events)
  }

  /** @returns false: what it is about has a gap */
  drop(events: number): false {
    this.#writer.drop(events)
    return false
  }

  countThrow(): void {
    this.#writer.countThrow()
  }

  countRefused(): void {
    this.#writer.countRefused()
  }

  /** The first traced slot of those that a chunk counts for: its anchor, its TRACE and its SEQUENCE. */
  slotOf({ slot, furtherAnchors }: Pick<ChunkHeader, 'slot' | 'furtherAnchors'>): TracedSlot | undefined {
    for (let i = -1; i < furtherAnchors.length; i++) {
      const anchor = i < 0 ? slot : furtherAnchors[i]!
      const [trace, sequence] = this.#traceOf(anchor)
      if (trace !== 0) return [anchor, trace, sequence]
    }
    return undefined
  }

  /**
   * Writes an event of the chunk with this header. There is room for it.
   * @returns whether it says which records came and went, and of which slots
   */
  write(header: Pick<ChunkHeader, 'slot' | 'furtherAnchors'>, facts: EventFacts): boolean {
    const { words } = this.#writer
    const at = this.#writer.begin()
    const kind = EVENT_KINDS.indexOf(facts.kind) | (EVENT_OUTCOMES.indexOf(facts.outcome) << 8)
    words[at + KIND] = kind | facts.flags
    words[at + ATTEMPT] = (facts.attempt & 0xffff) | (this.#epoch << 16)
    words[at + TAKEN] = facts.takenAt | 0
    words[at + TAKEN + 1] = Math.floor(facts.takenAt / WORD)
    words[at + SERVICE] = facts.serviceUs
    words[at + RECORDS] = facts.records
    this.#sections.length = 0
    this.#writeSlots(at, header)
    this.#writeParts(at + INPUTS, at + INPUT, facts.inputs, INPUT_WORDS, SECTION_INPUT)
    this.#writeParts(at + OUTPUTS, at + OUTPUT, facts.outputs, OUTPUT_WORDS, SECTION_OUTPUT, facts.origins)
    if (facts.error !== undefined) this.#addText(SECTION_ERROR, facts.error, MOST_TEXT_BYTES)
    if (facts.parent !== undefined) this.#sections.push(SECTION_PARENT | (facts.parent.length << 8), ...facts.parent)
    const needed = this.#sections.length
    if (facts.attributes !== undefined) this.#addText(SECTION_ATTRIBUTES, facts.attributes)
    if (facts.seen !== undefined) this.#addSeen(facts.seen)
    this.#unstamped.push(at)
    return this.#sections.length === 0 || this.#writeSections(at, needed)
  }

  /** Stamps what was written, and adds it to the hand-off. */
  stage(journal: Journal, stamp: number): void {
    const { words } = this.#writer
    for (const at of this.#unstamped) {
      words[at + HANDED] = stamp | 0
      words[at + HANDED + 1] = Math.floor(stamp / WORD)
    }
    this.#unstamped.length = 0
    this.#writer.stage(journal)
  }

  #writeSlots(at: number, { slot, furtherAnchors }: Pick<ChunkHeader, 'slot' | 'furtherAnchors'>): void {
    const { words } = this.#writer
    let count = 0
    for (let i = -1; i < furtherAnchors.length; i++) {
      const anchor = i < 0 ? slot : furtherAnchors[i]!
      const [trace, sequence] = this.#traceOf(anchor)
      if (trace === 0) continue
      if (count++ === 0) {
        words[at + SLOT] = anchor
        words[at + SLOT + 1] = trace
        words[at + SLOT + 2] = sequence
      } else this.#sections.push(SECTION_SLOT | (3 << 8), anchor, trace, sequence)
    }
    words[at + SLOTS] = count
  }

  /** TRACE and SEQUENCE of a slot. It is open, so they stay as they are: what it counts for is in this worker's hand. */
  #traceOf(anchor: number): [trace: number, sequence: number] {
    const source = anchorSource(anchor)
    const slot = anchorSlot(anchor)
    if (this.#own !== undefined && source === this.#worker.source)
      return [this.#own.trace(slot), this.#own.sequence(slot)]
    const { words } = this.#writer
    const at = this.#plan.workers[this.#plan.sources[source]!]!.slots!.offset / 4 + slot * SLOT_WORDS
    return [words[at + TRACE]!, words[at + SEQUENCE]!]
  }

  /** The first part goes into the event, the others beside it. */
  #writeParts(
    countAt: number,
    firstAt: number,
    parts: readonly number[],
    length: number,
    section: number,
    origins: EventFacts['origins'] = [],
  ): void {
    const { words } = this.#writer
    const count = parts.length / length
    words[countAt] = count
    for (let part = 0; part < count; part++) {
      if (part > 0) this.#sections.push(section | (length << 8))
      for (let i = 0; i < length; i++) {
        const word = parts[part * length + i]!
        if (part === 0) words[firstAt + i] = word
        else this.#sections.push(word)
      }
      const origin = origins[part]
      if (origin === undefined) continue
      this.#sections.push(SECTION_ORIGINS | (origin.length << 8))
      for (const word of origin) this.#sections.push(word)
    }
  }

  #addSeen({ content, checksum, type }: Seen): void {
    if (content.length > 0) this.#addText(SECTION_CONTENT, JSON.stringify(content))
    if (checksum !== undefined) this.#addText(SECTION_CHECKSUM, checksum)
    if (type !== undefined) this.#addText(SECTION_TYPE, type)
  }

  /** As words: its bytes, filled up with zeros. */
  #addText(section: number, text: string, most = Infinity): void {
    const bytes = Buffer.from(text).subarray(0, most)
    const padded = Buffer.alloc((bytes.byteLength + 3) & -4)
    padded.set(bytes)
    this.#sections.push(section | ((padded.byteLength / 4) << 8))
    for (let i = 0; i < padded.byteLength; i += 4) this.#sections.push(padded.readInt32LE(i))
  }

  /**
   * @param needed sections before there go by themselves where there is no room for those that only tell more
   * @returns whether those went
   */
  #writeSections(at: number, needed: number): boolean {
    const { words, side, sideMask } = this.#writer
    const sections = this.#sections
    let position = this.#writer.claimSide(sections.length)
    if (position === NO_SIDE) {
      words[at + KIND]! |= EVENT_TRUNCATED
      this.#writer.truncate()
      if (needed === 0) return true
      if (needed < sections.length) position = this.#writer.claimSide(needed)
      if (position === NO_SIDE) return false
      sections.length = needed
    }
    words[at + SIDE] = position
    words[at + SIDE_LENGTH] = sections.length
    for (let i = 0; i < sections.length; i++) words[side + ((position + i) & sideMask)] = sections[i]!
    return true
  }
}
