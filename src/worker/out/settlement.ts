import { GAP_FAILURE, RELEASED_SLOT, addFailures, failuresWord } from '../../lane/failures.ts'
import { AckWriter } from '../../lane/acks.ts'
import { ring } from '../../lane/doorbell.ts'
import { mixed } from '../../lane/ids.ts'
import type { Journal } from '../../lane/journal.ts'
import { GAP } from '../../memory/lane.ts'
import type { Memory } from '../../memory/memory.ts'
import { anchorSlot, anchorSource } from '../../memory/slots.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { AckEnd, Plan } from '../../plan/types.ts'
import { tokenOf } from '../chunk.ts'

interface AckLane {
  readonly writer: AckWriter
  readonly peerDoorbell: number
  hasStaged: boolean
}

/** A source's own slots, which take what its own records owe. */
interface OwnSlots {
  settle(slot: number, low: number, high: number, failures: number): void
  /** Absent where the source asks for no reasons. */
  readonly tell?: ((text: string, slots: readonly number[]) => void) | undefined
}

/**
 * What a hand-off owes to the sources: for each anchor the XOR of the ids that ended here and of those that were born here,
 * and the records that failed. A chunk that goes on under its own id cancels itself and owes nothing.
 */
export class Settlement {
  /** Ack lanes by source number; sparse. */
  readonly #acks: readonly (AckLane | undefined)[]
  readonly #lanes: readonly AckLane[]
  readonly #words: Int32Array
  readonly #own: OwnSlots | undefined
  /** Whether some source above asks why its records failed. */
  readonly tellsReasons: boolean
  readonly #anchors: number[] = []
  readonly #lows: number[] = []
  readonly #highs: number[] = []
  readonly #failures: number[] = []
  /** Positions by anchor, once there are too many to look through. */
  #index = new Map<number, number>()
  #count = 0
  /** Anchors by what is said of their records. */
  #reasons = new Map<string, number[]>()

