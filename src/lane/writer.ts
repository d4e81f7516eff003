import { load, store } from '#atomics'
import type { Journal } from './journal.ts'
import type { LaneLayout } from '../memory/lane.ts'
import {
  FOR_CREDIT,
  FOR_ROOM,
  FRAME_ANCHORS,
  FRAME_ATTEMPT,
  FRAME_BASE_HIGH,
  FRAME_BASE_LOW,
  FRAME_BYTES,
  FRAME_COUNT,
  FRAME_FIRST,
  FRAME_HEADER_BYTES,
  FRAME_SALT,
  FRAME_SLOT,
  FRAME_STAMP,
  stampHigh,
  GRANTED,
  HEAD,
  DROP_TO,
  ENDED,
  MARKER,
  MARKER_AT,
  PENDING,
  RESUME,
  SENT,
  TAKEN,
  TAIL,
  WANTING,
  align,
  headerBytes,
  maxFrameBytes,
  ringOffset,
} from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'
import { LaneRoute } from './route.ts'

const HALF_OF_ALL = 2 ** 30

/** Not an offset: the ring has no room just now. Full is normal, so it is a value. */
export const NO_ROOM = -1

/** What a frame says of the chunk in it. `furtherAnchors` holds the anchors after the first one. */
export interface ChunkHeader {
  slot: number
  readonly furtherAnchors: readonly number[]
  baseLow: number
  baseHigh: number
  first: number
  salt: number
  attempt: number
  /** TRACED, GAP, both or 0 (`memory/lane.ts`). */
  trace: number
}

/**
 * The writing side of a lane. Frames are written beyond TAIL, where no one looks; `stage` and the journal make them
 * visible.
 *
 * Invariants (test/lane/ring.test.ts, test/interleave):
 *   W1  TAIL - HEAD is never negative and never more than the ring's bytes
 *   W2  nothing in [HEAD, TAIL) is written; the writer writes in [TAIL, HEAD + ring) only
 *   W3  SENT never passes GRANTED
 *   W4  TAIL, SENT, RESUME and WANTING are stored by this worker only
 */
export class LaneWriter {
  /** First byte after the room of the last `claim`. */
  limit = 0
  readonly maxFrameBytes: number
  readonly route: LaneRoute
  /** The claim that is tried first: room for less is not worth a look. */
  readonly usualClaimBytes: number
  readonly #memory: Memory
  readonly #header: number
  readonly #ring: number
  readonly #ringBytes: number
  #tail: number
  #sent: number
  #resume: number
  #stagedTail: number
  #stagedResume: number
  #headSeen: number
  #grantedSeen: number
  #wanting: number
  #pending: boolean
  #stagedPending: boolean
  #ended: boolean
  #stagedEnded: boolean
  #mark: number
  #markAt: number
  #stagedMark: number

  constructor(memory: Memory, layout: LaneLayout) {
    this.#memory = memory
    this.#header = layout.offset / 4
    this.#ring = ringOffset(layout)
    this.#ringBytes = layout.ringBytes
    this.maxFrameBytes = maxFrameBytes(layout.ringBytes)
    this.usualClaimBytes = layout.ringBytes >> 3
    // A successor goes on where the words say that its predecessor's last hand-off ended.
    this.#tail = this.#stagedTail = load(memory.words, this.#header + TAIL)
    this.#sent = load(memory.words, this.#header + SENT)
    this.#resume = this.#stagedResume = load(memory.words, this.#header + RESUME)
    this.#headSeen = load(memory.words, this.#header + HEAD)
    this.#grantedSeen = load(memory.words, this.#header + GRANTED)
    this.#wanting = load(memory.words, this.#header + WANTING)
    this.#pending = this.#stagedPending = load(memory.words, this.#header + PENDING) === 1
    this.#mark = this.#stagedMark = load(memory.words, this.#header + MARKER)
    this.#markAt = load(memory.words, this.#header + MARKER_AT)
    this.#ended = this.#stagedEnded = load(memory.words, this.#header + ENDED) === 1
    this.route = new LaneRoute(memory, layout)
  }

