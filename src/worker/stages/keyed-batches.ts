import type { BatchView } from '../call/batch-view.ts'
import { MillraceError } from '../../errors.ts'
import type { StashEntry } from '../../lane/stash.ts'
import { HANDED_OVER } from '../../memory/stash.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { type BatchOrder, LineOrder, SendOrder, anyOrder } from './batch-order.ts'
import { BatchWork, type Kept, batchHeader, batchId } from './batch-work.ts'
import type { CallContext } from '../call/context.ts'
import { type Member, idOf } from '../chunk.ts'
import { type Group, type GroupBatch, Groups, type KeyAndWeight } from './groups.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { LaneChunk } from '../in/inlet.ts'
import { Intake, NO_ROOM_NOW, TAKEN, TOO_LARGE } from './intake.ts'
import { batchCountOf, keyOf, weightOf } from '../call/results.ts'
import { OpenBatches } from './open-batches.ts'
import { type Callee, OpenCalls, type PlacedCall } from './open-calls.ts'
import { COUNTER } from '../../memory/counters.ts'
import { BLOCKED, LIMITED, PROGRESS, type Parts, STARVED, type Stage, type Step, WAITING } from '../stage.ts'
import { Triggers } from './trigger.ts'
import { Unit } from '../unit.ts'

/**
 * A stage whose handler takes batches by key, or several batches at once. Its records lie in the stash, from their lane until
 * their batch is done: open batches survive a death, and a slow key does not hold up the others.
 */
