import type { StashEntry } from '../../lane/stash.ts'
import { OpenCall } from '../call/call.ts'
import { headerOf, idOf } from '../chunk.ts'
import { Calls, TAKE_DIRECTLY } from './calls.ts'
import { CallContext } from '../call/context.ts'
import { LaneChunk } from '../in/inlet.ts'
import { type InHand, RecordWork } from './record-work.ts'
import { Preload } from './preload.ts'
import { KeyTurns, turnsOf } from './turns.ts'
import { isThenable } from '../call/results.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { BLOCKED, LIMITED, PROGRESS, type Parts, STARVED, type Stage, type Step, WAITING } from '../stage.ts'
import { type Sender, Unit } from '../unit.ts'

/** Below this, all records of a chunk are timed together: a reading of the clock costs as much as a small handler. */
const TIME_EACH_ABOVE_NS = 5_000

/** A call that failed, one that is open, or a record that is not to be called again: it has killed too often. */
type Exception = { readonly error: unknown } | OpenCall | { readonly deaths: number }

/**
 * A stage whose handler takes single records: `map`, `flatMap`, `filter`, `write`. It takes a chunk, calls the handler for
 * each record, sends what comes of them, and hands off. A chunk goes in portions: a record whose call fails or stays open
 * is sent apart from those before it. For a successor that takes up what was half sent makes it again, and a call that failed
 * need not fail again. Records that wait for a retry lie in the stash, and so do those of async handlers, of which several
 * calls are open at once (`calls.ts`).
 */
export class RecordStage implements Stage, Sender {
  isAsync = false
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #work: RecordWork
  #context: CallContext
  readonly #chunk = new LaneChunk()
  /** Where the stage stands with the chunk in hand. */
  #phase: 'idle' | 'running' | 'sending' = 'idle'
  /** The next record to call the handler for. */
  #index = 0
  /** The first record of the portion in hand. */
  #first = 0
  /** The stash entry in hand, where the chunk in hand is one; and whether it stays there for another attempt. */
  #entry: StashEntry | undefined
  #isKept = false
  /** What came of the record at #index, where that is no answer. */
  #exception: Exception | undefined
  /** The record at #index has failed, waits for its next attempt, and holds up the others: the stash has no room for it. */
  #inHand: InHand | undefined
  /** Where records are looked up before their calls: what the calls do not take is by itself. */
  readonly #preload: Preload | undefined
  readonly #handler: AnyFunction
  /** Where each key has a rate limit of its own. */
  readonly #keyTurns: KeyTurns | undefined
  /** The record at #index waits for the limit of its key until then. */
  #heldUntil = 0
  /** Takes over once the handler has shown that it is async. */
  #calls: Calls | undefined
  /** The records behind #index are with the calls. */
  #isLeftToCalls = false
  #timesEach = false
  /** An earlier life left a chunk half sent, and it was not yet taken up. */
  #hasHalfSent: boolean

  constructor(parts: Parts) {
    this.#parts = parts
    this.#unit = new Unit(parts)
    this.#work = new RecordWork(parts)
    this.#context = new CallContext(parts.facts, parts.stopped)
    parts.handlers.context = this.#context
    const preload = parts.handlers.preload()
    this.#preload = preload && new Preload(parts, preload)
    this.#handler = this.#preload === undefined ? this.#work.handler : afterPreload(this.#preload, this.#work.handler)
    const { ordered, retry } = parts.stage.input!
    this.#hasHalfSent = parts.hand.isResuming
    const limitKey = parts.handlers.limitKey()
    this.#keyTurns = limitKey && new KeyTurns(parts, limitKey)
    parts.pending.recover()
    // What waits in the stash, or could, has its place before what the lanes bring.
    const isLinedUp = ordered && (retry.maxAttempts > 1 || parts.pending.waiting > 0)
    if (isLinedUp || preload !== undefined || limitKey !== undefined) this.#useCalls()
  }

  get wakeAt(): number {
    return this.#unit.wakeAt
  }

