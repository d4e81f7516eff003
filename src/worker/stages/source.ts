import { MillraceError, errorText } from '../../errors.ts'
import { load } from '#atomics'
import { Marked, type SourceContext } from '../../plan/definition.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { askForFlush } from '../ask-for-flush.ts'
import type { Journal } from '../../lane/journal.ts'
import { NO_SLOT, anchorOf } from '../../memory/slots.ts'
import { type TraceParent, parseParent, writeParent } from '../../lane/trace-parent.ts'
import { recordHeadOf } from '../source/record-head.ts'
import { writeHead } from '../../memory/heads.ts'
import { COMMAND, PAUSED } from '../../memory/control.ts'
import type { SourcePlan } from '../../plan/source-plan.ts'
import { COUNTER } from '../../memory/counters.ts'
import { Chunk } from '../chunk.ts'
import { Flushes } from '../source/flushes.ts'
import { ChunkSize } from '../source/pacing.ts'
import { RecordIds } from '../source/record-ids.ts'
import { SlotEnds } from './slot-ends.ts'
import { type Further, Handoff } from '../handoff.ts'
import {
  BLOCKED,
  ENDED,
  LIMITED,
  PROGRESS,
  type Parts,
  STARVED,
  type SourceSide,
  type Stage,
  type Step,
  WAITING,
} from '../stage.ts'
import { type Sender, Unit } from '../unit.ts'
import type { Recorder } from '../trace/recorder.ts'
import { Selection } from '../trace/selection.ts'
import { GAP, TRACED } from '../../memory/lane.ts'
import { wallMs } from '../../time.ts'
import { NoSupply, type Supply, Taken, lastSupply, supplyOf } from '../source/supply.ts'

/** A stage that makes records: it takes them from the user's handler a chunk at a time, and opens a slot for each chunk. */
export class SourceStage implements Stage, Sender, Further {
  isAsync: boolean
  readonly #parts: Parts & SourceSide
  readonly #source: SourcePlan
  readonly #unit: Unit
  #supply: Supply
  /** Makes the last records, when the pipeline drains. */
  readonly #last: AnyFunction | undefined
  readonly #ends: SlotEnds
  readonly #size: ChunkSize
  readonly #ids: RecordIds
  readonly #flushes: Flushes
  readonly #selection: Selection | undefined
  readonly #control: number
  /** Records that are taken from the handler and not sent yet. */
  readonly #taken: Taken
  readonly #chunk = new Chunk()
  #isSending = false
  #slot = NO_SLOT
  /** There was no room for receipts; a hand-off may give some back. */
  #isCramped = false
  /** Records for which there was room at the last look: on their way, on the lanes, and by the rate limit. */
  #room = 0