export class KeyedBatchStage implements Stage, Callee<GroupBatch> {
  readonly handler: AnyFunction
  readonly isHandedOffAlone = true
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #calls: OpenCalls<GroupBatch>
  readonly #work: BatchWork
  readonly #groups: Groups
  readonly #intake: Intake
  readonly #by: AnyFunction | undefined
  /** Says how many records the batch of a record has, where batches end as one. */
  readonly #of: AnyFunction | undefined
  readonly #weigh: AnyFunction | undefined
  readonly #order: BatchOrder
  /** Taken, and not yet asked for their key: a suspect's is asked for with no call open, and those behind it wait. */
  readonly #keyless: StashEntry[] = []
  readonly #open: OpenBatches
  readonly #chunk = new LaneChunk()
  /** What an earlier life left has its place in the order. */
  #isLinedUp = false
  /** Of the batch being sent: it waits for another attempt, or records of it do. */
  #isKept = false
  #kept: readonly Kept[] = []
  /** A record that is too large for the stash is in hand. */
  #isDirect = false
  /** A batch could be called, but for the rate limit. */
  #isLimited = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#unit = new Unit(parts)
    this.#work = new BatchWork(parts)
    this.handler = this.#work.handler
    this.#calls = new OpenCalls<GroupBatch>(parts, this.#unit, this)
    this.#by = parts.handlers.batchKey()
    this.#of = parts.handlers.batchOf()
    this.#weigh = parts.handlers.batchWeight()
    const { ordered, batch } = parts.stage.input!
    const isSerial = this.#by !== undefined && (ordered || batch!.serial)
    this.#order = isSerial ? new LineOrder() : ordered ? new SendOrder() : anyOrder
    this.#groups = new Groups(parts, this.#unit)
    this.#intake = new Intake(parts, this.#unit, (entry, value) => this.#admit(entry, value))
    const triggers = new Triggers(parts, () => this.#intake.isHolding)
    this.#open = new OpenBatches(batch!, triggers, parts.clock, (gathered) =>
      this.#order.enter(this.#groups.add(gathered), gathered.key),
    )
    // Their keys are asked for in the first step: only then does a death, or an endless loop, count as one of a handler.
    this.#keyless.push(...this.#groups.takeUngrouped())
  }

  get wakeAt(): number {
    return this.#unit.wakeAt
  }

  get isAsync(): boolean {
    return this.#calls.isAsync
  }

  step(): Step {
    const owed = this.#unit.start()
    if (owed !== undefined) return owed
    this.#lineUp()
    const sent = this.#calls.sendEnded()
    if (sent === BLOCKED) return BLOCKED
    if (this.#parts.hand.isResuming) return this.#resume()
    const hasTaken = this.#gatherKeyless() || this.#takeMore()
    const boundary = this.#parts.markers.boundary
    if (boundary !== undefined) this.#open.closeBefore(boundary)
    this.#open.closeDue(!hasTaken)
    // A batch is known to a successor before its handler is called.
    const hasNamed = this.#mayStart && this.#groups.name(this.#calls.free, this.#isNext)
    if (hasNamed && this.#unit.commit() === BLOCKED) return BLOCKED
    const hasStarted = this.#startDue()
    if (sent === PROGRESS || hasTaken || hasStarted) return PROGRESS
    if (this.#isLimited) return this.#unit.idle(LIMITED, this.#nextWake())
    return this.#unit.idle(
      this.#calls.open > 0 ? WAITING : this.#intake.isHolding ? BLOCKED : STARVED,
      this.#nextWake(),
    )
  }

  /** The batch may start, as far as the order is concerned. */
  readonly #isNext = (group: Group): boolean => this.#order.mayStart(group) && isFree(group)

  /** What an earlier life left comes before what the lanes bring. */
  #lineUp(): void {
    if (this.#isLinedUp) return
    this.#isLinedUp = true
    if (this.#order === anyOrder && this.#by === undefined && this.#weigh === undefined) return
    for (const group of this.#groups.left()) {
      const [first] = group.entries
      if (first === undefined) continue
      const line = this.#lineOf(first)
      if (this.#groups.isEarly(group)) this.#open.addHandedOver(line, group.entries, this.#countOfKnown(first))
      for (const entry of group.entries) {
        if (this.#weigh !== undefined && entry !== first) this.#lineOf(entry)
        entry.key = first.key
      }
      this.#order.enter(group, line)
    }
  }

  /** Asks for key and weight. @returns the line in which a batch of this record stands; where there is no key, one of its own */
  #lineOf(entry: StashEntry): unknown {
    if (this.#by === undefined && this.#weigh === undefined) return undefined
    try {
      return this.#measure(entry, this.#parts.pending.value(entry))
    } catch {
      return entry
    }
  }

  #countOfKnown(entry: StashEntry): number | undefined {
    return this.#of && this.#countOf(this.#of, entry, this.#parts.pending.value(entry))
  }

  /** What an earlier life left half sent comes first, and by itself: no hand-off before it is wholly sent. */
  #resume(): Step {
    if (this.#calls.open > 0) return WAITING
    const { hand, inlet } = this.#parts
    const isHalfSent = (chunk: LaneChunk): boolean => hand.resumes(batchHeader([chunk], chunk.from, 0))
    if (!this.#isDirect && inlet.nextWhere(isHalfSent, this.#chunk)) this.#takeDirect()
    const batch = this.#groups.next()
    if (batch === undefined) throw new MillraceError('INTERNAL', { what: 'a batch that was half sent is not there' })
    const [entry] = batch.group.entries
    const fault = entry === undefined ? undefined : this.#faultOf(entry)
    this.#start(fault === undefined ? batch : { ...batch, group: { ...batch.group, fault } })
    return PROGRESS
  }

  #nextWake(): number {
    // While no call may start, a batch that is due waits for an answer, not for a time.
    const { limit, clock } = this.#parts
    const dueAt = this.#isLimited ? limit.nextAt(clock.now) : this.#groups.nextDueAt
    const startAt = this.#mayStart ? dueAt : Infinity
    return Math.min(startAt, this.#open.nextDueAt)
  }

  #admit(entry: StashEntry, value: unknown): void {
    const mustWait = this.#keyless.length > 0 || (this.#calls.open > 0 && this.#deathsOf(entry) > 0)
    if (mustWait) this.#keyless.push(entry)
    else this.#gather(entry, value)
  }

  /** @returns whether there was any, and no call is open */
  #gatherKeyless(): boolean {
    if (this.#keyless.length === 0 || this.#calls.open > 0) return false
    const { pending, hand, stage } = this.#parts
    for (const entry of this.#keyless.splice(0)) {
      if (entry.group === HANDED_OVER) {
        // Its key was asked for once, by a life that did not die of it.
        Object.assign(entry, this.#askOf(entry))
        this.#open.add(entry.key, entry, this.#countOfKnown(entry))
        continue
      }
      const header = pending.stash.header(entry)
      const deaths = hand.deathsOf(header, 0)
      if (deaths > stage.input!.maxCrashes) this.#addFailed(entry, this.#poison(deaths))
      else {
        hand.holdOne(header)
        const value = pending.value(entry)
        hand.drop()
        this.#gather(entry, value)
      }
    }
    return true
  }

  /** Puts a record to those of its key. */
  #gather(entry: StashEntry, value: unknown): void {
    let key: unknown
    let of: number | undefined
    try {
      key = this.#measure(entry, value)
      of = this.#of === undefined ? undefined : this.#countOf(this.#of, entry, value)
    } catch (error) {
      return this.#addFailed(entry, error)
    }
    this.#open.add(key, entry, of)
  }

  /** A record that belongs to no batch: it is given up in its turn. */
  #addFailed(entry: StashEntry, fault: unknown): void {
    this.#order.enter(this.#groups.addFailed(entry, fault), entry)
  }

  /** The key of a record, and its weight. Both are the user's own code: it may kill, and hang. */
  #measure(entry: StashEntry, value: unknown): unknown {
    if (this.#by === undefined && this.#weigh === undefined) return undefined
    const { stage } = this.#parts
    const deaths = this.#deathsOf(entry)
    if (deaths >= stage.input!.maxCrashes) throw this.#poison(deaths)
    Object.assign(entry, this.#askOf(entry, value))
    return entry.key
  }

  #askOf(entry: StashEntry, value: unknown = this.#parts.pending.value(entry)): KeyAndWeight {
    idOf(this.#parts.pending.stash.header(entry), 0)
    return this.#ask(value)
  }

  /** @throws what the user's code throws, KEY_INVALID and HANDLER_RESULT_INVALID */
  #ask(value: unknown): KeyAndWeight {
    const { node } = this.#parts.stage
    this.#calls.holdBeside()
    try {
      const key = this.#by === undefined ? undefined : keyOf(node, 'batch.by', this.#by(value))
      const weight = this.#weigh === undefined ? 0 : weightOf(node, this.#weigh(value))
      return { key, weight }
    } finally {
      this.#calls.dropBeside()
    }
  }

  /** @throws what the user's code throws, and HANDLER_RESULT_INVALID */
  #countOf(of: AnyFunction, entry: StashEntry, value: unknown): number | undefined {
    const { pending, stage } = this.#parts
    idOf(pending.stash.header(entry), 0)
    this.#calls.holdBeside()
    try {
      return batchCountOf(stage.node, of(value), stage.input!.batch!.size)
    } finally {
      this.#calls.dropBeside()
    }
  }

  #faultOf(entry: StashEntry): unknown {
    try {
      this.#measure(entry, this.#parts.pending.value(entry))
      return undefined
    } catch (error) {
      return error
    }
  }

  #deathsOf(entry: StashEntry): number {
    const { hand, pending } = this.#parts
    return hand.suspects === 0 ? 0 : hand.deathsOf(pending.stash.header(entry), 0)
  }

  #poison(deaths: number): MillraceError {
    return new MillraceError('RECORD_POISONED', { node: this.#parts.stage.node, deaths })
  }

  get #mayStart(): boolean {
    return this.#calls.free > 0 && this.#keyless.length === 0
  }

  #takeMore(): boolean {
    const { stage } = this.#parts
    let hasTaken = false
    for (
      let chunks = 0;
      chunks < 8 && !this.#isDirect && this.#keyless.length === 0 && this.#groups.waiting <= stage.input!.maxInFlight;
      chunks++
    ) {
      const outcome = this.#intake.next(this.#chunk)
      const isStuck = outcome === TOO_LARGE || (outcome === NO_ROOM_NOW && this.#isStuck)
      if (isStuck && this.#of !== undefined && this.#intake.nextInstead(this.#chunk)) {
        hasTaken = true
        continue
      }
      if (outcome === TOO_LARGE) {
        // It makes a batch of its own, straight from its lane; nothing behind it is taken meanwhile.
        this.#takeDirect()
        return true
      }
      if (outcome === NO_ROOM_NOW && this.#unit.handoff.isDirty) return this.#unit.commit() === PROGRESS
      if (outcome !== TAKEN) break
      hasTaken = true
    }
    return hasTaken
  }

  /** Nothing here is going to give room back: every batch waits for records that are not here. */
  get #isStuck(): boolean {
    const { open, ended } = this.#calls
    return open + ended + this.#groups.waiting === 0 && !this.#unit.handoff.isDirty
  }

  #takeDirect(): void {
    const { unreadDeaths } = this.#chunk
    this.#isDirect = true
    if (unreadDeaths > 0) return this.#groups.addDirect(this.#chunk, this.#poison(unreadDeaths))
    try {
      this.#groups.addDirect(this.#chunk, undefined, this.#measureDirect())
    } catch (error) {
      this.#groups.addDirect(this.#chunk, error)
    }
  }

  /** A record that goes by itself is to have a key and a weight all the same. */
  #measureDirect(): KeyAndWeight | undefined {
    const { hand, stage, pending } = this.#parts
    if (this.#by === undefined && this.#weigh === undefined) return undefined
    // It cannot wait here for the others of its batch.
    if (this.#of !== undefined)
      throw new MillraceError('RECORD_TOO_LARGE', { maxRecordBytes: pending.stash.maxEntryBytes })
    const { values, from } = this.#chunk
    idOf(this.#chunk, from)
    const deaths = hand.deathsOfMixed()
    if (deaths >= stage.input!.maxCrashes) throw this.#poison(deaths)
    return this.#ask(values[from])
  }

  #startDue(): boolean {
    const { limit, clock } = this.#parts
    let hasStarted = false
    this.#isLimited = false
    while (this.#mayStart) {
      if (limit.allowed(clock.now) < 1) {
        this.#isLimited = this.#groups.hasNext(this.#isReady)
        break
      }
      const batch = this.#groups.next(this.#isReady)
      if (batch === undefined) break
      batchId(batch)
      if (this.#calls.open > 0 && this.#parts.hand.deathsOfMixed() > 0) {
        this.#groups.putBack(batch)
        break
      }
      hasStarted = true
      this.#start(batch)
    }
    return hasStarted
  }

  readonly #isReady = (group: Group): boolean => this.#isKnown(group) && this.#isNext(group)

  /** A successor would find the batch as it is; one of a record on its lane is found there. */
  #isKnown({ number, direct, handedOver }: Group): boolean {
    return number !== 0 || direct !== undefined || handedOver !== undefined
  }

  #start(batch: GroupBatch): void {
    const { hand, stage } = this.#parts
    if (batch.group.handedOver !== undefined) return this.#calls.skip(batch, batch.attempt + 1)
    batchId(batch)
    const deaths = hand.deathsOfMixed()
    const isPoison = deaths >= stage.input!.maxCrashes
    const maySplit = this.#of === undefined && batch.values.length > 1
    if (isPoison && maySplit && !hand.isResuming) return this.#split(batch)
    const error = batch.group.fault ?? (isPoison ? this.#poison(deaths) : undefined)
    if (error === undefined) {
      const { limit, clock } = this.#parts
      limit.charge(batch.values.length, clock.now)
      this.#calls.start(batch, batch.values, batch.attempt + 1, deaths)
    } else this.#calls.fail(batch, batch.attempt + 1, deaths, error)
  }

  #split(batch: GroupBatch): void {
    this.#order.replace(batch.group, this.#groups.split(batch))
  }

  identify(batch: GroupBatch): void {
    batchId(batch)
  }

  headerOf({ header }: GroupBatch): ChunkHeader {
    return header
  }

  recordsOf({ values }: GroupBatch): number {
    return values.length
  }

  factsOf({ facts }: GroupBatch): BatchView {
    return facts
  }

  membersOf(batch: GroupBatch): readonly Member[] {
    return batch.members()
  }

  valuesOf(batch: GroupBatch): ArrayLike<unknown> {
    return batch.again()
  }

  maySend({ group }: GroupBatch): boolean {
    return this.#order.maySend(group)
  }

  deliver({ work, context, hasFailed, outcome }: PlacedCall<GroupBatch>): void {
    this.#kept = []
    if (work.group.handedOver !== undefined) return this.#parts.outlet.root.count(COUNTER.done, work.values.length)
    if (hasFailed) return this.#fail(work, context, outcome)
    let results: ArrayLike<unknown> | undefined
    try {
      results = this.#work.settle(outcome, work.values.length)
    } catch (error) {
      return this.#fail(work, context, error)
    }
    this.#kept = this.#work.deliver(results, work, context)
    this.#parts.histograms.batch!.record(work.values.length)
  }

  #fail(batch: GroupBatch, context: CallContext, error: unknown): void {
    const retry = this.#work.failed(batch, error, context.takeNote())
    this.#isKept = retry !== undefined && this.#groups.keep(batch, retry)
  }

  close(batch: GroupBatch): void {
    const { group } = batch
    if (!this.#isKept && group.handedOver === undefined) this.#work.count(batch)
    if (!this.#isKept) this.#order.replace(group, this.#groups.close(batch, false, this.#kept))
    if (group.direct !== undefined) this.#isDirect = this.#isKept
    // What is behind a record that went by itself on its lane comes next.
    if (group.direct !== undefined && !this.#isKept && group.direct.from < group.direct.count)
      this.#intake.hold(group.direct, group.direct.from)
    this.#isKept = false
  }
}

/** Late records wait until the rest of their batch is done. */
function isFree({ handedOver }: Group): boolean {
  return handedOver === undefined || handedOver.every(({ group }) => group === HANDED_OVER)
}
