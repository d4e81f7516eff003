import type { StashEntry } from '../lane/stash.ts'
import { OpenCall } from './call.ts'
import { Calls, TAKE_DIRECTLY } from './calls.ts'
import { CallContext } from './context.ts'
import { LaneGranule } from './inlet.ts'
import { isThenable } from './outlet.ts'
import { measureGranule } from './parts.ts'
import { RecordWork } from './record-work.ts'
import { BLOCKED, Handoff, PROGRESS, type Parts, STARVED, type Stage, type Step, WAITING } from './stage.ts'

/** Below this, all records of a granule are timed together: a reading of the clock costs as much as a small handler. */
const TIME_EACH_ABOVE_NS = 5_000

/**
 * A stage whose handler takes single records: `map`, `flatMap`, `filter`, `write`. It takes a granule, calls the handler for
 * each record, sends what comes of them, and hands off. Records that wait for a retry lie in the stash, and so do those of
 * async handlers, of which several calls are open at once (`calls.ts`).
 */
export class RecordStage implements Stage {
  wakeAt = Infinity
  isAsync: boolean
  readonly #parts: Parts
  readonly #handoff: Handoff
  readonly #work: RecordWork
  readonly #context: CallContext
  readonly #granule = new LaneGranule()
  /** Where the stage stands with the granule in hand; `closed`: only the hand-off is missing. */
  #phase: 'idle' | 'running' | 'sending' | 'closed' = 'idle'
  /** The next record to call the handler for, and the first one behind those that it is called for here. */
  #index = 0
  #last = 0
  /** The stash entry in hand, where the granule in hand is one; and whether it stays there for another attempt. */
  #entry: StashEntry | undefined
  #isKept = false
  /** An open call for the record before #index. */
  #open: OpenCall | undefined
  /** Takes over once the handler has shown that it is async. */
  #calls: Calls | undefined
  #timesEach = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#handoff = new Handoff(parts)
    this.#work = new RecordWork(parts)
    this.#context = new CallContext(parts.facts, parts.stopped)
    parts.handlers.context = this.#context
    const { ordered, retry, maxInFlight } = parts.stage.input!
    this.isAsync = this.#work.handler.constructor.name === 'AsyncFunction'
    parts.desk.recover()
    if ((this.isAsync && maxInFlight > 1) || (ordered && retry.maxAttempts > 1)) this.#useCalls()
  }

  step(): Step {
    this.#parts.clock.read()
    switch (this.#phase) {
      case 'running':
        return this.#run()
      case 'sending':
        return this.#send()
      case 'closed':
        return this.#commit()
      default:
        if (this.#takeHalfSent()) return this.#run()
        if (this.#calls !== undefined) return this.#stepCalls(this.#calls)
        return this.#takeAny() ? this.#run() : this.#idle()
    }
  }

  /** The granule that an earlier life left half sent comes first, and by itself. */
  #takeHalfSent(): boolean {
    const { hand, inlet, desk } = this.#parts
    if (!hand.isResuming) return false
    if (inlet.nextWhere((granule) => hand.resumes(granule), this.#granule)) return this.#start()
    const entry = desk.nextWhere((header) => hand.resumes(header))
    return entry !== undefined && this.#startEntry(entry)
  }

  #takeAny(): boolean {
    const { inlet, desk } = this.#parts
    const entry = desk.waiting > 0 ? desk.next(Date.now()) : undefined
    if (entry !== undefined) return this.#startEntry(entry)
    return inlet.next(this.#granule) && this.#start()
  }

  #startEntry(entry: StashEntry): boolean {
    this.#parts.desk.take(entry, this.#granule)
    this.#entry = entry
    return this.#start()
  }

  #start(): boolean {
    const { hand, outlet } = this.#parts
    this.#phase = 'running'
    this.#index = this.#granule.from
    this.#last = this.#granule.count
    hand.open(this.#granule)
    outlet.open(this.#granule, this.#granule.count)
    return true
  }

  /** Calls the handler for the records from #index on. */
  #run(): Step {
    if (this.#open !== undefined && !this.#settleOpen(this.#open)) return WAITING
    const { clock, hand, service } = this.#parts
    const from = this.#index
    const start = clock.now
    const isDone = this.#timesEach || hand.suspects > 0 ? this.#callEach() : this.#callUpTo(this.#last, 0)
    const records = this.#index - from
    const tookNs = (clock.read() - start) * 1e6
    if (!this.#timesEach && records > 0) service.record(tookNs / records, records)
    this.#timesEach = tookNs > TIME_EACH_ABOVE_NS * records
    if (!isDone) return WAITING
    hand.drop()
    this.#phase = 'sending'
    return this.#send()
  }

  /** The hot loop. False where a call stays open; then #index is behind its record. */
  #callUpTo(last: number, deaths: number): boolean {
    const granule = this.#granule
    const { values, first, attempt } = granule
    const { hand } = this.#parts
    const work = this.#work
    const { handler, isTakenWhole } = work
    const context = this.#context
    const results = new Array<unknown>(last)
    context.aim(granule, this.#index, attempt + deaths + 1)
    // Results from here on wait to be delivered together.
    let from = this.#index
    for (let i = from; i < last; i++) {
      hand.hold((first + i) | 0)
      context.moveTo(i)
      try {
        const result = handler(values[i], context)
        if (isThenable(result)) {
          work.deliverRun(results, values, from, i)
          this.#await(result, i)
          return false
        }
        results[i] = isTakenWhole ? work.settle(result) : result
      } catch (error) {
        work.deliverRun(results, values, from, i)
        this.#fail(i, error)
        from = i + 1
        continue
      }
      if (context.emitted.length === 0) continue
      work.deliverRun(results, values, from, i + 1)
      work.sendEmitted(context, i)
      from = i + 1
    }
    work.deliverRun(results, values, from, last)
    this.#index = last
    return true
  }

  /** The same with a reading of the clock for each record, and a look at the suspects. */
  #callEach(): boolean {
    const { clock, hand, service, stage } = this.#parts
    while (this.#index < this.#last) {
      const deaths = hand.deathsOf(this.#granule, this.#index)
      if (deaths >= stage.input!.maxCrashes) {
        this.#work.poisoned(this.#granule.values[this.#index], this.#index, this.#granule, deaths)
        this.#index++
        continue
      }
      const start = clock.read()
      if (!this.#callUpTo(this.#index + 1, deaths)) return false
      service.record((clock.read() - start) * 1e6)
    }
    return true
  }

  #fail(index: number, error: unknown): void {
    this.#context.emitted.length = 0
    const { desk, inlet } = this.#parts
    const entry = this.#entry
    if (entry === undefined) this.#work.failed(this.#granule, () => inlet.again(this.#granule)[index], index, error)
    else this.#isKept = this.#work.failedAgain(entry, () => desk.value(entry), error)
  }

  /** An async handler: this call is waited for here; the records behind it go where several calls may be open. */
  #await(promise: PromiseLike<unknown>, index: number): void {
    const { stage, wake } = this.#parts
    this.isAsync = true
    this.#index = index + 1
    this.#open = new OpenCall(promise, this.#context, stage.input!.timeoutMs, wake)
    if (stage.input!.maxInFlight === 1 || this.#entry !== undefined) return
    this.#useCalls()
    if (this.#calls!.takeRest(this.#granule, this.#index)) this.#last = this.#index
  }

  /** @returns false while the call is still open */
  #settleOpen(call: OpenCall): boolean {
    if (!call.isSettled) return false
    this.#open = undefined
    const index = this.#index - 1
    try {
      if (call.hasFailed) throw call.error
      this.#work.deliver(this.#work.settle(call.result), this.#granule.values[index], index, this.#context)
    } catch (error) {
      this.#fail(index, error)
    }
    return true
  }

  #send(): Step {
    const { clock, outlet } = this.#parts
    if (!outlet.flush(clock.stamp)) {
      this.#handoff.commitPart(this.#granule)
      return BLOCKED
    }
    this.#close()
    return this.#handoff.isDue ? this.#commit() : PROGRESS
  }

  /** All that came of the granule is on the lanes. */
  #close(): void {
    const { outlet, inlet, desk } = this.#parts
    const granule = this.#granule
    const records = granule.count - granule.from
    if (this.#isKept) this.#handoff.closed()
    else this.#handoff.end(granule)
    if (this.#entry === undefined) {
      this.#work.countIn(records)
      inlet.release(granule)
      measureGranule(this.#parts, granule)
    } else if (!this.#isKept) desk.finish(this.#entry)
    this.#entry = undefined
    this.#isKept = false
    outlet.close()
    this.#handoff.add(records)
    this.#phase = 'idle'
  }

  #commit(): Step {
    this.#phase = this.#handoff.commit() ? 'idle' : 'closed'
    return this.#phase === 'idle' ? PROGRESS : BLOCKED
  }

  #idle(): Step {
    if (this.#handoff.isDirty) return this.#commit()
    const { desk, clock } = this.#parts
    this.wakeAt = clock.now + (desk.nextDueAt - Date.now())
    return STARVED
  }

  #stepCalls(calls: Calls): Step {
    const step = calls.step(this.#granule)
    this.wakeAt = calls.wakeAt
    this.isAsync ||= calls.isAsync
    if (step !== TAKE_DIRECTLY) return step
    this.#start()
    return this.#run()
  }

  #useCalls(): void {
    this.#calls ??= new Calls(this.#parts, this.#handoff, this.#work)
  }
}
