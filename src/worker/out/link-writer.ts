import { MillraceError } from '../../errors.ts'
import { isAsleep, ring } from '../../lane/doorbell.ts'
import { mixed } from '../../lane/ids.ts'
import type { Journal } from '../../lane/journal.ts'
import { ABORT_FRAGMENTS, FIRST_FRAGMENT, FRAGMENT, LAST_FRAGMENT, align, headerBytes } from '../../memory/lane.ts'
import { type Memory, viewMemory } from '../../memory/memory.ts'
import { type ChunkHeader, NO_ROOM } from '../../lane/writer.ts'
import type { LaneEnd, LinkPlan, Plan } from '../../plan/types.ts'
import { EDGE_COUNTER } from '../../memory/counters.ts'
import type { Dispatcher } from './dispatch.ts'
import { SizingWords } from '../../lane/sizing.ts'
import { deriveBase, type Member, partSalt, portionOf } from '../chunk.ts'
import { OutLane } from './out-lane.ts'
import { LaneQueue } from './lane-queue.ts'
import type { Settlement } from './settlement.ts'
import type { Recorder } from '../trace/recorder.ts'

/** A record that goes in fragments: its bytes, and how many of them are on the lane. */
interface Fragments {
  readonly queue: LaneQueue
  readonly lane: OutLane
  readonly bytes: Buffer
  sent: number
}

/** Workers of a stage, and so lanes of a link, at most. */
const MAX_LANES = 512

/** The dispatcher of a link for so many lanes, which has sent so many records before. */
type DispatcherOf = (lanes: number, sentBefore: number) => Dispatcher | undefined

/** Called for a record that cannot be sent. */
export type Refuse = (origin: number, value: unknown, error: unknown) => void

