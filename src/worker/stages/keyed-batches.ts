import { MillraceError } from '../../errors.ts'
import type { StashEntry } from '../../lane/stash.ts'
import { type BatchOrder, LineOrder, SendOrder, anyOrder } from './batch-order.ts'
import { BatchWork, type Kept, batchHeader, batchId } from './batch-work.ts'
import { OpenCall } from '../call/call.ts'
import { CallContext } from '../call/context.ts'
import { idOf } from '../granule.ts'
import { type Group, type GroupBatch, Groups } from './groups.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { LaneGranule } from '../in/inlet.ts'
import { Intake, NO_ROOM_NOW, TAKEN, TOO_LARGE } from './intake.ts'
import { isThenable, keyOf } from '../call/results.ts'
import { Handoff } from '../handoff.ts'
import { BLOCKED, PROGRESS, type Parts, STARVED, type Stage, type Step, WAITING } from '../stage.ts'
import { monotonicMs } from '../../time.ts'

/** A batch that is not complete yet. */
interface OpenBatch {
  readonly entries: StashEntry[]
  readonly openedAt: number
}

/** A batch whose call is open, or has ended and was not sent yet. */
interface Task {
  readonly batch: GroupBatch
  readonly context: CallContext
  /** Its place in the hand. */
  readonly place: number
  readonly startedAt: number
  outcome: unknown
  hasFailed: boolean
}

/**
 * A stage whose handler takes batches by key, or several batches at once. Its records lie in the stash, from their lane until
 * their batch is done: open batches survive a death, and a slow key does not hold up the others.
 */
