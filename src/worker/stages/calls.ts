import type { StashEntry } from '../../lane/stash.ts'
import type { GranuleHeader } from '../../lane/writer.ts'
import { OpenCall } from '../call/call.ts'
import { CallContext } from '../call/context.ts'
import { idOf } from '../granule.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { LaneGranule } from '../in/inlet.ts'
import { Intake, NO_ROOM_NOW, TAKEN, TOO_LARGE } from './intake.ts'
import { InputOrder, KeyOrder, type Order, noOrder } from './order.ts'
import type { RecordWork } from './record-work.ts'
import { isThenable } from '../call/results.ts'
import { type Handoff } from '../handoff.ts'
import { BLOCKED, PROGRESS, type Parts, STARVED, type Step, WAITING } from '../stage.ts'
import { monotonicMs } from '../../time.ts'

/** The granule does not fit the stash: it is to be taken by itself. */
export const TAKE_DIRECTLY = -1

/** One record whose call is open, or has ended and was not sent yet. */
interface Task {
  readonly entry: StashEntry
  readonly header: GranuleHeader
  readonly value: unknown
  readonly context: CallContext
  /** Its place in the hand. */
  readonly place: number
  readonly startedAt: number
  result: unknown
  error: unknown
  hasFailed: boolean
}

/**
 * Records whose calls overlap. Each lies in the stash from the moment it is taken from its lane until what came of it is
 * sent, so the lane goes on, and a successor finds them all.
 */
export class Calls {
  wakeAt = Infinity
  isAsync = false
  readonly #parts: Parts
  readonly #handoff: Handoff
  readonly #work: RecordWork
  readonly #intake: Intake
  readonly #order: Order
  readonly #maxInFlight: number
  /** In the order in which the calls ended; some wait for their turn. */
  readonly #ended: Task[] = []
  #sending: Task | undefined
  /** The task being sent failed, and waits for another attempt. */
  #isKept = false
  #isCommitting = false
  #open = 0
  readonly #freePlaces: number[] = []
  /** A suspect is called with no other call open, so that only the culprit is in hand at a death. */
  #isAlone = false
  /** Keys of records are asked for here. */
  readonly #isKeyed: boolean
  /** What an earlier life left on the desk has lined up. */
  #isLinedUp = false

  constructor(parts: Parts, handoff: Handoff, work: RecordWork) {
    this.#parts = parts
    this.#handoff = handoff
    this.#work = work
    const { ordered, keyed, maxInFlight } = parts.stage.input!
    this.#maxInFlight = maxInFlight
    for (let place = maxInFlight - 1; place >= 0; place--) this.#freePlaces.push(place)
    this.#isKeyed = ordered && keyed
    const keyOf = this.#isKeyed ? parts.handlers.partitionKey()! : undefined
    this.#order = keyOf !== undefined ? new KeyOrder(this.#asking(keyOf)) : ordered ? new InputOrder() : noOrder
    this.#intake = new Intake(parts, handoff, (entry, value) => this.#enter(entry, value))
  }

  /** @param granule is filled where the outcome is TAKE_DIRECTLY */
  step(granule: LaneGranule): Step | typeof TAKE_DIRECTLY {
    this.wakeAt = Infinity
    const sent = this.#sendEnded()
    if (sent === BLOCKED) return BLOCKED
    this.#lineUp()
    const hasStarted = this.#startDue()
    const taken = this.#takeMore(granule)
    if (taken === TAKE_DIRECTLY) return TAKE_DIRECTLY
    if (sent === PROGRESS || hasStarted || taken) return PROGRESS
    if (this.#handoff.isDirty || this.#handoff.passEnd()) return this.#commit()
    const { desk } = this.#parts
    // While no call may start, an entry that is due waits for an answer, not for a time.
    const mayStart = this.#open < this.#maxInFlight && !this.#isAlone
    this.wakeAt = mayStart ? desk.nextDueAt : Infinity
    if (this.#open > 0) return WAITING
    return this.#intake.isHolding ? BLOCKED : STARVED
  }

  /**
   * Takes the records of a granule in hand from `index` on: those that the stash has no room for yet stay on their lane, and
   * come next.
   * @param values the records as they were sent
   * @returns the index of the first one that stays there; `index` where none fits, and nothing was taken
   */
  takeRest(granule: LaneGranule, index: number, values: readonly unknown[]): number {
    this.#lineUp()
    return this.#holdRest(granule, index, this.#intake.admit(granule, index, values))
  }

  /** The same where the call of the record at `index` is open already: it goes on as the first of many. */
  takeOver(
    granule: LaneGranule,
    index: number,
    values: readonly unknown[],
    { call, context }: { call: OpenCall; context: CallContext },
  ): number {
    this.#lineUp()
    const to = this.#intake.admit(granule, index, values, (entry, value) => {
      this.#order.enter(entry, value)
      const task = this.#taskOf(entry, value, context)
      context.moveUnder(task.header)
      idOf(task.header, 0)
      this.#parts.hand.holdCall(task.place)
      this.isAsync = true
      call.onSettled = (settled): void => this.#settle(task, settled)
    })
    return this.#holdRest(granule, index, to)
  }

