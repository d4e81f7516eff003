import type { StashEntry } from '../../lane/stash.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { OpenCall } from '../call/call.ts'
import type { CallContext } from '../call/context.ts'
import { idOf } from '../chunk.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { LaneChunk } from '../in/inlet.ts'
import { Intake, NO_ROOM_NOW, TAKEN, TOO_LARGE } from './intake.ts'
import { type Callee, OpenCalls, type PlacedCall } from './open-calls.ts'
import { InputOrder, KeyOrder, type Order, noOrder } from './order.ts'
import type { RecordWork } from './record-work.ts'
import { type PreloadedRecord, Preloads } from './preloads.ts'
import type { Turns } from './turns.ts'
import { BLOCKED, LIMITED, PROGRESS, type Parts, STARVED, type Step, WAITING } from '../stage.ts'
import type { Unit } from '../unit.ts'

/** The chunk does not fit the stash: it is to be taken by itself. */
export const TAKE_DIRECTLY = -1

/** One record of the stash that is called, and its value as its handler and the nodes below it see it. */
interface CalledRecord {
  readonly entry: StashEntry
  readonly header: ChunkHeader
  readonly value: unknown
}

/**
 * Records whose calls overlap. Each lies in the stash from the moment it is taken from its lane until what came of it is
 * sent, so the lane goes on, and a successor finds them all.
 */
export class Calls implements Callee<CalledRecord> {
  readonly handler: AnyFunction
  readonly isHandedOffAlone = false
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #work: RecordWork
  readonly #calls: OpenCalls<CalledRecord>
  readonly #intake: Intake
  readonly #order: Order
  /** Where records are looked up before their calls. */
  readonly #preloads: Preloads | undefined
  /** The record being sent failed, and waits for another attempt. */
  #isKept = false
  /** Keys of records are asked for here. */
  readonly #isKeyed: boolean
  /** What an earlier life left among its pending records has lined up. */
  #isLinedUp = false
  /** A record could be called, but for the rate limit. */
  #isLimited = false
  readonly #turns: Turns

  constructor(parts: Parts, unit: Unit, work: RecordWork, turns: Turns) {
    this.#parts = parts
    this.#unit = unit
    this.#work = work
    this.#turns = turns
    const preload = parts.handlers.preload()
    this.#preloads = preload && new Preloads(parts, preload, turns)
    this.handler = preload === undefined ? work.handler : afterPreload(work.handler)
    this.#calls = new OpenCalls<CalledRecord>(parts, unit, this)
    const { ordered, keyed } = parts.stage.input!
    this.#isKeyed = ordered && keyed
    const keyOf = this.#isKeyed ? parts.handlers.partitionKey()! : undefined
    this.#order = keyOf !== undefined ? new KeyOrder(this.#asking(keyOf)) : ordered ? new InputOrder() : noOrder
    this.#intake = new Intake(parts, unit, (entry, value) => this.#enter(entry, value))
  }

  /** A call has answered with a promise. */
  get isAsync(): boolean {
    return this.#calls.isAsync || this.#preloads?.isAsync === true
  }

