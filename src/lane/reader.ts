import { load, store } from '#atomics'
import type { Journal } from './journal.ts'
import type { LaneLayout } from '../memory/lane.ts'
import {
  ASSEMBLED,
  DROP_TO,
  ENDED,
  FOR_ROOM,
  FRAME_BYTES,
  GRANTED,
  HEAD,
  MARKER,
  MARKER_AT,
  PART,
  ROUTED,
  SENT,
  SWITCH,
  TAIL,
  TAKEN,
  WANTING,
  ringOffset,
} from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'

/** Not an offset: no frame is there just now. Empty is normal, so it is a value. */
export const NO_FRAME = -1

/** Says which frames are the reader's, while its stage is resized (`worker/in/tenure.ts`). */
export interface Gate {
  /** Whether all that was sent by this version may be read. */
  mayPass(version: number): boolean
}

/**
 * The reading side of a lane. `poll` looks ahead of HEAD as far as the reader likes; `release` and the journal give the
 * room back.
 *
 * Invariants (test/lane/ring.test.ts, test/interleave):
 *   R1  HEAD never passes TAIL, TAKEN never passes SENT
 *   R2  a frame is read only between HEAD and a TAIL that was loaded before
 *   R3  GRANTED - TAKEN is never more than `maxDemand`: so much is on the lane at most
 *   R4  HEAD, TAKEN and GRANTED are stored by this worker only
 */
export class LaneReader {
  /** Bytes of a record in fragments whose room is given back; the last fragment is not among them. */
  assembled: number
  readonly #memory: Memory
  readonly #header: number
  readonly #ring: number
  readonly #ringBytes: number
  readonly #maxDemand: number
  readonly #minDemand: number
  /** Position of the next look. */
  #next: number
  /** End of the last frame that was taken; behind it, `#next` may be past padding already. */
  #takenEnd: number
  #tailSeen: number
  /** The frames behind #tailSeen are there, and not this reader's yet. */
  #isHeldBack = false
  readonly #gate: Gate | undefined
  #released: number
  #part: number
  #taken: number
  #granted: number
  /** As the last hand-off left them. */
  #stagedHead: number
  #stagedPart: number
  #stagedAssembled: number
  /** The last hand-off granted credit; that of a predecessor may have, and have told nobody. */
  #hasGranted = true