  step(): Step {
    const owed = this.#unit.start()
    if (owed !== undefined) return owed
    switch (this.#phase) {
      case 'running':
        return this.#run()
      case 'sending':
        return this.#send()
      default:
        if (this.#takeHalfSent()) return this.#run()
        if (this.#calls !== undefined) return this.#stepCalls(this.#calls)
        return this.#takeAny() ? this.#run() : this.#unit.idle(STARVED, this.#parts.pending.nextDueAt)
    }
  }

  /** The chunk that an earlier life left half sent comes first, and by itself. */
  #takeHalfSent(): boolean {
    const { hand, inlet, pending } = this.#parts
    if (!this.#hasHalfSent) return false
    this.#hasHalfSent = false
    if (inlet.nextWhere((chunk) => hand.resumes(chunk), this.#chunk)) return this.#start()
    const entry = pending.nextWhere((header) => hand.resumes(header))
    return entry !== undefined && this.#startEntry(entry)
  }

  #takeAny(): boolean {
    const { inlet, pending, clock } = this.#parts
    const entry = pending.waiting > 0 ? pending.next(clock.now) : undefined
    if (entry !== undefined) return this.#startEntry(entry)
    return inlet.next(this.#chunk) && this.#start()
  }

  #startEntry(entry: StashEntry): boolean {
    const { pending, hand, stage } = this.#parts
    const header = pending.stash.header(entry)
    const deaths = hand.deathsOf(header, 0)
    this.#chunk.unreadDeaths = deaths > stage.input!.maxCrashes ? deaths : 0
    hand.holdOne(header)
    pending.take(entry, this.#chunk, deaths <= stage.input!.maxCrashes)
    hand.drop()
    this.#entry = entry
    return this.#start()
  }

  #start(): boolean {
    this.#phase = 'running'
    this.#isLeftToCalls = false
    this.#index = this.#first = this.#chunk.from
    this.#parts.hand.open(this.#chunk)
    this.#unit.open(this.#chunk, this.#chunk.count, this.#first)
    return true
  }

  /** Calls the handler for the records from #index on, up to the first one that is not done at once. */
  #run(): Step {
    const open = this.#exception
    if (open === undefined) {
      const dueAt = this.#inHand?.dueAt ?? 0
      if (dueAt > this.#parts.clock.now) return this.#unit.wait(BLOCKED, dueAt)
      if (!this.#takeRest()) {
        if (this.#preload !== undefined && this.#isLoading(this.#preload)) return this.#unit.wait(WAITING)
        if (!this.#callPortion()) {
          const { limit, clock } = this.#parts
          return this.#unit.wait(LIMITED, Math.max(limit.nextAt(clock.now), this.#heldUntil))
        }
      }
    } else if (!this.#handOver(open) && !this.#settle(open)) return this.#unit.wait(WAITING)
    if (this.#exception !== undefined && this.#index === this.#first) return this.#run()
    if (this.#inHand !== undefined && this.#index === this.#first) {
      this.#parts.hand.drop()
      return PROGRESS
    }
    this.#phase = 'sending'
    return this.#send()
  }

  /** Begins to look up the record at #index. @returns whether it is still open; the record is in hand then */
  #isLoading(preload: Preload): boolean {
    const chunk = this.#chunk
    if (preload.isBegun || this.#index === chunk.count) return preload.isOpen
    const deaths = chunk.unreadDeaths > 0 ? chunk.unreadDeaths : this.#parts.hand.deathsOf(chunk, this.#index)
    if (deaths >= this.#parts.stage.input!.maxCrashes) return false
    this.#parts.hand.hold((chunk.first + this.#index) | 0)
    preload.begin([chunk.values[this.#index]], headerOf(chunk, this.#index, chunk.attempt), () => undefined)
    this.isAsync ||= preload.isAsync
    return preload.isOpen
  }

  /** @returns false where the rate limit lets no record through now */
  #callPortion(): boolean {
    const { clock, hand, histograms } = this.#parts
    const from = this.#index
    const start = clock.now
    // What was left half sent goes as it went: what a lane has of it already is counted from its first record on.
    const isDoubtful = !hand.isResuming && hand.doubts(this.#chunk, from, this.#chunk.count)
    const isByOne = this.#preload !== undefined || this.#keyTurns !== undefined
    const isAlone = this.#inHand !== undefined || isDoubtful || isByOne
    const wanted = Math.min(isAlone ? 1 : Infinity, this.#chunk.count - from)
    const allowed = this.#allowed(wanted)
    // Nothing is wanted where all that was left of the chunk was dropped: no limit is in the way of that.
    if (allowed === 0 && wanted > 0) return false
    if (this.#keyTurns !== undefined && wanted > 0 && !this.#isItsTurn(this.#keyTurns)) {
      this.#parts.limit.giveBack(allowed)
      return this.#exception !== undefined
    }
    const last = from + allowed
    if (this.#timesEach || hand.suspects > 0) this.#callEach(last)
    else this.#callUpTo(last, 0)
    if (this.#exception === undefined) this.#inHand = undefined
    const records = this.#index - from
    const tookNs = (clock.read() - start) * 1e6
    if (!this.#timesEach && records > 0) histograms.service.record(tookNs / records, records)
    this.#timesEach = tookNs > TIME_EACH_ABOVE_NS * records
    // The record at #index was called too, where it is an exception.
    if (this.#exception !== undefined) this.#parts.limit.giveBack(last - this.#index - 1)
    return true
  }

  /** Whether the key of the record at #index may send one now. A record whose key cannot be had has failed. */
  #isItsTurn(turns: KeyTurns): boolean {
    const { hand, stage } = this.#parts
    const chunk = this.#chunk
    this.#heldUntil = 0
    if (hand.isResuming || chunk.unreadDeaths > 0) return true
    if (hand.deathsOf(chunk, this.#index) >= stage.input!.maxCrashes) return true
    idOf(chunk, this.#index)
    try {
      this.#heldUntil = turns.takeBeside(chunk.values[this.#index]) ?? 0
    } catch (error) {
      this.#exception = { error }
    }
    return this.#heldUntil === 0 && this.#exception === undefined
  }

  /** Of so many records, those that the rate limit lets through now. What was left half sent goes whole. */
  #allowed(records: number): number {
    const { limit, hand, clock } = this.#parts
    if (!hand.isResuming) return limit.take(records, clock.now)
    limit.charge(records, clock.now)
    return records
  }

  /** The hot loop. False where it came upon an exception; #index is at its record then. */
  #callUpTo(last: number, deaths: number): boolean {
    const chunk = this.#chunk
    const { values, first } = chunk
    const attempt = this.#inHand?.attempts ?? chunk.attempt
    const { hand, stage, wake } = this.#parts
    const work = this.#work
    const { isChecked } = work
    const handler = this.#handler
    const context = this.#context
    const results = new Array<unknown>(last)
    context.aim(chunk, this.#index, attempt + deaths + 1)
    // Results from here on wait to be delivered together.
    let from = this.#index
    for (let i = from; i < last; i++) {
      hand.hold((first + i) | 0)
      context.moveTo(i)
      try {
        const result = handler(values[i], context)
        if (isThenable(result)) {
          this.isAsync = true
          this.#exception = new OpenCall(result, context, stage.input!.timeoutMs, wake)
        } else results[i] = isChecked ? work.settle(result) : result
      } catch (error) {
        this.#exception = { error }
      }
      if (this.#exception !== undefined) {
        this.#deliverRun(results, from, i)
        this.#index = i
        return false
      }
      if (context.emitted.length === 0) continue
      this.#exception = context.takeFailure()
      if (this.#exception !== undefined) {
        this.#deliverRun(results, from, i)
        this.#index = i
        return false
      }
      this.#deliverRun(results, from, i + 1)
      work.sendEmitted(context, i)
      from = i + 1
    }
    this.#deliverRun(results, from, last)
    this.#index = last
    return true
  }

  /** Keys, routes and fused handlers are called on the way out. */
  #deliverRun(results: unknown[], from: number, to: number): void {
    const { values, first } = this.#chunk
    if (from === to) return
    this.#parts.hand.holdSeveral((first + from) | 0, to - from)
    this.#work.deliverRun(results, values, from, to)
  }

  /** The same with a reading of the clock for each record, and a look at the suspects. */
  #callEach(last: number): void {
    const { clock, hand, histograms, stage } = this.#parts
    while (this.#index < last) {
      const { unreadDeaths } = this.#chunk
      const deaths = unreadDeaths > 0 ? unreadDeaths : hand.deathsOf(this.#chunk, this.#index)
      if (deaths >= stage.input!.maxCrashes) {
        this.#exception = { deaths }
        return
      }
      const start = clock.read()
      if (!this.#callUpTo(this.#index + 1, deaths)) return
      histograms.service.record((clock.read() - start) * 1e6)
    }
  }

  /** @returns false while the call is still open */
  #settle(exception: Exception): boolean {
    if (exception instanceof OpenCall && !exception.isSettled) return false
    this.#exception = undefined
    const index = this.#index++
    const { values, first } = this.#chunk
    this.#parts.hand.hold((first + index) | 0)
    if ('deaths' in exception) {
      this.#inHand = undefined
      this.#work.poisoned(values[index], index, this.#chunk, exception.deaths)
      return true
    }
    if (exception instanceof OpenCall) {
      this.#answered(index, exception, this.#context.takeFailure())
      this.#renewContext()
      this.#context.aim(this.#chunk, this.#index, this.#chunk.attempt + 1)
    } else this.#fail(index, exception.error)
    if (this.#inHand !== undefined) this.#index = index
    if (this.isAsync && this.#parts.stage.input!.maxInFlight > 1) this.#useCalls()
    return true
  }

  #answered(
    index: number,
    { hasFailed, error, result, tookMs }: OpenCall,
    failure: { readonly error: unknown } | undefined,
  ): void {
    this.#parts.histograms.service.record(tookMs * 1e6)
    if (hasFailed) return this.#fail(index, error)
    if (failure !== undefined) return this.#fail(index, failure.error)
    let settled: unknown
    try {
      settled = this.#work.settle(result)
    } catch (invalid) {
      return this.#fail(index, invalid)
    }
    this.#work.deliver(settled, this.#chunk.values[index], index, this.#context)
    this.#inHand = undefined
  }

  #fail(index: number, error: unknown): void {
    const note = this.#context.takeNote()
    this.#context.emitted.length = 0
    const { pending, inlet } = this.#parts
    const entry = this.#entry
    if (entry === undefined) {
      const again = (): unknown => inlet.again(this.#chunk)[index]
      // Beside open calls only a chunk that the stash cannot hold is in hand, and those that are ordered keep their order.
      const mayLeave = this.#calls === undefined || !this.#parts.stage.input!.ordered
      const facts = { earlier: this.#inHand, mayLeave, note }
      this.#inHand = this.#work.failed(this.#chunk, again, index, error, facts)
    } else this.#isKept = this.#work.failedAgain(entry, () => pending.value(entry), error, note)
  }

  /** The records behind an async call go where several calls may be open; false where they do not, or there is no room. */
  #takeRest(): boolean {
    if (this.#calls === undefined || this.#isByItself) return false
    const { inlet } = this.#parts
    return this.#leave(this.#calls.takeRest(this.#chunk, this.#index, inlet.again(this.#chunk)))
  }

  /**
   * The handler is async: the call that has shown it is the first of those that may be open at once. Only once all before it
   * is sent: what a hand-off in between told of the stash, a successor would find there and on its lane.
   */
  #handOver(call: Exception): boolean {
    const { inlet, stage, pending } = this.#parts
    const { maxInFlight, ordered } = stage.input!
    if (!(call instanceof OpenCall) || call.isSettled || this.#index > this.#first) return false
    if (maxInFlight === 1 || this.#isByItself || (ordered && pending.waiting > 0)) return false
    this.#useCalls()
    const context = this.#context
    const values = inlet.again(this.#chunk)
    if (!this.#leave(this.#calls!.takeOver(this.#chunk, this.#index, values, { call, context }))) return false
    this.#exception = undefined
    this.#renewContext()
    return true
  }

  /** A call that has given a promise keeps its context: what it does late, after its time is over, concerns no other call. */
  #renewContext(): void {
    const { facts, stopped, handlers } = this.#parts
    this.#unit.note(this.#context)
    this.#context = new CallContext(facts, stopped)
    handlers.context = this.#context
  }

  /** What is in hand is a record of the stash, waits for another attempt, or was left half sent: it ends where it is. */
  get #isByItself(): boolean {
    const isUnread = this.#chunk.unreadDeaths > 0
    return this.#entry !== undefined || this.#inHand !== undefined || this.#parts.hand.isResuming || isUnread
  }

  /** The records before `to` are in the stash, and those behind it come there as there is room. False where none is. */
  #leave(to: number): boolean {
    if (to === this.#index) return false
    this.#index = to
    this.#isLeftToCalls = to < this.#chunk.count
    return true
  }

  hold(): void {
    this.#parts.hand.holdSeveral((this.#chunk.first + this.#first) | 0, this.#index - this.#first)
  }

  /** A call that is open stays in hand; nothing else does while the worker waits. */
  drop(): void {
    if (this.#exception instanceof OpenCall) this.#parts.hand.hold((this.#chunk.first + this.#index) | 0)
    else this.#parts.hand.drop()
  }

  #send(): Step {
    if (!this.#unit.send(this)) return BLOCKED
    this.#close()
    return this.#unit.commitIfDue()
  }

  /** All that came of the portion is on the lanes. */
  #close(): void {
    const chunk = this.#chunk
    const isLast = this.#index === chunk.count
    if (this.#entry === undefined) this.#unit.giveBack(chunk, this.#first, this.#index)
    else if (!this.#isKept) {
      this.#unit.finish(this.#entry, chunk)
      this.#calls?.leave(this.#entry)
    }
    this.#unit.note(this.#context)
    this.#unit.close(this.#index - this.#first)
    this.#isKept = false
    this.#phase = isLast || this.#isLeftToCalls ? 'idle' : 'running'
    if (isLast) this.#entry = undefined
    if (this.#phase === 'idle') return
    this.#first = this.#index
    this.#unit.open(chunk, chunk.count, this.#first)
  }

  #stepCalls(calls: Calls): Step {
    const step = calls.step(this.#chunk)
    this.isAsync ||= calls.isAsync
    if (step !== TAKE_DIRECTLY) return step
    this.#start()
    return this.#run()
  }

  #useCalls(): void {
    this.#calls ??= new Calls(this.#parts, this.#unit, this.#work, this.#keyTurns ?? turnsOf(this.#parts))
  }
}

function afterPreload(preload: Preload, handler: AnyFunction): AnyFunction {
  return (value: unknown, context: CallContext) => {
    const [preloaded] = preload.take()
    context.preloaded = preloaded
    return handler(value, context)
  }
}