  /**
   * @param sources source number of each of the ack lanes
   * @param own of a source: takes what its own records owe
   */
  constructor(memory: Memory, plan: Plan, ends: readonly AckEnd[], sources: readonly number[], own?: OwnSlots) {
    this.#words = memory.words
    this.#own = own
    this.#lanes = ends.map(({ layout, peer }) => ({
      writer: new AckWriter(memory, layout),
      peerDoorbell: plan.workers[peer]!.control.doorbell,
      hasStaged: false,
    }))
    const acks: (AckLane | undefined)[] = []
    sources.forEach((source, i) => (acks[source] = this.#lanes[i]))
    this.#acks = acks
    this.tellsReasons = own?.tell !== undefined || this.#lanes.some(({ writer }) => writer.reasons !== undefined)
  }

  /** A chunk ended here, or was born here: both are the same word to the source. */
  toggle(header: ChunkHeader): void {
    tokenOf(header)
    this.#add(header, mixed.low, mixed.high, 0)
  }

  /** Records of a chunk failed. @param why as `reasonText` says it; nothing where no source asks */
  fail(header: ChunkHeader, records: number, why?: string): void {
    this.#add(header, 0, 0, failuresWord(records, 0))
    if (why !== undefined) this.say(header, why)
  }

  /** Says something of a chunk's records to their sources: a reason, or a note. */
  say(header: ChunkHeader, text: string): void {
    const anchors = this.#reasons.get(text) ?? []
    anchors.push(header.slot)
    for (const anchor of header.furtherAnchors) anchors.push(anchor)
    this.#reasons.set(text, anchors)
  }

  /** The sources count the records of a chunk as done, whatever becomes of them. */
  release(header: ChunkHeader): void {
    this.#add(header, 0, 0, RELEASED_SLOT)
  }

  /** Records of a chunk were dropped by a buffer. */
  drop(header: ChunkHeader, records: number): void {
    this.#add(header, 0, 0, failuresWord(0, records))
  }

  /** An event of a chunk was dropped, as its header says. */
  gap(header: ChunkHeader): void {
    this.#add(header, 0, 0, 0)
  }

  /** Whether the ack lanes take all that is owed. */
  hasRoom(): boolean {
    for (const { writer } of this.#lanes) if (!writer.hasRoom(this.#count)) return false
    return true
  }

  /** Writes the entries; there is room for them. */
  stage(journal: Journal): void {
    // A gap by itself waits for the entry of whoever ends the chunk, whose frame says it too. A source is told at once: there
    // may be no frame.
    const noNews = this.#own === undefined ? GAP_FAILURE : 0
    for (let i = 0; i < this.#count; i++) {
      const [low, high, failures] = [this.#lows[i]!, this.#highs[i]!, this.#failures[i]!]
      if (low === 0 && high === 0 && (failures & ~noNews) === 0) continue
      const anchor = this.#anchors[i]!
      if (this.#own !== undefined) this.#own.settle(anchorSlot(anchor), low, high, failures)
      else this.#acks[anchorSource(anchor)]!.writer.put(anchorSlot(anchor), low, high, failures)
    }
    this.#count = 0
    // A new one rather than `clear`: V8's makes a new table and lets the old one point to it. Once one of them has come to the
    // old generation, all that follow are kept until its next collection, which then stalls the worker for milliseconds.
    if (this.#index.size > 0) this.#index = new Map()
    if (this.#reasons.size > 0) this.#tellReasons()
    for (const lane of this.#lanes) lane.hasStaged = lane.writer.stage(journal)
  }

  /** After a hand-off: wakes the sources that wait for what was settled. */
  wakePeers(): void {
    for (const { writer, peerDoorbell, hasStaged } of this.#lanes) {
      if (hasStaged && writer.isWorthWaking) ring(this.#words, peerDoorbell)
    }
  }

  #tellReasons(): void {
    for (const [text, anchors] of this.#reasons) {
      const bytes = Buffer.from(text)
      const slots = new Map<number, number[]>()
      for (const anchor of new Set(anchors)) {
        const source = anchorSource(anchor)
        const known = slots.get(source)
        if (known === undefined) slots.set(source, [anchorSlot(anchor)])
        else known.push(anchorSlot(anchor))
      }
      for (const [source, each] of slots) {
        if (this.#own !== undefined) this.#own.tell?.(text, each)
        else this.#acks[source]!.writer.reasons?.put(bytes, each)
      }
    }
    this.#reasons = new Map()
  }

  #add(header: ChunkHeader, low: number, high: number, failed: number): void {
    const failures = (header.trace & GAP) === 0 ? failed : failed | GAP_FAILURE
    this.#addTo(header.slot, low, high, failures)
    const further = header.furtherAnchors
    for (let i = 0; i < further.length; i++) this.#addTo(further[i]!, low, high, failures)
  }

  #addTo(anchor: number, low: number, high: number, failures: number): void {
    const i = this.#find(anchor)
    this.#lows[i]! ^= low
    this.#highs[i]! ^= high
    this.#failures[i] = addFailures(this.#failures[i]!, failures)
  }

  /** Position of an anchor. Chunks come in runs of one slot, so the last one is mostly it. */
  #find(anchor: number): number {
    const last = this.#count - 1
    if (last >= 0 && this.#anchors[last] === anchor) return last
    if (this.#count > LOOK_THROUGH) {
      const known = this.#index.get(anchor)
      if (known !== undefined) return known
    } else {
      for (let i = 0; i < last; i++) if (this.#anchors[i] === anchor) return i
    }
    return this.#append(anchor)
  }

  #append(anchor: number): number {
    const i = this.#count++
    this.#anchors[i] = anchor
    this.#lows[i] = this.#highs[i] = this.#failures[i] = 0
    if (i === LOOK_THROUGH) for (let j = 0; j <= i; j++) this.#index.set(this.#anchors[j]!, j)
    else if (i > LOOK_THROUGH) this.#index.set(anchor, i)
    return i
  }
}

const LOOK_THROUGH = 8