  /** @param gate absent where the reading stage cannot be resized */
  constructor(memory: Memory, layout: LaneLayout, gate?: Gate) {
    const { words } = memory
    this.#gate = gate
    this.#memory = memory
    this.#header = layout.offset / 4
    this.#ring = ringOffset(layout)
    this.#ringBytes = layout.ringBytes
    this.#maxDemand = layout.maxDemand
    this.#minDemand = layout.minDemand
    this.#next = this.#takenEnd = this.#released = load(words, this.#header + HEAD)
    this.#stagedHead = this.#tailSeen = this.#next
    this.#part = this.#stagedPart = load(words, this.#header + PART)
    this.assembled = this.#stagedAssembled = load(words, this.#header + ASSEMBLED)
    this.#taken = load(words, this.#header + TAKEN)
    this.#granted = load(words, this.#header + GRANTED)
    if (this.#isLow()) {
      this.#granted = (this.#taken + this.#maxDemand) | 0
      // CREDIT: the first grant. The writer may wait for it already: whoever makes a reader looks at `isWorthWaking`.
      store(words, this.#header + GRANTED, this.#granted)
    }
  }

  /**
   * Looks at the next frame.
   * @returns its byte offset, or NO_FRAME
   * Cost: no allocation; an atomic load where all frames seen so far are taken.
   */
  poll(): number {
    for (;;) {
      if (this.#next === this.#tailSeen) {
        // PUBLISH: pairs with the store of TAIL in LaneWriter's hand-off. Gives R2.
        this.#tailSeen = load(this.#memory.words, this.#header + TAIL)
        if (this.#gate !== undefined) this.#holdBack(this.#gate)
        if (this.#next === this.#tailSeen) return NO_FRAME
      }
      const at = this.#ring + (this.#next & (this.#ringBytes - 1))
      const bytes = this.#memory.words[(at >> 2) + FRAME_BYTES]!
      if (bytes > 0) return at
      this.#next = (this.#next - bytes) | 0
    }
  }

  /** Goes past the frame that `poll` showed; it stays the reader's until it is released. Returns its position. */
  take(at: number): number {
    const position = this.#next
    this.#next = this.#takenEnd = (position + this.#memory.words[(at >> 2) + FRAME_BYTES]!) | 0
    return position
  }

  /** Byte offset of the frame at a position that is taken and not yet released. */
  offsetOf(position: number): number {
    return this.#ring + (position & (this.#ringBytes - 1))
  }

  /** Records of the frame at HEAD that are released already: the first frame that a successor polls starts after them. */
  get part(): number {
    return this.#part
  }

  /** Nothing comes here any more, and all that came is taken. */
  get hasEnded(): boolean {
    // END: pairs with the store of ENDED in LaneWriter's hand-off. The look for a frame comes after this load, so it sees the last one.
    return load(this.#memory.words, this.#header + ENDED) === 1 && this.poll() === NO_FRAME && !this.#isHeldBack
  }

  /** All that came by versions before this one is taken. */
  hasReachedSwitch(version: number): boolean {
    const { words } = this.#memory
    // ROUTE: as in #holdBack.
    if (load(words, this.#header + ROUTED) !== version) return false
    return ((this.#next - load(words, this.#header + SWITCH)) | 0) >= 0
  }

  /** Number of the last flush whose marker was handed on here. */
  get mark(): number {
    return load(this.#memory.words, this.#header + MARKER)
  }

  /** Whether all before the last marker is taken, and, where `isReleased`, given back. Ask for `mark` first (M1). */
  isPastMarker(isReleased: boolean): boolean {
    // Behind what is taken may lie padding, which `poll` has passed.
    const position = isReleased && this.hasTaken ? this.#released : this.#next
    return ((position - load(this.#memory.words, this.#header + MARKER_AT)) | 0) >= 0
  }

  /** True where frames are taken and not yet released. */
  get hasTaken(): boolean {
    return this.#takenEnd !== this.#released
  }

  /** Where HEAD will stand after the next hand-off. */
  get releasedPosition(): number {
    return this.#released
  }

  /** Position after the last frame that was taken. */
  get position(): number {
    return this.#next
  }

  /**
   * Gives back all before `position` (the end of a taken frame, or the start of one of which `part` records are done);
   * `count` are the records that this adds to those released before.
   */
  release(position: number, part: number, count: number): void {
    this.#released = position
    this.#part = part
    this.#taken = (this.#taken + count) | 0
  }

  /** Records that are on the lane, those in hand included. */
  get depth(): number {
    return (load(this.#memory.words, this.#header + SENT) - this.#taken) | 0
  }

  /** Whether the writer waits for room or credit here. */
  get isWanted(): boolean {
    return load(this.#memory.words, this.#header + WANTING) !== 0
  }

  /** How many of the oldest records the writer asks to drop. */
  get toDrop(): number {
    return Math.max(0, (load(this.#memory.words, this.#header + DROP_TO) - this.#taken) | 0)
  }

  /** Adds this lane's new words to the hand-off. */
  stage(journal: Journal): void {
    if (this.assembled !== this.#stagedAssembled) {
      journal.set(this.#header + ASSEMBLED, this.assembled)
      this.#stagedAssembled = this.assembled
    }
    if (this.#released === this.#stagedHead && this.#part === this.#stagedPart) return
    journal.set(this.#header + TAKEN, this.#taken)
    if (this.#part !== this.#stagedPart) journal.set(this.#header + PART, this.#part)
    this.#hasGranted = this.#isLow()
    if (this.#hasGranted) {
      this.#granted = (this.#taken + this.#maxDemand) | 0
      // CREDIT: pairs with the loads of GRANTED in LaneWriter.
      journal.set(this.#header + GRANTED, this.#granted)
    }
    // REUSE: pairs with the load of HEAD in LaneWriter.claim. All reads of the released bytes come before this store.
    if (this.#released !== this.#stagedHead) journal.set(this.#header + HEAD, this.#released)
    this.#stagedHead = this.#released
    this.#stagedPart = this.#part
  }

  /**
   * At the start and after a hand-off: whether a writer that waits here has enough to go on with. Waking it for every frame
   * would cost a switch of threads each; so it waits until credit was granted, or, if it has credit, half of the ring is free.
   */
  get isWorthWaking(): boolean {
    const wanting = load(this.#memory.words, this.#header + WANTING)
    if (this.#hasGranted || wanting !== FOR_ROOM) return this.#hasGranted && wanting !== 0
    // Not what was seen of the lane: that may be long ago, and the rest of it full.
    return 2 * ((load(this.#memory.words, this.#header + TAIL) - this.#released) | 0) <= this.#ringBytes
  }

  /** Frames that were sent by a version that the gate does not let pass are not looked at. */
  #holdBack(gate: Gate): void {
    const { words } = this.#memory
    // ROUTE: pairs with the store of ROUTED in LaneWriter's hand-off. This load comes after that of TAIL, so whoever sees a frame
    // behind the switch sees the switch.
    this.#isHeldBack = !gate.mayPass(load(words, this.#header + ROUTED))
    if (this.#isHeldBack) this.#tailSeen = load(words, this.#header + SWITCH)
  }

  #isLow(): boolean {
    return ((this.#granted - this.#taken) | 0) <= this.#minDemand
  }
}

/**
 * The first grant of a lane, made before there are workers: a writer that is ready before its reader has credit, and one that
 * drops what has none drops nothing.
 */
export function grantFirst({ words }: Memory, { offset, maxDemand }: LaneLayout): void {
  store(words, offset / 4 + GRANTED, maxDemand)
}