  constructor(given: Parts) {
    const parts = { ...given, ...given.source! }
    const { worker, stage, progress, clock, handlers } = parts
    this.#parts = parts
    this.#source = stage.source!
    this.#taken = new Taken((marks) => recordHeadOf(stage.node, marks, this.#source.metaBytes))
    this.#control = worker.control.offset / 4
    this.#ids = new RecordIds(parts.memory, parts.plan, worker, progress)
    this.#size = new ChunkSize(this.#source.chunk, clock.now)
    this.#unit = new Unit(parts, new Handoff(parts, [this]))
    this.#flushes = new Flushes(parts)
    if (parts.recorder !== undefined) this.#selection = this.#selectionBy(parts.recorder)
    this.#ends = new SlotEnds({
      parts,
      handoff: this.#unit.handoff,
      context: this.#context(),
      size: this.#size,
      supply: () => this.#supply,
    })
    this.#last = handlers.isDetached ? undefined : handlers.own('finish')
    if (progress.isFinished) this.#supply = over
    else if (handlers.isDetached) this.#supply = new NoSupply()
    else if (progress.last > 0) this.#supply = this.#makeLast(progress.last - 1)
    // A context of its own: what `ack` reads says nothing of where this goes on.
    else this.#supply = parts.supply ?? supplyOf(handlers, this.#context(), progress, parts.wake)
    this.isAsync = this.#supply.isAsync || this.#ends.outcomes !== undefined
    this.#ends.recover(this.#halfSentSlot())
  }

  #selectionBy(recorder: Recorder): Selection {
    const { memory, plan, stage, worker, handlers, report } = this.#parts
    const onThrow = (error: unknown): void => {
      recorder.countThrow()
      report({ name: 'trace.failed', node: stage.node, attempts: 1, error: errorText(error) })
    }
    return new Selection({ memory, plan, stage, worker, predicate: handlers.own('trace'), onThrow })
  }

  get wakeAt(): number {
    return this.#unit.wakeAt
  }

  step(): Step {
    const owed = this.#unit.start()
    if (owed !== undefined) return owed
    const settled = this.#ends.settle()
    if (this.#flushes.step()) this.#unit.handoff.add(1)
    // What it settled gives room to others, and may not have been all: it looks again before it waits for its lanes.
    if (this.#isSending) return this.#send() === PROGRESS || settled ? PROGRESS : BLOCKED
    const made = this.#make()
    if (made === PROGRESS) return PROGRESS
    return settled && !this.#unit.handoff.isDirty ? PROGRESS : this.#unit.wait(made, this.#unit.wakeAt)
  }

  /** The id of a record that was pushed, by its number. */
  idOfPushed(number: number): string {
    return this.#ids.ofPushed(number, this.#supply.kept)
  }

  /** While it makes records it looks at the acks by itself; now it may not for long. */
  beforeSleep(): void {
    for (const reader of this.#parts.acks) reader.want(true)
  }

  /** Whether `ack` is to learn of records yet: of those that are on their way, and of those whose end it was not told. */
  get hasToTell(): boolean {
    const { slots } = this.#parts
    return this.#ends.outcomes !== undefined && (slots.free < slots.capacity || this.#unsentReceipts().length > 0)
  }

  /**
   * The pipeline stops, and all workers below have left: tells `ack` what has ended, and nacks what is left. It is still
   * counted as on its way.
   */
  async nackRest(): Promise<void> {
    // What the ack lanes hold may be more than one hand-off takes.
    while (this.#ends.settle() && this.#unit.commit() === PROGRESS);
    await this.#ends.outcomes!.tellRest(this.#unsentReceipts())
  }

  /** Receipts of records that the handler gave and that were not handed on. */
  #unsentReceipts(): unknown[] {
    // What is being sent has a slot already.
    const taken = this.#isSending ? this.#taken.marks.slice(this.#chunk.count) : this.#taken.marks
    const marks = [
      ...taken,
      ...(this.#supply.left ?? []).map((record) => (record instanceof Marked ? record : undefined)),
    ]
    return marks.map((mark) => mark?.receipt).filter((receipt) => receipt !== undefined)
  }

  /** Makes the next chunk, as far as window, rate and credit allow. */
  #make(): Step {
    const { clock, hand, slots } = this.#parts
    const resumed = hand.isResuming ? slots.count(this.#halfSentSlot()) : 0
    const most = resumed > 0 ? resumed : this.#most()
    if (most <= 0) return this.#whyNot()
    const start = clock.now
    const before = this.#taken.count
    if (before < most) this.#supply.take(most - before, this.#taken, Math.min(this.#source.pollSize, this.#room))
    this.isAsync ||= this.#supply.isAsync
    const { count } = this.#taken
    if (resumed > 0 && this.#supply.isForgetful === true) return this.#forgo(resumed)
    if (count < resumed && this.#supply.isOver) {
      // The first ones of those that were half sent: they fail with the others.
      this.#taken.drop(count)
      return this.#forgo(resumed)
    }
    if (count === 0 || count < resumed) return this.#nothing()
    const taken = count - before
    if (taken > 0) this.#parts.histograms.service.record(((clock.read() - start) * 1e6) / taken, taken)
    if (resumed > 0) return this.#open(this.#name(resumed))
    let named = this.#name(count)
    const alike = this.#taken.alike(named)
    if (alike < named) named = this.#name(alike)
    if (hand.doubts(this.#header(), 0, named)) named = this.#name(1)
    const allowed = this.#allowed(named)
    if (allowed === 0) {
      this.#unit.wakeAt = this.#parts.limit.nextAt(clock.now)
      return LIMITED
    }
    return this.#open(allowed < named ? this.#name(allowed) : named)
  }

  /** Names the first of the records that are taken, at most so many. @returns how many of them one chunk can name */
  #name(most: number): number {
    return this.#ids.name(this.#taken, most, this.#supply.kept)
  }

  /** Of so many records, those that the rate limit lets through now. What is taken when the pipeline drains goes at once. */
  #allowed(records: number): number {
    const { isDraining, clock, limit } = this.#parts
    return isDraining() ? records : limit.take(records, clock.now)
  }

  /** Records that may be made now. */
  #most(): number {
    const { isDraining, outlet, clock, slots, progress, limit } = this.#parts
    if (isDraining()) this.#closeSupply()
    if (slots.free === 0 || this.#isCramped || this.#isPaused) return 0
    if (this.#taken.count > 0) return this.#taken.count
    // What arrives after the end was written down is not taken any more: it is nacked with what is left.
    if (this.#supply.isOver || progress.isFinished) return 0
    // One record is taken ahead of the rate limit: so the end of the records is known with the last of them.
    const allowed = Math.max(1, limit.allowed(clock.now))
    this.#room = Math.min(this.#source.window - this.#ends.inFlight, outlet.demand(), allowed)
    return Math.min(this.#room, this.#size.records)
  }

  /** No more records are wanted but the last ones, which come once all before them is sent. */
  #closeSupply(): void {
    const { progress } = this.#parts
    if (progress.last > 0) return
    this.#supply.close()
    if (this.#last === undefined || progress.isFinished || !this.#supply.isOver || this.#taken.count > 0) return
    if (this.#supply.error !== undefined) return
    this.#supply = this.#makeLast(0)
    progress.last = 1
  }

  #makeLast(skip: number): Supply {
    return lastSupply(this.#last!, this.#context(skip), skip, this.#parts.wake)
  }

  /** Nothing may be made: why, and until when. */
  #whyNot(): Step {
    const { outlet, slots, acks } = this.#parts
    if (this.#hasGivenAll) return this.#finish()
    if (this.#isPaused) return LIMITED
    if (slots.free === 0 || this.#isCramped || this.#ends.inFlight >= this.#source.window) {
      for (const reader of acks) reader.want(true)
      return BLOCKED
    }
    outlet.want(true)
    return BLOCKED
  }

  /** A pipeline that drains sends what is taken, paused or not. */
  get #isPaused(): boolean {
    const { memory, isDraining } = this.#parts
    return (load(memory.words, this.#control + COMMAND) & PAUSED) !== 0 && !isDraining()
  }

  /** The supply is over and all that it gave is sent, as far as it is sent at all. */
  get #hasGivenAll(): boolean {
    return this.#parts.progress.isFinished || (this.#supply.isOver && this.#taken.count === 0)
  }

  /** The handler had nothing to give. */
  #nothing(): Step {
    const { clock } = this.#parts
    if (this.#supply.isOver) return this.#finish()
    if (!this.#supply.isAsync) this.#unit.wakeAt = clock.now + this.#source.pollMs
    return STARVED
  }

  #finish(): Step {
    const { progress, slots, acks, hand } = this.#parts
    if (this.#supply.error !== undefined) throw this.#supply.error
    if (!progress.isFinished && !hand.isResuming) {
      progress.isFinished = true
      this.#parts.outlet.end()
      this.#unit.handoff.add(1)
      return this.#unit.commit()
    }
    for (const reader of acks) reader.want(true)
    if (slots.free === slots.capacity) return ENDED
    return this.#ends.outcomes?.isBusy === true ? WAITING : BLOCKED
  }

  /** The header of what is named, but for its slot. */
  #header(): Chunk {
    this.#chunk.baseLow = this.#ids.baseLow
    this.#chunk.baseHigh = this.#ids.baseHigh
    this.#chunk.first = this.#ids.first
    return this.#chunk
  }

  #open(records: number): Step {
    const { slots, progress, worker, outlet, clock, hand, acks } = this.#parts
    const chunk = this.#chunk
    if (this.#ends.outcomes === undefined && this.#supply.isWaitedFor !== true)
      for (const reader of acks) reader.want(false)
    this.#header().count = records
    const isResumed = hand.isResuming
    this.#slot = isResumed ? this.#halfSentSlot() : slots.open(records, progress.sequence, clock.stamp)
    chunk.slot = anchorOf(worker.source!, this.#slot)
    const isKept = isResumed || this.#keep(records)
    if (isKept === false) return this.#putOff(records)
    if (!isResumed) this.#ends.inFlight += records
    if (!isResumed) this.#writeHead()
    this.#trace(records, isResumed)
    this.#supply.opened?.(progress.sequence, records)
    this.#unit.open(chunk, chunk.count)
    hand.open(chunk)
    const deaths = records === 1 ? hand.deathsOf(chunk, 0) : 0
    if (deaths >= this.#source.maxCrashes) this.#giveUp(deaths)
    else if (this.#taken.hasFailed) this.#fail()
    else {
      // Routes, keys and fused handlers are called on the way out.
      hand.holdSeveral(chunk.first, records)
      outlet.sendRun(outlet.root, this.#taken.values, 0, records)
    }
    this.#isSending = true
    return this.#send()
  }

  /** Says in its slot what all that comes of the record has. An earlier life has said it of what it left half sent. */
  #writeHead(): void {
    const { memory, worker } = this.#parts
    const { heads } = worker.slots!
    if (heads !== undefined) writeHead(memory, heads, this.#slot, this.#taken.head)
  }

  /** Keeps what is to be known of the chunk at its end. False where there is no room for it. */
  #keep(records: number): boolean | undefined {
    const { progress, openChunks } = this.#parts
    const { marks } = this.#taken
    const receiptOf = (_: unknown, i: number): unknown => marks[i]?.receipt ?? marks[i]?.cursor ?? progress.emitted + i
    const receipts = this.#ends.outcomes && Array.from({ length: records }, receiptOf)
    return openChunks?.keep(this.#chunk, this.#slot, this.#taken, records, receipts)
  }

  /**
   * An earlier life has half sent these records, and the source does not make them again: they have failed, whatever comes of what was
   * sent. What is taken was made in their place, and is sent for itself.
   */
  #forgo(records: number): Step {
    const { outlet, worker, stage, hand } = this.#parts
    const chunk = this.#chunk
    this.#ids.name({ count: records, marks: [], hasMarks: false })
    this.#header().count = records
    // Its name went with it.
    if (!hand.resumes(chunk)) hand.nameHalfSent(chunk)
    this.#slot = this.#halfSentSlot()
    chunk.slot = anchorOf(worker.source!, this.#slot)
    this.#trace(records, true)
    this.#unit.open(chunk, records)
    const error = new MillraceError('RECORD_NOT_REPEATED', { node: stage.node })
    for (let i = 0; i < records; i++) outlet.nack(i, { error, attempts: 1, firstFailedAt: wallMs() })
    this.#leave()
    return this.#unit.commit()
  }

  /** Decides whether the slot is traced, once; its chunk says so. */
  #trace(records: number, isResumed: boolean): void {
    const { slots, progress, hand, worker, memory } = this.#parts
    const chunk = this.#chunk
    chunk.trace = 0
    if (this.#selection === undefined) return
    if (!isResumed && !(records === 1 && hand.deathsOf(chunk, 0) >= this.#source.maxCrashes)) {
      // The predicate is the user's own code.
      hand.open(chunk)
      hand.holdSeveral(chunk.first, records)
      const { values } = this.#taken
      const { parents } = worker.slots!
      const parent = parents === undefined ? undefined : (this.#supply.parent ?? this.#markedParent())
      if (parent !== undefined) writeParent(memory, parents!, this.#slot, parent)
      slots.setTrace(this.#slot, this.#selection.decide(values, records, progress, parent))
    }
    if (slots.trace(this.#slot) !== 0) chunk.trace = TRACED | (slots.hasGap(this.#slot) ? GAP : 0)
  }

  /** The span of another process that the first record says it continues. */
  #markedParent(): TraceParent | undefined {
    const text = this.#taken.hasMarks ? this.#taken.marks[0]?.traceparent : undefined
    return text === undefined ? undefined : parseParent(text)
  }

  /** The stash has no room for the receipts of so many records: they wait for acks, and not for the rate limit. */
  #putOff(records: number): Step {
    const { slots, pending, stage, isDraining, limit } = this.#parts
    slots.close(this.#slot)
    this.#slot = NO_SLOT
    const isAlone = pending.stash.isEmpty && !this.#unit.handoff.isDirty
    // Receipts that do not fit an empty stash together go with fewer records.
    const fewer = isAlone ? records >> 1 : 0
    if (!isDraining()) limit.giveBack(records - fewer)
    if (fewer > 0) return this.#open(this.#name(fewer))
    if (isAlone) throw new MillraceError('RECEIPT_TOO_LARGE', { node: stage.node, most: pending.stash.maxEntryBytes })
    this.#isCramped = true
    return this.#unit.handoff.isDirty ? this.#unit.commit() : BLOCKED
  }

  hold(): void {
    this.#parts.hand.holdSeveral(this.#chunk.first, this.#chunk.count)
  }

  drop(): void {
    this.#parts.hand.drop()
  }

  /** The chunk lives while some of it is not sent: what is sent may end before the rest is born. */
  beforePart(): void {
    const { hand, settlement } = this.#parts
    if (!hand.isResuming) settlement.toggle(this.#chunk)
  }

  #send(): Step {
    if (!this.#unit.send(this)) return BLOCKED
    this.#closeChunk()
    // What arrives by and by goes at once; where more of it is here, together with that.
    return this.#supply.isAsync && !this.#hasMore ? this.#unit.commit() : this.#unit.commitIfDue()
  }

  get #hasMore(): boolean {
    return this.#taken.count > 0 || (this.#supply.left?.length ?? 0) > 0
  }

  /** The record has killed whoever sent it. It is what the source made, so it is not sent with its failure either. */
  #giveUp(deaths: number): void {
    const { outlet, stage } = this.#parts
    const error = new MillraceError('RECORD_POISONED', { node: stage.node, deaths })
    outlet.giveUp(outlet.root, undefined, 0, { error, attempts: deaths, firstFailedAt: wallMs() })
  }

  /** The record was none from the start; whoever gets it by the dead-letter edge sees what arrived. */
  #fail(): void {
    const { outlet, hand } = this.#parts
    const error = this.#taken.marks[0]!.error
    hand.holdSeveral(this.#chunk.first, 1)
    outlet.giveUp(outlet.root, this.#taken.values[0], 0, { error, attempts: 1, firstFailedAt: wallMs() })
  }

  #closeChunk(): void {
    const { count } = this.#chunk
    this.#leave()
    if (this.#taken.hasMarks) {
      this.#moveCursor(count)
      this.#askForFlush(count)
    }
    this.#taken.drop(count)
    this.#isSending = false
  }

  /** The chunk is done with here: the next one has its place in the line. */
  #leave(): void {
    const { outlet, progress, hand, settlement } = this.#parts
    const { count } = this.#chunk
    progress.beyond += count
    if (this.#supply.hasCursors === true) progress.expectCursor()
    progress.emitted += count
    if (progress.last > 0) progress.last += count
    progress.sequence = (progress.sequence + 1) | 0
    this.#ids.advance()
    this.#ends.follow(this.#slot)
    outlet.tally(COUNTER.in, count)
    if (hand.isResuming) settlement.toggle(this.#chunk)
    this.#unit.close(count)
  }

  /** A record that is marked for it has all before it, and itself, flushed: every source says so, as at any flush. */
  #askForFlush(count: number): void {
    if (!this.#taken.marks.some((mark, i) => i < count && mark?.flush === true)) return
    const { plan, memory } = this.#parts
    askForFlush(memory, plan)
  }

  /** The cursor is that of the last record that has one. */
  #moveCursor(count: number): void {
    const { progress } = this.#parts
    let last = count - 1
    while (last >= 0 && this.#taken.marks[last]?.cursor === undefined) last--
    if (last < 0) return
    progress.cursor = this.#taken.marks[last]!.cursor
    progress.beyond = count - 1 - last
  }

  /** What a hand-off says of a source, beside what all stages say. */
  stage(journal: Journal): void {
    this.#ends.stage(journal)
    this.#parts.progress.stage(journal)
  }

  wakePeers(): void {
    this.#isCramped = false
    this.#ends.wakePeers()
  }

  /** The slot of the chunk that an earlier life left half sent. */
  #halfSentSlot(): number {
    const { hand, slots, progress } = this.#parts
    if (!hand.isResuming) return NO_SLOT
    return slots.slotOf(progress.sequence)
  }

  /** @param last records of `finish` that are handed on: they do not count */
  #context(last = 0): SourceContext {
    const { stage, worker, facts, progress, draining, openChunks } = this.#parts
    const ends = (): SlotEnds => this.#ends
    return {
      node: stage.node,
      worker: worker.ordinal,
      workers: stage.concurrency,
      signal: draining,
      state: facts.state,
      params: facts.params,
      cursor: progress.cursor,
      emitted: progress.emitted - last,
      get receipts() {
        return ends().outcomes?.inherited ?? []
      },
      get watermark() {
        return openChunks?.watermark
      },
    }
  }
}

/** The supply of a source that had finished before its worker died. */
const over: Supply = { take: () => undefined, isOver: true, error: undefined, isAsync: false, close: () => undefined }