/** The writing side of a link: all lanes from this worker to the workers of the next stage. */
export class LinkWriter {
  readonly link: LinkPlan
  /** Of a batch whose records go on one by one: the chunk of each, by origin. What has none there came of the whole batch. */
  members: readonly Member[] | undefined
  readonly #memory: Memory
  readonly #all: readonly OutLane[]
  /** Those to workers that the next stage has. */
  #lanes: readonly OutLane[]
  /** One queue for all lanes (by demand), or one for each. */
  readonly #queues: readonly LaneQueue[]
  /** Those of `#lanes`, where each has one. */
  #open: readonly LaneQueue[]
  #dispatcher: Dispatcher | undefined
  readonly #dispatcherOf: DispatcherOf
  /** Absent where the next stage cannot be resized. */
  readonly #sizing: SizingWords | undefined
  /** Records of the chunk in hand that were dispatched, and how many of them an earlier life had handed on by an earlier version. */
  #dispatched = 0
  #before = 0
  readonly #counters: Float64Array
  readonly #at: number
  readonly #settlement: Settlement
  readonly #keepsIds: boolean
  readonly #recorder: Recorder | undefined
  readonly #maxRecordBytes: number
  readonly #header = {
    slot: 0,
    furtherAnchors: [] as readonly number[],
    baseLow: 0,
    baseHigh: 0,
    first: 0,
    salt: 0,
    attempt: 0,
    trace: 0,
  }
  #fragments: Fragments | undefined
  /** Records that a frame must hold to be all that comes of the chunk in hand; none can be where this is 0. */
  #whole = 0

  constructor(given: {
    memory: Memory
    plan: Plan
    link: LinkPlan
    ends: readonly LaneEnd[]
    dispatcherOf: DispatcherOf
    counters: Float64Array
    /** Index of the edge's block among them. */
    at: number
    settlement: Settlement
    /** Each record that comes here is the only one of its input: it keeps the input's id. */
    keepsIds: boolean
    recorder?: Recorder | undefined
  }) {
    const { memory, plan, link, ends } = given
    this.link = link
    this.#memory = memory
    this.#all = this.#lanes = ends.map((end) => new OutLane(memory, plan, link, end))
    this.#dispatcherOf = given.dispatcherOf
    const sizing = plan.stages[link.to]!.sizing
    this.#sizing = sizing === undefined ? undefined : new SizingWords(memory, sizing)
    this.#lanes = this.#lanesBy(this.routed)
    this.#dispatcher = this.#dispatcherOf(this.#lanes.length, this.#sentBefore)
    this.#queues = this.#dispatcher === undefined ? [new LaneQueue()] : ends.map(() => new LaneQueue())
    this.#open = this.#queues.slice(0, this.#lanes.length)
    this.#counters = given.counters
    this.#at = given.at
    this.#settlement = given.settlement
    this.#recorder = given.recorder
    this.#keepsIds = given.keepsIds && this.#dispatcher?.copies !== true
    this.#maxRecordBytes = plan.maxRecordBytes
    this.#passOver(this.#all[0]!.writer.route.before)
    this.#all.forEach((lane, i) => (this.#queues[this.#dispatcher === undefined ? 0 : i]!.skip += lane.sent))
  }

  add(value: unknown, origin: number): void {
    if (this.#dispatcher === undefined) return this.#queues[0]!.add(value, origin)
    if (this.#sizing !== undefined && this.#dispatched++ < this.#before) return
    this.#dispatcher.dispatch(value, origin, this.#open)
  }

  /** Adds values[from], … before `to`, whose origins are their indexes. False where they go record by record. */
  addRun(values: ArrayLike<unknown>, from: number, to: number): boolean {
    return this.#dispatcher === undefined && from === 0 && this.#queues[0]!.adopt(values, to)
  }

  /** Records that may be sent now, over all lanes; more than can be where the lane of a record is not a choice. */
  credit(): number {
    if (this.link.whenFull === 'dropNewest') return Infinity
    let credit = 0
    for (const { writer } of this.#lanes) credit += Math.max(0, writer.freshCredit())
    return credit
  }

  /** Says to the readers whether this worker waits for them. */
  want(wanting: boolean): void {
    for (const lane of this.#lanes) this.#wantOf(lane, wanting)
  }

  /** Records that wait. */
  get waiting(): number {
    let waiting = 0
    for (const queue of this.#queues) waiting += queue.count - queue.next
    return waiting
  }

  /**
   * Writes what waits, as far as credit and room allow.
   * @param header of the chunk that the records came of
   * @param isWhole what waits here is one record for each of the chunk's, and nothing else comes of it
   * @returns whether nothing waits any more
   */
  flush(header: ChunkHeader, isWhole: boolean, stamp: number, refuse: Refuse): boolean {
    let isDone = true
    this.#whole = isWhole && this.members === undefined ? this.waiting : 0
    for (const lane of this.#lanes) lane.isFull = false
    for (let i = 0; i < this.#queues.length; i++) {
      const queue = this.#queues[i]!
      if (queue.isEmpty) continue
      // A record in fragments goes whole before any other: what it was cut into is no other queue's.
      if (this.#fragments !== undefined && this.#fragments.queue !== queue) {
        isDone = false
        continue
      }
      isDone = this.#flushQueue(queue, i, header, stamp, refuse) && isDone
      if (queue.isEmpty) queue.compact()
    }
    return isDone
  }

  /**
   * Ends records in fragments that an earlier life of this worker began; false where there is no room to say so yet. Until then
   * their readers take no other record in fragments, and this worker may send them to other lanes.
   */
  abortFragments(stamp: number): boolean {
    for (const lane of this.#all) {
      const { writer } = lane
      if (!writer.isPending || this.#fragments?.lane === lane) continue
      const at = writer.claim(writer.usualClaimBytes)
      if (at === NO_ROOM) return false
      const header = {
        ...this.#header,
        slot: 0,
        furtherAnchors: [],
        attempt: FRAGMENT | FIRST_FRAGMENT | ABORT_FRAGMENTS,
        trace: 0,
      }
      writer.append(at, writer.body(at, 0), 0, header, stamp)
      writer.isPending = false
    }
    return true
  }

  /** The chunk in hand is wholly on its way: the next one starts anew. */
  endChunk(): void {
    for (const queue of this.#queues) queue.reset()
    for (const lane of this.#all) {
      lane.sent = 0
      lane.writer.resume = 0
    }
    if (this.#sizing === undefined) return
    this.#dispatched = this.#before = 0
    this.#all[0]!.writer.route.before = 0
  }

  /** All that was sent here is with the next stage. */
  get isDrained(): boolean {
    return this.#all.every(({ writer }) => writer.isDrained)
  }

  /** Version of the next stage's sizing by which records are dispatched; 0 where it cannot be resized. */
  get routed(): number {
    return this.#all[0]!.writer.route.version
  }

  get isResizable(): boolean {
    return this.#sizing !== undefined
  }

  /** The next stage is resized, and this link may follow: nothing waits that was dispatched before. */
  get isBehind(): boolean {
    if (this.#sizing === undefined || this.#sizing.version === this.routed || this.waiting > 0) return false
    // What an earlier life has half sent is to be passed over first: by its version.
    return (
      this.#dispatcher === undefined ||
      (this.#dispatched >= this.#before && this.#queues.every(({ skip }) => skip === 0))
    )
  }

  /**
   * Follows the next stage's sizing from the next hand-off on; that comes before anything else is dispatched. Of a chunk that is half
   * sent, what is dispatched by now stays where it is, and a successor passes over it whichever lanes it would choose.
   */
  reroute(): void {
    const version = this.#sizing!.version
    for (const { writer } of this.#all) writer.route.version = version
    const lanes = this.#lanesBy(version)
    // Nobody is to wait for a worker that is about to leave.
    for (const lane of this.#lanes) if (!lanes.includes(lane)) this.#wantOf(lane, false)
    this.#lanes = lanes
    this.#open = this.#queues.slice(0, lanes.length)
    if (this.#dispatcher === undefined) return
    for (const lane of this.#all) lane.sent = lane.writer.resume = 0
    this.#dispatcher = this.#dispatcherOf(lanes.length, this.#sentBefore)
    this.#passOver(Math.max(this.#before, this.#dispatched))
  }

  /** So many records of the chunk in hand went by an earlier version: a successor does not dispatch them, nor use their ids again. */
  #passOver(records: number): void {
    this.#before = this.#all[0]!.writer.route.before = records
    for (const queue of this.#queues) queue.before = Math.max(queue.before, records)
  }

  /** From the next hand-off on, nothing is sent any more. @returns whether that is news */
  end(): boolean {
    let isNews = false
    for (const { writer } of this.#all) isNews = writer.end() || isNews
    return isNews
  }

  /** From the next hand-off on, the marker of a flush stands behind all that was sent. */
  putMarker(number: number): void {
    for (const { writer } of this.#all) writer.putMarker(number)
  }

  /** Number of the last flush whose marker stands on these lanes. */
  get mark(): number {
    return this.#all[0]?.writer.mark ?? 0
  }

  get hasUncommitted(): boolean {
    for (const { writer } of this.#all) if (writer.hasUncommitted || writer.route.isNew) return true
    return false
  }

  /** Before a hand-off in the middle of a chunk: how far a successor must pass over what it makes again. */
  markResume(): void {
    for (const lane of this.#all) lane.writer.resume = lane.sent
  }

  stage(journal: Journal): void {
    for (const lane of this.#all) {
      lane.mustWake ||= lane.writer.hasUncommitted || lane.writer.hasNews || lane.writer.route.isNew
      lane.writer.stage(journal)
    }
  }

  /**
   * After a hand-off: wakes the readers that wait.
   * @param all or only those that sleep, and those for whom enough has come together
   */
  wakePeers(all: boolean): void {
    for (const lane of this.#all) {
      if (!lane.mustWake) continue
      if (!all && lane.untold < lane.worthTelling && !isAsleep(this.#memory.words, lane.peerDoorbell)) continue
      ring(this.#memory.words, lane.peerDoorbell)
      lane.mustWake = false
      lane.untold = 0
    }
  }

  /** The lanes to the workers that the next stage has by a version. */
  #lanesBy(version: number): readonly OutLane[] {
    return this.#sizing === undefined ? this.#all : this.#all.slice(0, this.#sizing.workers(version))
  }

  get #sentBefore(): number {
    return this.#all.reduce((sum, { writer }) => sum + writer.sentBefore, 0)
  }

  #flushQueue(queue: LaneQueue, index: number, header: ChunkHeader, stamp: number, refuse: Refuse): boolean {
    while (queue.skip > 0 && !queue.isEmpty) {
      queue.next++
      queue.skip--
    }
    while (!queue.isEmpty) {
      const lane = this.#fragments?.lane ?? this.#pick(index)
      if (lane !== undefined) {
        lane.isFull = !this.#send(lane, queue, header, stamp, refuse)
        if (!lane.isFull || this.#isChoice) continue
      }
      if (this.link.whenFull !== 'dropNewest' || this.#fragments !== undefined) {
        this.#want(index)
        return false
      }
      this.#counters[this.#at + EDGE_COUNTER.dropped]! += queue.count - queue.next
      this.#settleDropped(queue, header)
      if (this.#recorder?.isOn === true)
        this.#recorder.lost(this.link, queue.origin(queue.next), queue.count - queue.next)
      queue.next = queue.count
    }
    return true
  }

  /** What waits was dropped. */
  #settleDropped(queue: LaneQueue, header: ChunkHeader): void {
    if (this.members === undefined) return this.#settlement.drop(header, queue.count - queue.next)
    for (let i = queue.next; i < queue.count; i++)
      this.#settlement.drop(this.members[queue.origin(i)]?.header ?? header, 1)
  }

  /** The index behind the last record that may go in one frame with the next one. */
  #endOfRun(queue: LaneQueue): number {
    const { members } = this
    if (members === undefined) return queue.count
    let end = queue.next + 1
    const first = members[queue.origin(queue.next)]
    for (; end < queue.count; end++) {
      const member = members[queue.origin(end)]
      if (member?.header !== first?.header) break
      if (first !== undefined && member!.index !== first.index + end - queue.next) break
    }
    return end
  }

  /** Several lanes may take the records of the queue. */
  get #isChoice(): boolean {
    return this.#dispatcher === undefined && this.#lanes.length > 1 && this.#fragments === undefined
  }

  /** The lane for the next records of a queue: its own, or the one with most credit. */
  #pick(index: number): OutLane | undefined {
    if (!this.#isChoice) {
      const lane = this.#lanes[index]!
      return lane.writer.credit() > 0 ? lane : undefined
    }
    let best: OutLane | undefined
    let most = 0
    for (const lane of this.#lanes) {
      const credit = lane.isFull ? 0 : lane.writer.freshCredit()
      if (credit <= most) continue
      most = credit
      best = lane
    }
    return best
  }

  #want(index: number): void {
    if (this.#dispatcher === undefined) for (const lane of this.#lanes) this.#wantOf(lane, true)
    else this.#wantOf(this.#lanes[index]!, true)
  }

  #wantOf(lane: OutLane, wanting: boolean): void {
    if (lane.writer.want(wanting)) ring(this.#memory.words, lane.peerDoorbell)
  }

  /** Writes one frame of as many records as fit; false where the lane has no room. */
  #send(lane: OutLane, queue: LaneQueue, given: ChunkHeader, stamp: number, refuse: Refuse): boolean {
    const member = this.members?.[queue.origin(queue.next)]
    const header = member?.header ?? given
    if (this.#fragments !== undefined) return this.#sendFragment(this.#fragments, queue, header, given.trace, stamp)
    const { writer, encoder } = lane
    const at = writer.claim(lane.claimBytes)
    if (at === NO_ROOM) return false
    const body = writer.body(at, header.furtherAnchors.length)
    const last = Math.min(queue.next + writer.credit(), this.#endOfRun(queue))
    // So a record above `maxRecordBytes` does not fit a frame either, however much room there is.
    const limit = Math.min(writer.limit, body + align(this.#maxRecordBytes))
    let encoded = 0
    try {
      if (body < limit) encoded = encoder.encode(this.#memory, queue.values, queue.next, last, body, limit)
    } catch (error) {
      this.#refuseNext(queue, error, refuse)
      return true
    }
    if (encoded === 0) return this.#sendLarge(lane, queue, writer.limit - at, refuse)
    lane.claimBytes = writer.usualClaimBytes
    this.#identify(queue, header, encoded)
    // All that comes of a traced batch is traced.
    this.#header.trace = given.trace
    const bytes = writer.append(at, encoder.end, encoded, this.#header, stamp)
    this.#counters[this.#at + EDGE_COUNTER.bytes]! += bytes
    this.#sent(lane, queue, encoded, bytes)
    return true
  }

  /** The record does not fit `room`: asks for the room of the largest frame, or cuts the record into fragments. */
  #sendLarge(lane: OutLane, queue: LaneQueue, room: number, refuse: Refuse): boolean {
    if (room < lane.writer.maxFrameBytes) {
      lane.claimBytes = lane.writer.maxFrameBytes
      return true
    }
    try {
      this.#fragments = { queue, lane, bytes: this.#encodeAlone(lane, queue.values[queue.next]), sent: 0 }
    } catch (error) {
      this.#refuseNext(queue, error, refuse)
    }
    lane.claimBytes = lane.writer.usualClaimBytes
    return true
  }

  #refuseNext(queue: LaneQueue, error: unknown, refuse: Refuse): void {
    const index = queue.next++
    queue.isDense = false
    refuse(queue.origin(index), queue.values[index], error)
  }

  #encodeAlone(lane: OutLane, value: unknown): Buffer {
    for (let bytes = 4 * lane.writer.maxFrameBytes; ; bytes *= 4) {
      const room = Math.min(bytes, align(this.#maxRecordBytes))
      const memory = viewMemory(new ArrayBuffer(room))
      if (lane.encoder.encode(memory, [value], 0, 1, 0, room) === 1)
        return memory.bytes.subarray(0, align(lane.encoder.end))
      if (bytes > this.#maxRecordBytes)
        throw new MillraceError('RECORD_TOO_LARGE', { maxRecordBytes: this.#maxRecordBytes })
    }
  }

  #sendFragment(fragments: Fragments, queue: LaneQueue, header: ChunkHeader, trace: number, stamp: number): boolean {
    const { lane, bytes } = fragments
    const { writer } = lane
    // As much room for the record as for a long header: the plan has made the ring large enough for both.
    const least = 2 * headerBytes(header.furtherAnchors.length)
    const at = writer.claim(Math.max(writer.usualClaimBytes, least))
    if (at === NO_ROOM) return false
    const body = writer.body(at, header.furtherAnchors.length)
    const end = Math.min(bytes.byteLength, fragments.sent + writer.limit - body)
    const isLast = end === bytes.byteLength
    bytes.copy(this.#memory.bytes, body, fragments.sent, end)
    this.#identify(queue, header, 1)
    this.#header.trace = trace
    this.#header.attempt |= FRAGMENT | (fragments.sent === 0 ? FIRST_FRAGMENT : 0) | (isLast ? LAST_FRAGMENT : 0)
    this.#counters[this.#at + EDGE_COUNTER.bytes]! += writer.append(
      at,
      body + end - fragments.sent,
      isLast ? 1 : 0,
      this.#header,
      stamp,
    )
    fragments.sent = end
    writer.isPending = !isLast
    if (isLast) {
      this.#fragments = undefined
      this.#sent(lane, queue, 1, bytes.byteLength)
    }
    return true
  }

  /** Ids of the next `count` records: their inputs' where they may keep them, otherwise of a base of their own. */
  #identify(queue: LaneQueue, header: ChunkHeader, count: number): void {
    const own = this.#header
    own.slot = header.slot
    own.furtherAnchors = header.furtherAnchors
    own.trace = header.trace
    // Attempts are counted per stage; a retry edge leads the record back to the stage that failed it.
    own.attempt = this.link.pathType === 'retry' ? header.attempt + 1 : 0
    const member = this.members?.[queue.origin(queue.next)]
    if (this.#keepsIds && (queue.isDense || count === 1 || member !== undefined)) {
      own.baseLow = header.baseLow
      own.baseHigh = header.baseHigh
      own.first = (header.first + (member?.index ?? queue.origin(queue.next))) | 0
      // Only a frame that is all that comes of the chunk may go on under its id (see `slots.ts`, S2).
      own.salt = count === this.#whole ? header.salt : partSalt(header.salt, own.first)
      return
    }
    const owner = member === undefined ? header : portionOf(header, member.index)
    deriveBase(owner, this.link.index * MAX_LANES + this.#queues.indexOf(queue) + 1)
    own.baseLow = mixed.low
    own.baseHigh = mixed.high
    own.first = queue.before + queue.next
    own.salt = 0
  }

  #sent(lane: OutLane, queue: LaneQueue, count: number, bytes: number): void {
    if (this.#recorder?.isOn === true) this.#recorder.sent(this.link, this.#header, queue, queue.next, count, bytes)
    this.#settlement.toggle(this.#header)
    queue.next += count
    lane.sent += count
    lane.untold += count
    this.#counters[this.#at + EDGE_COUNTER.records]! += count
    if (this.link.whenFull === 'dropOldest') lane.writer.askToDrop(this.link.capacity)
  }
}