export class KeyedBatchStage implements Stage {
  wakeAt = Infinity
  isAsync = false
  readonly #parts: Parts
  readonly #handoff: Handoff
  readonly #work: BatchWork
  readonly #groups: Groups
  readonly #intake: Intake
  readonly #by: AnyFunction | undefined
  readonly #order: BatchOrder
  /** Taken, and not yet asked for their key: a suspect's is asked for with no call open, and those behind it wait. */
  readonly #keyless: StashEntry[] = []
  readonly #open = new Map<unknown, OpenBatch>()
  readonly #ended: Task[] = []
  readonly #granule = new LaneGranule()
  readonly #freePlaces: number[] = []
  /** What an earlier life left has its place in the order. */
  #isLinedUp = false
  #inFlight = 0
  #sending: Task | undefined
  /** Of the task being sent: it waits for another attempt, or records of it do. */
  #isKept = false
  #kept: readonly Kept[] = []
  #isCommitting = false
  /** A suspect is called with no other call open. */
  #isAlone = false
  /** A record that is too large for the stash is in hand. */
  #isDirect = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#handoff = new Handoff(parts)
    this.#work = new BatchWork(parts)
    this.#by = parts.handlers.batchKey()
    const { ordered, maxInFlight } = parts.stage.input!
    this.#order = !ordered ? anyOrder : this.#by === undefined ? new SendOrder() : new LineOrder()
    parts.handlers.context = new CallContext(parts.facts, parts.stopped)
    for (let place = maxInFlight - 1; place >= 0; place--) this.#freePlaces.push(place)
    this.#groups = new Groups(parts)
    this.#intake = new Intake(parts, this.#handoff, (entry, value) => this.#admit(entry, value))
    // Their keys are asked for in the first step: only then does a death, or an endless loop, count as one of a handler.
    this.#keyless.push(...this.#groups.takeUngrouped())
  }

  step(): Step {
    this.#parts.clock.read()
    // A time that the last wait ended at would end the next one at once.
    this.wakeAt = Infinity
    this.#lineUp()
    const sent = this.#sendEnded()
    if (sent === BLOCKED) return BLOCKED
    if (this.#parts.hand.isResuming) return this.#resume()
    const hasTaken = this.#gatherKeyless() || this.#takeMore()
    this.#closeBatches(!hasTaken)
    // A batch is known to a successor before its handler is called.
    const hasNamed = this.#mayStart && this.#groups.name(this.#freePlaces.length, this.#isNext)
    if (hasNamed && this.#commit() === BLOCKED) return BLOCKED
    const hasStarted = this.#startDue()
    if (sent === PROGRESS || hasTaken || hasStarted) return PROGRESS
    if (this.#handoff.isDirty || this.#handoff.passEnd()) return this.#commit()
    this.wakeAt = this.#nextWake()
    if (this.#inFlight > 0) return WAITING
    return this.#intake.isHolding ? BLOCKED : STARVED
  }

  /** The batch may start, as far as the order is concerned. */
  readonly #isNext = (group: Group): boolean => this.#order.mayStart(group)

  /** What an earlier life left comes before what the lanes bring. */
  #lineUp(): void {
    if (this.#isLinedUp) return
    this.#isLinedUp = true
    if (this.#order === anyOrder) return
    for (const group of this.#groups.left()) {
      if (group.entries.length > 0) this.#order.enter(group, this.#lineOf(group.entries[0]!))
    }
  }

  /** The line in which a batch of this record stands; one whose key cannot be had has one of its own. */
  #lineOf(entry: StashEntry): unknown {
    if (this.#by === undefined) return undefined
    try {
      return this.#askForKey(this.#by, entry, this.#parts.desk.value(entry))
    } catch {
      return entry
    }
  }

  /** What an earlier life left half sent comes first, and by itself: no hand-off before it is wholly sent. */
  #resume(): Step {
    if (this.#inFlight > 0) return WAITING
    const { hand, inlet } = this.#parts
    const isHalfSent = (granule: LaneGranule): boolean => hand.resumes(batchHeader([granule], granule.from, 0))
    if (!this.#isDirect && inlet.nextWhere(isHalfSent, this.#granule)) this.#takeDirect()
    const batch = this.#groups.next()
    if (batch === undefined) throw new MillraceError('INTERNAL', { what: 'a batch that was half sent is not there' })
    const [entry] = batch.group.entries
    const fault = this.#by !== undefined && entry !== undefined ? this.#faultOf(this.#by, entry) : undefined
    this.#start(fault === undefined ? batch : { ...batch, group: { ...batch.group, fault } })
    return PROGRESS
  }

  #nextWake(): number {
    const { stage } = this.#parts
    // While no call may start, a batch that is due waits for an answer, not for a time.
    let wakeAt = this.#mayStart ? this.#groups.nextDueAt : Infinity
    for (const { openedAt } of this.#open.values()) wakeAt = Math.min(wakeAt, openedAt + stage.input!.batch!.timeoutMs)
    return wakeAt
  }

  #admit(entry: StashEntry, value: unknown): void {
    const mustWait = this.#keyless.length > 0 || (this.#inFlight > 0 && this.#deathsOf(entry) > 0)
    if (mustWait) this.#keyless.push(entry)
    else this.#gather(entry, value)
  }

  /** @returns whether there was any, and no call is open */
  #gatherKeyless(): boolean {
    if (this.#keyless.length === 0 || this.#inFlight > 0) return false
    const { desk, hand, stage } = this.#parts
    for (const entry of this.#keyless.splice(0)) {
      const header = desk.stash.header(entry)
      const deaths = hand.deathsOf(header, 0)
      if (deaths > stage.input!.maxCrashes) this.#addFailed(entry, this.#poison(deaths))
      else {
        hand.holdOne(header)
        const value = desk.value(entry)
        hand.drop()
        this.#gather(entry, value)
      }
    }
    return true
  }

  /** Puts a record to those of its key. */
  #gather(entry: StashEntry, value: unknown): void {
    let key: unknown
    try {
      key = this.#by === undefined ? undefined : this.#askForKey(this.#by, entry, value)
    } catch (error) {
      return this.#addFailed(entry, error)
    }
    const open = this.#open.get(key)
    if (open === undefined) this.#open.set(key, { entries: [entry], openedAt: this.#parts.clock.now })
    else open.entries.push(entry)
    if (this.#open.get(key)!.entries.length >= this.#parts.stage.input!.batch!.size) this.#complete(key)
  }

  /** A record that belongs to no batch: it is given up in its turn. */
  #addFailed(entry: StashEntry, fault: unknown): void {
    this.#order.enter(this.#groups.add([entry], fault), entry)
  }

  /** The key is the user's own code: it may kill, and hang. */
  #askForKey(by: AnyFunction, entry: StashEntry, value: unknown): unknown {
    const { hand, desk, stage } = this.#parts
    const { node, input } = stage
    const deaths = this.#deathsOf(entry)
    if (deaths >= input!.maxCrashes) throw this.#poison(deaths)
    idOf(desk.stash.header(entry), 0)
    hand.holdCall(input!.maxInFlight)
    try {
      return keyOf(node, 'batch.by', by(value))
    } finally {
      hand.dropCall(input!.maxInFlight)
    }
  }

  #faultOf(by: AnyFunction, entry: StashEntry): unknown {
    try {
      this.#askForKey(by, entry, this.#parts.desk.value(entry))
      return undefined
    } catch (error) {
      return error
    }
  }

  #deathsOf(entry: StashEntry): number {
    const { hand, desk } = this.#parts
    return hand.suspects === 0 ? 0 : hand.deathsOf(desk.stash.header(entry), 0)
  }

  #poison(deaths: number): MillraceError {
    return new MillraceError('RECORD_POISONED', { node: this.#parts.stage.node, deaths })
  }

  #complete(key: unknown): void {
    this.#order.enter(this.#groups.add(this.#open.get(key)!.entries), key)
    this.#open.delete(key)
  }

  /** Completes the batches whose time is over, and, where nothing else goes on, those that hold the room. */
  #closeBatches(isIdle: boolean): void {
    const { clock, stage, isDraining, end } = this.#parts
    if (this.#open.size === 0) return
    const isPressed = isIdle && (isDraining() || this.#intake.isHolding || end.isNear)
    for (const [key, { openedAt }] of this.#open) {
      if (isPressed || clock.now >= openedAt + stage.input!.batch!.timeoutMs) this.#complete(key)
    }
  }

  get #mayStart(): boolean {
    return this.#freePlaces.length > 0 && !this.#isAlone && this.#keyless.length === 0
  }

  #takeMore(): boolean {
    const { stage } = this.#parts
    let hasTaken = false
    for (
      let granules = 0;
      granules < 8 && !this.#isDirect && this.#keyless.length === 0 && this.#groups.waiting <= stage.input!.maxInFlight;
      granules++
    ) {
      const outcome = this.#intake.next(this.#granule)
      if (outcome === TOO_LARGE) {
        // It makes a batch of its own, straight from its lane; nothing behind it is taken meanwhile.
        this.#takeDirect()
        return true
      }
      if (outcome === NO_ROOM_NOW && this.#handoff.isDirty) return this.#commit() === PROGRESS
      if (outcome !== TAKEN) break
      hasTaken = true
    }
    return hasTaken
  }

  #takeDirect(): void {
    const { unreadDeaths } = this.#granule
    this.#groups.addDirect(this.#granule, unreadDeaths > 0 ? this.#poison(unreadDeaths) : this.#directFault())
    this.#isDirect = true
  }

  /** A record that goes by itself is to have a key all the same. */
  #directFault(): unknown {
    const { hand, stage } = this.#parts
    if (this.#by === undefined) return undefined
    const { values, from } = this.#granule
    idOf(this.#granule, from)
    const deaths = hand.deathsOfMixed()
    if (deaths >= stage.input!.maxCrashes) return this.#poison(deaths)
    hand.holdCall(stage.input!.maxInFlight)
    try {
      keyOf(stage.node, 'batch.by', this.#by(values[from]))
      return undefined
    } catch (error) {
      return error
    } finally {
      hand.dropCall(stage.input!.maxInFlight)
    }
  }

  #startDue(): boolean {
    let hasStarted = false
    while (this.#mayStart) {
      const batch = this.#groups.next((group) => this.#isKnown(group) && this.#order.mayStart(group))
      if (batch === undefined) break
      batchId(batch)
      if (this.#inFlight > 0 && this.#parts.hand.deathsOfMixed() > 0) {
        this.#groups.putBack(batch)
        break
      }
      hasStarted = true
      this.#start(batch)
    }
    return hasStarted
  }

  /** A successor would find the batch as it is; one of a record on its lane is found there. */
  #isKnown({ number, direct }: Group): boolean {
    return number !== 0 || direct !== undefined
  }

  #start(batch: GroupBatch): void {
    const { hand, stage, facts, stopped, clock } = this.#parts
    batchId(batch)
    const deaths = hand.deathsOfMixed()
    const canSplit = batch.values.length > 1 && !hand.isResuming
    if (deaths >= stage.input!.maxCrashes && canSplit) return this.#split(batch)
    const context = new CallContext(facts, stopped)
    context.aim(batch.header, 0, batch.attempt + 1)
    const place = this.#freePlaces.pop()!
    const task: Task = { batch, context, place, startedAt: clock.now, outcome: undefined, hasFailed: false }
    this.#inFlight++
    this.#isAlone = deaths > 0
    if (batch.group.fault !== undefined) return this.#end(task, true, batch.group.fault)
    if (deaths >= stage.input!.maxCrashes) return this.#end(task, true, this.#poison(deaths))
    batchId(batch)
    hand.holdCall(task.place)
    let result: unknown
    try {
      result = this.#work.handler(batch.values, context)
    } catch (error) {
      return this.#end(task, true, error)
    }
    if (!isThenable(result)) return this.#end(task, false, result)
    this.isAsync = true
    void new OpenCall(result, context, stage.input!.timeoutMs, (call) => {
      this.#end(task, call.hasFailed, call.hasFailed ? call.error : call.result)
      this.#parts.wake()
    })
  }

  #split(batch: GroupBatch): void {
    this.#order.replace(batch.group, this.#groups.split(batch))
  }

  #end(task: Task, hasFailed: boolean, outcome: unknown): void {
    const { histograms, hand } = this.#parts
    const { length } = task.batch.values
    task.hasFailed = hasFailed
    task.outcome = outcome
    this.#inFlight--
    this.#isAlone = false
    hand.dropCall(task.place)
    this.#freePlaces.push(task.place)
    histograms.service.record(((monotonicMs() - task.startedAt) * 1e6) / length, length)
    this.#ended.push(task)
  }

  #sendEnded(): Step {
    let step: Step = STARVED
    if (this.#isCommitting && this.#commit() === BLOCKED) return BLOCKED
    for (;;) {
      const task = this.#sending ?? this.#nextEnded()
      if (task === undefined) return step
      const { outlet, clock, hand, stage } = this.#parts
      // Routes, keys and inline handlers are called on the way out, and what came of the batch is encoded.
      batchId(task.batch)
      hand.holdCall(stage.input!.maxInFlight)
      if (this.#sending === undefined) this.#deliver(task)
      const isSent = outlet.flush(clock.stamp)
      hand.dropCall(stage.input!.maxInFlight)
      if (!isSent) {
        this.#handoff.commitPart(task.batch.header)
        return BLOCKED
      }
      this.#close(task)
      step = PROGRESS
      if (this.#commit() === BLOCKED) return BLOCKED
    }
  }

  #nextEnded(): Task | undefined {
    const at = this.#ended.findIndex(({ batch }) => this.#order.maySend(batch.group))
    return at < 0 ? undefined : this.#ended.splice(at, 1)[0]
  }

  #deliver(task: Task): void {
    const { batch, context } = task
    this.#sending = task
    this.#kept = []
    this.#parts.outlet.open(batch.header, batch.values.length, 0, () => batch.members())
    if (task.hasFailed) return this.#fail(batch, task.outcome)
    let results: ArrayLike<unknown> | undefined
    try {
      results = this.#work.settle(task.outcome)
    } catch (error) {
      return this.#fail(batch, error)
    }
    this.#kept = this.#work.deliver(results, batch, context)
    this.#parts.histograms.batch!.record(batch.values.length)
  }

  #fail(batch: GroupBatch, error: unknown): void {
    const retry = this.#work.failed(batch, error)
    this.#isKept = retry !== undefined && this.#groups.keep(batch, retry)
  }

  #close({ batch }: Task): void {
    const { group } = batch
    if (!this.#isKept) this.#order.replace(group, this.#groups.close(batch, false, this.#kept))
    if (group.direct !== undefined) this.#isDirect = this.#isKept
    // What is behind a record that went by itself on its lane comes next.
    if (group.direct !== undefined && !this.#isKept && group.direct.from < group.direct.count)
      this.#intake.hold(group.direct, group.direct.from)
    this.#isKept = false
    this.#sending = undefined
    this.#handoff.closed()
    this.#parts.outlet.close()
    this.#handoff.add(batch.values.length)
  }

  #commit(): Step {
    this.#isCommitting = !this.#handoff.commit()
    return this.#isCommitting ? BLOCKED : PROGRESS
  }
}