  /** Number of the last flush whose marker stands here, with the next hand-off. */
  get mark(): number {
    return this.#mark
  }

  /** From the next hand-off on, the marker of a flush stands behind all that was written here. */
  putMarker(number: number): void {
    this.#mark = number
    this.#markAt = this.#tail
  }

  /** Records that may be sent now. */
  credit(): number {
    const credit = (this.#grantedSeen - this.#sent) | 0
    if (credit > 0) return credit
    // CREDIT: pairs with the store of GRANTED in LaneReader's hand-off. The reader has released what it grants for.
    this.#grantedSeen = load(this.#memory.words, this.#header + GRANTED)
    return (this.#grantedSeen - this.#sent) | 0
  }

  /** The newest credit, however much is known already: for a choice between lanes. */
  freshCredit(): number {
    this.#grantedSeen = load(this.#memory.words, this.#header + GRANTED)
    return (this.#grantedSeen - this.#sent) | 0
  }

  /**
   * Claims room for one frame of at least `bytes`, and as much more as lies there, up to `limit` and the largest frame.
   * @param bytes at most `maxFrameBytes`
   * @returns byte offset of the frame, or NO_ROOM
   * Cost: no allocation, at most one atomic load.
   */
  claim(bytes: number): number {
    let free = (this.#ringBytes - (this.#tail - this.#headSeen)) | 0
    const atEnd = this.#ringBytes - (this.#tail & (this.#ringBytes - 1))
    if (Math.min(free, atEnd) < bytes) {
      // REUSE: pairs with the store of HEAD in LaneReader's hand-off. The reader's last looks at the bytes come before
      // that store, so it cannot see what is written after this load. Gives W2.
      this.#headSeen = load(this.#memory.words, this.#header + HEAD)
      free = (this.#ringBytes - (this.#tail - this.#headSeen)) | 0
      if (Math.min(free, atEnd) < bytes) {
        if (atEnd >= bytes || free - atEnd < bytes) return NO_ROOM
        this.#pad(atEnd)
        free -= atEnd
      }
    }
    const at = this.#tail & (this.#ringBytes - 1)
    this.limit = this.#ring + at + Math.min(free, this.#ringBytes - at, this.maxFrameBytes)
    return this.#ring + at
  }

  /**
   * Writes the header of the frame at `at` (from `claim`), whose records end at `end`.
   * @returns bytes of the frame
   */
  append(at: number, end: number, count: number, header: ChunkHeader, stamp: number): number {
    const bytes = align(end - at)
    const words = this.#memory.words
    const frame = at >> 2
    const further = header.furtherAnchors
    words[frame + FRAME_BYTES] = bytes
    words[frame + FRAME_COUNT] = count
    words[frame + FRAME_SLOT] = header.slot
    words[frame + FRAME_ANCHORS] = further.length | header.trace
    words[frame + FRAME_BASE_LOW] = header.baseLow
    words[frame + FRAME_BASE_HIGH] = header.baseHigh
    words[frame + FRAME_FIRST] = header.first
    words[frame + FRAME_ATTEMPT] = header.attempt | stampHigh(stamp)
    words[frame + FRAME_STAMP] = stamp
    words[frame + FRAME_SALT] = header.salt
    for (let i = 0; i < further.length; i++) words[frame + FRAME_HEADER_BYTES / 4 + i] = further[i]!
    this.#tail = (this.#tail + bytes) | 0
    this.#sent = (this.#sent + count) | 0
    return bytes
  }

  /** Offset of the records of a frame at `at` with so many further anchors. */
  body(at: number, furtherAnchors: number): number {
    return at + headerBytes(furtherAnchors)
  }

  /** True while frames are written that no hand-off has made visible. */
  get hasUncommitted(): boolean {
    return this.#tail !== this.#stagedTail
  }

  /** Records ever sent, those of earlier lives too, but for the outputs that a successor makes again. */
  get sentBefore(): number {
    return (this.#sent - this.#resume) >>> 0
  }

  /** The reader has given back all that was ever sent here. */
  get isDrained(): boolean {
    return load(this.#memory.words, this.#header + TAKEN) === this.#sent
  }

  /** Outputs of the chunk in hand that an earlier hand-off made visible on this lane. */
  get resume(): number {
    return this.#resume
  }

  set resume(outputs: number) {
    this.#resume = outputs
  }

  /** Whether a record in fragments is begun here and not ended. */
  get isPending(): boolean {
    return this.#pending
  }

  set isPending(pending: boolean) {
    this.#pending = pending
  }

  /** From the next hand-off on, nothing comes here any more. @returns whether that is news */
  end(): boolean {
    if (this.#ended) return false
    this.#ended = true
    return true
  }

  /** The end, or a marker, is said, and no hand-off has told so yet. */
  get hasNews(): boolean {
    return this.#ended !== this.#stagedEnded || this.#mark !== this.#stagedMark
  }

  /** Adds this lane's new words to the hand-off. */
  stage(journal: Journal): void {
    if (this.#tail !== this.#stagedTail) {
      journal.set(this.#header + SENT, this.#sent)
      // PUBLISH: pairs with the load of TAIL in LaneReader.poll. The plain stores of the frames come before this store,
      // so a reader that sees the new TAIL sees whole frames.
      journal.set(this.#header + TAIL, this.#tail)
      this.#stagedTail = this.#tail
    }
    if (this.#pending !== this.#stagedPending) {
      journal.set(this.#header + PENDING, this.#pending ? 1 : 0)
      this.#stagedPending = this.#pending
    }
    if (this.#resume !== this.#stagedResume) {
      journal.set(this.#header + RESUME, this.#resume)
      this.#stagedResume = this.#resume
    }
    if (this.#mark !== this.#stagedMark) {
      // MARKER: M1. Pairs with the loads in LaneReader.markedBefore.
      journal.set(this.#header + MARKER_AT, this.#markAt)
      journal.set(this.#header + MARKER, this.#mark)
      this.#stagedMark = this.#mark
    }
    // After TAIL: what comes by the new version comes behind it.
    this.route.stage(journal, this.#tail)
    if (this.#ended !== this.#stagedEnded) {
      // END: pairs with the load of ENDED in LaneReader.hasEnded. All stores of TAIL come before this store.
      journal.set(this.#header + ENDED, 1)
      this.#stagedEnded = true
    }
  }

  /** Asks the reader to drop its oldest records until no more than `capacity` are on the lane. */
  askToDrop(capacity: number): void {
    const { words } = this.#memory
    const excess = (this.#sent - load(words, this.#header + TAKEN) - capacity) | 0
    const age = (this.#sent - words[this.#header + DROP_TO]!) | 0
    // An old request is renewed before the wrapping counter makes it look like a new one.
    if (excess > 0 || age > HALF_OF_ALL) store(words, this.#header + DROP_TO, (this.#sent - capacity) | 0)
  }

  /**
   * Says to the reader, and to those who watch, that this writer waits here.
   * @returns whether that is news that a reader has to be woken for: it may hold records back, for a batch that cannot grow
   */
  want(wanting: boolean): boolean {
    // A grant that comes after this look is seen in the last look before the wait, as any other change (WAKE).
    const what = !wanting ? 0 : this.credit() > 0 ? FOR_ROOM : FOR_CREDIT
    if (what === this.#wanting) return false
    const isNews = wanting && this.#wanting === 0
    this.#wanting = what
    store(this.#memory.words, this.#header + WANTING, what)
    return isNews
  }

  #pad(bytes: number): void {
    this.#memory.words[(this.#ring + (this.#tail & (this.#ringBytes - 1))) >> 2] = -bytes
    this.#tail = (this.#tail + bytes) | 0
  }
}