  /** @param chunk is filled where the outcome is TAKE_DIRECTLY */
  step(chunk: LaneChunk): Step | typeof TAKE_DIRECTLY {
    const sent = this.#calls.sendEnded()
    if (sent === BLOCKED) return BLOCKED
    this.#lineUp()
    this.#turns.look()
    const hasStarted = this.#preloads === undefined ? this.#startDue() : this.#startLoaded(this.#preloads)
    const taken = this.#takeMore(chunk)
    if (taken === TAKE_DIRECTLY) return TAKE_DIRECTLY
    if (sent === PROGRESS || hasStarted || taken) return PROGRESS
    if (this.#isLimited) return this.#unit.idle(LIMITED, this.#parts.limit.nextAt(this.#parts.clock.now))
    // While no call may start, an entry that is due waits for an answer, not for a time.
    const isLoading = this.#preloads !== undefined && (this.#preloads.isOpen || this.#preloads.hasNext)
    const mayStart = this.#calls.free > 0 && !isLoading
    const wakeAt = mayStart ? this.#turns.nextDueAt : Infinity
    if (mayStart && this.#turns.isHeld) return this.#unit.idle(LIMITED, wakeAt)
    return this.#unit.idle(
      this.#calls.open > 0 || isLoading ? WAITING : this.#intake.isHolding ? BLOCKED : STARVED,
      wakeAt,
    )
  }

  /**
   * Takes the records of a chunk in hand from `index` on: those that the stash has no room for yet stay on their lane, and
   * come next.
   * @param values the records as they were sent
   * @returns the index of the first one that stays there; `index` where none fits, and nothing was taken
   */
  takeRest(chunk: LaneChunk, index: number, values: readonly unknown[]): number {
    this.#lineUp()
    return this.#holdRest(chunk, index, this.#intake.admit(chunk, index, values))
  }

  /** The same where the call of the record at `index` is open already: it goes on as the first of many. */
  takeOver(
    chunk: LaneChunk,
    index: number,
    values: readonly unknown[],
    { call, context }: { call: OpenCall; context: CallContext },
  ): number {
    this.#lineUp()
    const to = this.#intake.admit(chunk, index, values, (entry, value) => {
      this.#order.enter(entry, value)
      this.#calls.takeOver({ entry, header: this.#parts.pending.stash.header(entry), value }, context, call)
    })
    return this.#holdRest(chunk, index, to)
  }

  #holdRest(chunk: LaneChunk, from: number, to: number): number {
    if (to > from && to < chunk.count) this.#intake.hold(chunk, to)
    return to
  }

  /** An entry is done: the one behind it may start, where there is an order. */
  leave(entry: StashEntry): void {
    const next = this.#order.leave(entry)
    if (next !== undefined) this.#parts.pending.wait(next)
  }

  /** What an earlier life left among its pending records comes before what the lanes bring. */
  #lineUp(): void {
    if (this.#isLinedUp) return
    this.#isLinedUp = true
    const { pending } = this.#parts
    for (const entry of pending.takeAll()) this.#enter(entry, pending.value(entry))
  }

  #enter(entry: StashEntry, value: unknown): void {
    if (this.#order.enter(entry, value)) this.#parts.pending.wait(entry)
  }

  /** The key is the user's own code: it may kill, and hang. A record that is given up for that has a line of its own. */
  #asking(keyOf: AnyFunction): (value: unknown, entry: StashEntry) => unknown {
    const { hand, pending, stage } = this.#parts
    return (value, entry) => {
      const header = pending.stash.header(entry)
      if (hand.deathsOf(header, 0) >= stage.input!.maxCrashes) return entry
      idOf(header, 0)
      this.#calls.holdBeside()
      const key: unknown = keyOf(value)
      this.#calls.dropBeside()
      return key
    }
  }

  identify({ header }: CalledRecord): void {
    idOf(header, 0)
  }

  headerOf({ header }: CalledRecord): ChunkHeader {
    return header
  }

  recordsOf(): number {
    return 1
  }

  valuesOf({ entry }: CalledRecord): ArrayLike<unknown> {
    return [this.#parts.pending.value(entry)]
  }

  maySend({ entry }: CalledRecord): boolean {
    return this.#order.maySend(entry)
  }

  deliver({ work, context, hasFailed, outcome }: PlacedCall<CalledRecord>): void {
    if (hasFailed) return this.#fail(work, context, outcome)
    const failure = context.emitted.length > 0 ? context.takeFailure() : undefined
    if (failure !== undefined) return this.#fail(work, context, failure.error)
    let result: unknown
    try {
      result = this.#work.settle(outcome)
    } catch (error) {
      return this.#fail(work, context, error)
    }
    this.#work.deliver(result, work.value, 0, context)
  }

  #fail({ entry, header }: CalledRecord, context: CallContext, error: unknown): void {
    const { pending, hand, stage } = this.#parts
    // One that has killed once more, while it was read to be given up, is not read again.
    const isUnreadable = hand.deathsOf(header, 0) > stage.input!.maxCrashes
    const again = (): unknown => (isUnreadable ? undefined : pending.value(entry))
    this.#isKept = this.#work.failedAgain(entry, again, error, context.takeNote())
  }

  close({ entry, header }: CalledRecord): void {
    if (!this.#isKept) {
      this.#unit.finish(entry, header)
      this.leave(entry)
    }
    this.#isKept = false
  }

  /** Starts the calls of entries that are due. */
  #startDue(): boolean {
    const { pending, hand, clock, limit } = this.#parts
    let hasStarted = false
    this.#isLimited = false
    while (this.#calls.free > 0 && this.#turns.nextDueAt <= clock.now) {
      this.#isLimited = limit.take(1, clock.now) === 0
      if (this.#isLimited) break
      const entry = this.#turns.next(this.#calls.open)
      const deaths = entry === undefined ? 0 : hand.deathsOf(pending.stash.header(entry), 0)
      if (entry === undefined || (deaths > 0 && this.#calls.open > 0)) {
        limit.giveBack(1)
        if (entry !== undefined) this.#turns.putBack(entry)
        break
      }
      this.#start(entry, deaths)
      hasStarted = true
    }
    return hasStarted
  }

  /** The same where records are looked up first: starts the calls of those that were, and looks the next ones up. */
  #startLoaded(preloads: Preloads): boolean {
    const { clock, limit } = this.#parts
    const isIdle = !preloads.isOpen && !preloads.hasNext
    // What would have to wait for its call is not looked up before the wait is over.
    this.#isLimited = isIdle && this.#turns.nextDueAt <= clock.now && limit.allowed(clock.now) === 0
    let hasStarted = isIdle && !this.#isLimited && this.#calls.free > 0 && preloads.begin(this.#calls.open)
    while (this.#calls.free > 0 && preloads.hasNext) {
      this.#isLimited = limit.take(1, clock.now) === 0
      if (this.#isLimited) break
      this.#startOne(preloads.next())
      hasStarted = true
    }
    return hasStarted
  }

  #startOne(loaded: PreloadedRecord): void {
    const { entry, value, deaths, failure, tookMs } = loaded
    const { pending, stage } = this.#parts
    const header = pending.stash.header(entry)
    const attempt = entry.attempt + deaths + 1
    const work = { entry, header, value }
    if (deaths >= stage.input!.maxCrashes) this.#calls.fail(work, attempt, deaths, this.#work.poison(deaths))
    else if (failure !== undefined) this.#calls.fail(work, attempt, deaths, failure.error)
    else this.#calls.start(work, loaded, attempt, deaths, tookMs)
  }

  #start(entry: StashEntry, deaths: number): void {
    const { pending, hand, stage } = this.#parts
    const header = pending.stash.header(entry)
    const attempt = entry.attempt + deaths + 1
    if (deaths >= stage.input!.maxCrashes) {
      // Its record may be what kills: it is not read.
      return this.#calls.fail({ entry, header, value: undefined }, attempt, deaths, this.#work.poison(deaths))
    }
    const fault = this.#turns.faultOf(entry)
    if (fault !== undefined) return this.#calls.fail({ entry, header, value: undefined }, attempt, deaths, fault.error)
    hand.holdOne(header)
    const value = pending.value(entry)
    hand.drop()
    this.#calls.start({ entry, header, value }, value, attempt, deaths)
  }

  /** Takes chunks from the lanes into the stash, enough to keep all calls open. */
  #takeMore(chunk: LaneChunk): boolean | typeof TAKE_DIRECTLY {
    const { pending, hand, stage } = this.#parts
    const { maxInFlight, preloads = 0 } = stage.input!
    let hasTaken = false
    // A death while a key is asked for would lie at the door of the open calls too.
    const isCalling = this.#calls.open > 0 || this.#preloads?.isOpen === true
    if (this.#isKeyed && hand.suspects > 0 && isCalling) return false
    while (pending.waiting < Math.max(maxInFlight, preloads) && this.#calls.ended < maxInFlight) {
      const outcome = this.#intake.next(chunk)
      if (outcome === TOO_LARGE) return TAKE_DIRECTLY
      if (outcome !== TAKEN) {
        // Ended entries give their room back only by a hand-off.
        if (outcome === NO_ROOM_NOW && this.#unit.handoff.isDirty) hasTaken = this.#unit.commit() === PROGRESS
        break
      }
      hasTaken = true
    }
    return hasTaken
  }
}

function afterPreload(handler: AnyFunction): AnyFunction {
  return ({ value, preloaded }: PreloadedRecord, context: CallContext) => {
    context.preloaded = preloaded
    return handler(value, context)
  }
}