  #holdRest(granule: LaneGranule, from: number, to: number): number {
    if (to > from && to < granule.count) this.#intake.hold(granule, to)
    return to
  }

  /** An entry is done: the one behind it may start, where there is an order. */
  leave(entry: StashEntry): void {
    const next = this.#order.leave(entry)
    if (next !== undefined) this.#parts.desk.wait(next)
  }

  /** What an earlier life left on the desk comes before what the lanes bring. */
  #lineUp(): void {
    if (this.#isLinedUp) return
    this.#isLinedUp = true
    const { desk } = this.#parts
    for (const entry of desk.takeAll()) this.#enter(entry, desk.value(entry))
  }

  #enter(entry: StashEntry, value: unknown): void {
    if (this.#order.enter(entry, value)) this.#parts.desk.wait(entry)
  }

  /** The key is the user's own code: it may kill, and hang. A record that is given up for that has a line of its own. */
  #asking(keyOf: AnyFunction): (value: unknown, entry: StashEntry) => unknown {
    const { hand, desk, stage } = this.#parts
    return (value, entry) => {
      const header = desk.stash.header(entry)
      if (hand.deathsOf(header, 0) >= stage.input!.maxCrashes) return entry
      idOf(header, 0)
      hand.holdCall(this.#maxInFlight)
      const key: unknown = keyOf(value)
      hand.dropCall(this.#maxInFlight)
      return key
    }
  }

  /** Sends what came of ended calls, as far as their order and the lanes allow. */
  #sendEnded(): Step {
    let step: Step = STARVED
    if (this.#isCommitting && this.#commit() === BLOCKED) return BLOCKED
    for (;;) {
      const task = this.#sending ?? this.#nextEnded()
      if (task === undefined) return step
      const { outlet, clock, hand } = this.#parts
      // Routes, keys and inline handlers are called on the way out, and what came of the record is encoded.
      idOf(task.header, 0)
      hand.holdCall(this.#maxInFlight)
      if (this.#sending === undefined) this.#deliver(task)
      const isSent = outlet.flush(clock.stamp)
      hand.dropCall(this.#maxInFlight)
      if (!isSent) {
        this.#handoff.commitPart(task.header)
        return BLOCKED
      }
      this.#close(task)
      step = PROGRESS
      if (this.#handoff.isDue && this.#commit() === BLOCKED) return BLOCKED
    }
  }

  #nextEnded(): Task | undefined {
    const at = this.#ended.findIndex(({ entry }) => this.#order.maySend(entry))
    return at < 0 ? undefined : this.#ended.splice(at, 1)[0]
  }

  #deliver(task: Task): void {
    this.#sending = task
    this.#parts.outlet.open(task.header, 1)
    if (task.hasFailed) return this.#fail(task, task.error)
    let result: unknown
    try {
      result = this.#work.settle(task.result)
    } catch (error) {
      return this.#fail(task, error)
    }
    this.#work.deliver(result, task.value, 0, task.context)
  }

  #fail(task: Task, error: unknown): void {
    const { desk, hand, stage } = this.#parts
    // One that has killed once more, while it was read to be given up, is not read again.
    const isUnreadable = hand.deathsOf(task.header, 0) > stage.input!.maxCrashes
    this.#isKept = this.#work.failedAgain(task.entry, () => (isUnreadable ? undefined : desk.value(task.entry)), error)
  }

  #close(task: Task): void {
    const { outlet, desk } = this.#parts
    if (this.#isKept) this.#handoff.closed()
    else {
      this.#handoff.end(task.header)
      desk.finish(task.entry)
      this.leave(task.entry)
    }
    this.#isKept = false
    this.#sending = undefined
    outlet.close()
    this.#handoff.add(1)
  }

  /** Starts the calls of entries that are due. */
  #startDue(): boolean {
    const { desk, hand, clock } = this.#parts
    let hasStarted = false
    while (this.#open < this.#maxInFlight && !this.#isAlone) {
      const entry = desk.next(clock.now)
      if (entry === undefined) break
      const deaths = hand.deathsOf(desk.stash.header(entry), 0)
      if (deaths > 0 && this.#open > 0) {
        desk.wait(entry)
        break
      }
      this.#isAlone = deaths > 0
      this.#start(entry, deaths)
      hasStarted = true
    }
    return hasStarted
  }

  #start(entry: StashEntry, deaths: number): void {
    const { desk, hand, stage, facts, stopped } = this.#parts
    const header = desk.stash.header(entry)
    if (deaths >= stage.input!.maxCrashes) {
      // Its record may be what kills: it is not read.
      const task = this.#taskOf(entry, undefined, new CallContext(facts, stopped))
      return this.#end(task, true, this.#work.poison(deaths))
    }
    hand.holdOne(header)
    const value = desk.value(entry)
    hand.drop()
    const context = new CallContext(facts, stopped)
    context.aim(header, 0, entry.attempt + deaths + 1)
    const task = this.#taskOf(entry, value, context)
    idOf(header, 0)
    hand.holdCall(task.place)
    let result: unknown
    try {
      result = this.#work.handler(value, context)
    } catch (error) {
      return this.#end(task, true, error)
    }
    if (!isThenable(result)) return this.#end(task, false, result)
    this.isAsync = true
    void new OpenCall(result, context, stage.input!.timeoutMs, (call) => this.#settle(task, call))
  }

  #taskOf(entry: StashEntry, value: unknown, context: CallContext): Task {
    const header = this.#parts.desk.stash.header(entry)
    const place = this.#freePlaces.pop()!
    this.#open++
    const unknown = { result: undefined, error: undefined, hasFailed: false }
    return { entry, header, value, context, place, startedAt: this.#parts.clock.now, ...unknown }
  }

  #settle(task: Task, call: OpenCall): void {
    this.#end(task, call.hasFailed, call.hasFailed ? call.error : call.result)
    this.#parts.wake()
  }

  #end(task: Task, hasFailed: boolean, outcome: unknown): void {
    const { hand, histograms } = this.#parts
    task.hasFailed = hasFailed
    if (hasFailed) task.error = outcome
    else task.result = outcome
    hand.dropCall(task.place)
    this.#freePlaces.push(task.place)
    this.#open--
    this.#isAlone = false
    histograms.service.record((monotonicMs() - task.startedAt) * 1e6)
    this.#ended.push(task)
  }

  /** Takes granules from the lanes into the stash, enough to keep all calls open. */
  #takeMore(granule: LaneGranule): boolean | typeof TAKE_DIRECTLY {
    const { desk, hand } = this.#parts
    let hasTaken = false
    // A death while a key is asked for would lie at the door of the open calls too.
    if (this.#isKeyed && hand.suspects > 0 && this.#open > 0) return false
    while (desk.waiting < this.#maxInFlight && this.#ended.length < this.#maxInFlight) {
      const outcome = this.#intake.next(granule)
      if (outcome === TOO_LARGE) return TAKE_DIRECTLY
      if (outcome !== TAKEN) {
        // Ended entries give their room back only by a hand-off.
        if (outcome === NO_ROOM_NOW && this.#handoff.isDirty) hasTaken = this.#commit() === PROGRESS
        break
      }
      hasTaken = true
    }
    return hasTaken
  }

  #commit(): Step {
    this.#isCommitting = !this.#handoff.commit()
    return this.#isCommitting ? BLOCKED : PROGRESS
  }
}
