import { MillraceError } from '../errors.ts'
import type { StashEntry } from '../lane/stash.ts'
import { BatchWork, batchHeader, batchId } from './batch-work.ts'
import { OpenCall } from './call.ts'
import { CallContext } from './context.ts'
import { idOf } from './granule.ts'
import { type GroupBatch, Groups } from './groups.ts'
import type { AnyFunction } from './handlers.ts'
import { LaneGranule } from './inlet.ts'
import { Intake, NO_ROOM_NOW, TAKEN, TOO_LARGE } from './intake.ts'
import { isThenable, keyOf } from './results.ts'
import { BLOCKED, Handoff, PROGRESS, type Parts, STARVED, type Stage, type Step, WAITING } from './stage.ts'
import { monotonicMs } from '../time.ts'

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
  /** Taken, and not yet asked for their key: a suspect's is asked for with no call open, and those behind it wait. */
  readonly #keyless: StashEntry[] = []
  readonly #open = new Map<unknown, OpenBatch>()
  readonly #ended: Task[] = []
  readonly #granule = new LaneGranule()
  readonly #freePlaces: number[] = []
  #inFlight = 0
  #sending: Task | undefined
  #isKept = false
  #isCommitting = false
  /** A suspect is called with no other call open. */
  #isAlone = false
  /** A granule that is too large for the stash is in hand. */
  #isDirect = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#handoff = new Handoff(parts)
    this.#work = new BatchWork(parts)
    this.#by = parts.handlers.batchKey()
    parts.handlers.context = new CallContext(parts.facts, parts.stopped)
    for (let place = parts.stage.input!.maxInFlight - 1; place >= 0; place--) this.#freePlaces.push(place)
    this.#groups = new Groups(parts)
    this.#intake = new Intake(parts, this.#handoff, (entry, value) => this.#admit(entry, value))
    // Their keys are asked for in the first step: only then does a death, or an endless loop, count as one of a handler.
    this.#keyless.push(...this.#groups.takeUngrouped())
  }

  step(): Step {
    this.#parts.clock.read()
    const sent = this.#sendEnded()
    if (sent === BLOCKED) return BLOCKED
    if (this.#parts.hand.isResuming) return this.#resume()
    const hasTaken = this.#gatherKeyless() || this.#takeMore()
    this.#closeBatches(!hasTaken)
    // A batch is known to a successor before its handler is called.
    if (this.#groups.hasDue && this.#handoff.isDirty && this.#commit() === BLOCKED) return BLOCKED
    const hasStarted = this.#startDue()
    if (sent === PROGRESS || hasTaken || hasStarted) return PROGRESS
    if (this.#handoff.isDirty) return this.#commit()
    this.wakeAt = this.#nextWake()
    if (this.#inFlight > 0) return WAITING
    return this.#intake.isHolding ? BLOCKED : STARVED
  }

  /** What an earlier life left half sent comes first, and by itself: no hand-off before it is wholly sent. */
  #resume(): Step {
    if (this.#inFlight > 0) return WAITING
    const { hand, inlet } = this.#parts
    const isHalfSent = (granule: LaneGranule): boolean => hand.resumes(batchHeader([granule], 0, 0))
    if (!this.#isDirect && inlet.nextWhere(isHalfSent, this.#granule)) {
      this.#groups.addDirect(this.#granule)
      this.#isDirect = true
    }
    const batch = this.#groups.next()
    if (batch === undefined) throw new MillraceError('INTERNAL', { what: 'a batch that was half sent is not there' })
    this.#start(batch)
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
    for (const entry of this.#keyless.splice(0)) this.#gather(entry, this.#parts.desk.value(entry))
    return true
  }

  /** Puts a record to those of its key. */
  #gather(entry: StashEntry, value: unknown): void {
    let key: unknown
    try {
      key = this.#by === undefined ? undefined : this.#askForKey(this.#by, entry, value)
    } catch (error) {
      return this.#groups.addFailed(entry, error)
    }
    const open = this.#open.get(key)
    if (open === undefined) this.#open.set(key, { entries: [entry], openedAt: this.#parts.clock.now })
    else open.entries.push(entry)
    if (this.#open.get(key)!.entries.length >= this.#parts.stage.input!.batch!.size) this.#complete(key)
  }

  /** The key is the user's own code: it may kill, and hang. */
  #askForKey(by: AnyFunction, entry: StashEntry, value: unknown): unknown {
    const { hand, desk, stage } = this.#parts
    const { node, input } = stage
    const deaths = this.#deathsOf(entry)
    if (deaths >= input!.maxCrashes) throw new MillraceError('RECORD_POISONED', { node, deaths })
    idOf(desk.stash.header(entry), 0)
    hand.holdCall(input!.maxInFlight)
    try {
      return keyOf(node, 'batch.by', by(value))
    } finally {
      hand.dropCall(input!.maxInFlight)
    }
  }

  #deathsOf(entry: StashEntry): number {
    const { hand, desk } = this.#parts
    return hand.suspects === 0 ? 0 : hand.deathsOf(desk.stash.header(entry), 0)
  }

  #complete(key: unknown): void {
    this.#groups.add(this.#open.get(key)!.entries)
    this.#open.delete(key)
  }

  /** Completes the batches whose time is over, and, where nothing else goes on, those that hold the room. */
  #closeBatches(isIdle: boolean): void {
    const { clock, stage, isDraining } = this.#parts
    const isPressed = isIdle && (isDraining() || this.#intake.isHolding)
    for (const [key, { openedAt }] of this.#open) {
      if (isPressed || clock.now - openedAt >= stage.input!.batch!.timeoutMs) this.#complete(key)
    }
  }

  get #mayStart(): boolean {
    return this.#inFlight < this.#parts.stage.input!.maxInFlight && !this.#isAlone && this.#keyless.length === 0
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
        // Its records make a batch of their own, straight from their lane; nothing behind them is taken meanwhile.
        this.#groups.addDirect(this.#granule)
        this.#isDirect = true
        return true
      }
      if (outcome === NO_ROOM_NOW && this.#handoff.isDirty) return this.#commit() === PROGRESS
      if (outcome !== TAKEN) break
      hasTaken = true
    }
    return hasTaken
  }

  #startDue(): boolean {
    let hasStarted = false
    while (this.#mayStart) {
      const batch = this.#groups.next()
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

  #start(batch: GroupBatch): void {
    const { hand, stage, facts, stopped, clock } = this.#parts
    batchId(batch)
    const deaths = hand.deathsOfMixed()
    const canSplit = batch.values.length > 1 && batch.group.direct === undefined
    if (deaths >= stage.input!.maxCrashes && canSplit) return this.#groups.split(batch)
    const context = new CallContext(facts, stopped)
    context.aim(batch.header, 0, batch.attempt + 1)
    const place = this.#freePlaces.pop()!
    const task: Task = { batch, context, place, startedAt: clock.now, outcome: undefined, hasFailed: false }
    this.#inFlight++
    this.#isAlone = deaths > 0
    if (batch.group.fault !== undefined) return this.#end(task, true, batch.group.fault)
    if (deaths >= stage.input!.maxCrashes) {
      return this.#end(task, true, new MillraceError('RECORD_POISONED', { node: stage.node, deaths }))
    }
    batchId(batch)
    hand.holdCall(task.place)
    try {
      const result = this.#work.handler(batch.values, context)
      if (!isThenable(result)) return this.#end(task, false, result)
      this.isAsync = true
      void new OpenCall(result, context, stage.input!.timeoutMs, (call) => {
        this.#end(task, call.hasFailed, call.hasFailed ? call.error : call.result)
        this.#parts.wake()
      })
    } catch (error) {
      this.#end(task, true, error)
    }
  }

  #end(task: Task, hasFailed: boolean, outcome: unknown): void {
    const { service, hand } = this.#parts
    const { length } = task.batch.values
    task.hasFailed = hasFailed
    task.outcome = outcome
    this.#inFlight--
    this.#isAlone = false
    hand.dropCall(task.place)
    this.#freePlaces.push(task.place)
    service.record(((monotonicMs() - task.startedAt) * 1e6) / length, length)
    this.#ended.push(task)
  }

  #sendEnded(): Step {
    let step: Step = STARVED
    if (this.#isCommitting && this.#commit() === BLOCKED) return BLOCKED
    for (;;) {
      const task = this.#sending ?? this.#ended.shift()
      if (task === undefined) return step
      if (this.#sending === undefined) this.#deliver(task)
      const { outlet, clock } = this.#parts
      if (!outlet.flush(clock.stamp)) {
        this.#handoff.commitPart(task.batch.header)
        return BLOCKED
      }
      this.#close(task)
      step = PROGRESS
      if (this.#commit() === BLOCKED) return BLOCKED
    }
  }

  #deliver(task: Task): void {
    const { outlet, hand, stage, batch: histogram } = this.#parts
    const { batch, context } = task
    this.#sending = task
    outlet.open(batch.header, batch.values.length)
    // Routes, keys and inline handlers are called on the way out.
    batchId(batch)
    hand.holdCall(stage.input!.maxInFlight)
    try {
      if (task.hasFailed) throw task.outcome
      this.#work.deliver(task.outcome, batch, context)
      histogram!.record(batch.values.length)
    } catch (error) {
      const retry = this.#work.failed(batch, error)
      this.#isKept = retry !== undefined && this.#groups.keep(batch, retry)
    }
    hand.dropCall(stage.input!.maxInFlight)
  }

  #close({ batch }: Task): void {
    this.#groups.close(batch, this.#isKept)
    if (batch.group.direct !== undefined) this.#isDirect = this.#groups.isInPlace(batch)
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
