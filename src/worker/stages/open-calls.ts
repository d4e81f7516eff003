import type { BatchView } from '../call/batch-view.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { OpenCall } from '../call/call.ts'
import { CallContext } from '../call/context.ts'
import { isThenable } from '../call/results.ts'
import { BLOCKED, type Parts, STARVED, type Step } from '../stage.ts'
import type { Member } from '../chunk.ts'
import type { Sender, Unit } from '../unit.ts'
import { monotonicMs } from '../../time.ts'

/** A call of the handler for one piece of work: it is open, or has ended and was not sent yet. */
export interface PlacedCall<W> {
  readonly work: W
  readonly context: CallContext
  /** Its place in the hand. */
  readonly place: number
  readonly startedAt: number
  outcome: unknown
  hasFailed: boolean
}

const NOTHING: readonly unknown[] = Object.freeze([])

/** What calls are for: single records, or batches. */
export interface Callee<W> {
  readonly handler: (input: any, context: CallContext) => unknown
  /** Computes the id that the hand knows the work by, into `mixed`. */
  identify(work: W): void
  headerOf(work: W): ChunkHeader
  recordsOf(work: W): number
  /** Of a batch: what its handler sees of it. */
  factsOf?(work: W): BatchView
  /** Of a batch: its records. */
  membersOf?(work: W): readonly Member[]
  /** Its records as they were taken: asked for only where they are looked at. */
  valuesOf(work: W): ArrayLike<unknown>
  maySend(work: W): boolean
  /** Sends what came of a call to the outlet. */
  deliver(call: PlacedCall<W>): void
  /** All of that is on the lanes: the work is done, or waits for another attempt. */
  close(work: W): void
  /** What a call ended with is handed off before the next one's is sent. */
  readonly isHandedOffAlone: boolean
}

/**
 * Calls of a handler that overlap. Each has a place in the hand from its start to its end, and so a death is blamed on those that
 * were open; a suspect is called with no other call open, so that it is blamed alone.
 */
export class OpenCalls<W> implements Sender {
  /** A call has answered with a promise. */
  isAsync = false
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #callee: Callee<W>
  readonly #most: number
  readonly #freePlaces: number[] = []
  /** In the order in which they ended; some wait for their turn. */
  readonly #ended: PlacedCall<W>[] = []
  #sending: PlacedCall<W> | undefined
  /** A suspect is called. */
  #isAlone = false

  constructor(parts: Parts, unit: Unit, callee: Callee<W>) {
    this.#parts = parts
    this.#unit = unit
    this.#callee = callee
    this.#most = parts.stage.input!.maxInFlight
    for (let place = this.#most - 1; place >= 0; place--) this.#freePlaces.push(place)
  }

  /** Calls that have not ended. */
  get open(): number {
    return this.#most - this.#freePlaces.length
  }

  /** Calls that have ended, and of which nothing was sent yet. */
  get ended(): number {
    return this.#ended.length
  }

  /** Calls that may start now. */
  get free(): number {
    return this.#isAlone ? 0 : this.#freePlaces.length
  }

  /**
   * @param deaths that this work has cost: it is called with no other call open, which the caller sees to
   * @param spentMs that went into it before its call
   */
  start(work: W, input: unknown, attempt: number, deaths: number, spentMs = 0): void {
    const call = this.#place(work, this.#context(work, attempt), deaths, spentMs)
    this.#hold(call)
    let result: unknown
    try {
      result = this.#callee.handler(input, call.context)
    } catch (error) {
      return this.#end(call, true, error)
    }
    if (!isThenable(result)) return this.#end(call, false, result)
    this.isAsync = true
    const { timeoutMs } = this.#parts.stage.input!
    void new OpenCall(result, call.context, timeoutMs, (answered) => this.#settle(call, answered))
  }

  /** The handler is not called: the work has failed already. */
  fail(work: W, attempt: number, deaths: number, error: unknown): void {
    this.#end(this.#place(work, this.#context(work, attempt), deaths), true, error)
  }

  /** The handler is not called: nothing comes of the work. */
  skip(work: W, attempt: number): void {
    this.#end(this.#place(work, this.#context(work, attempt), 0), false, NOTHING)
  }

  /** Takes over a call that is open already. */
  takeOver(work: W, context: CallContext, open: OpenCall): void {
    const call = this.#place(work, context, 0)
    context.moveUnder(this.#callee.headerOf(work))
    this.#hold(call)
    this.isAsync = true
    open.onSettled = (answered): void => this.#settle(call, answered)
  }

  /** Sends what came of ended calls, as far as their order and the lanes allow. STARVED where there is nothing to send. */
  sendEnded(): Step {
    let step: Step = STARVED
    for (;;) {
      const call = this.#sending ?? this.#nextEnded()
      if (call === undefined) return step
      if (this.#sending === undefined) this.#deliver(call)
      if (!this.#unit.send(this)) return BLOCKED
      this.#callee.close(call.work)
      this.#sending = undefined
      this.#unit.close(this.#callee.recordsOf(call.work))
      step = this.#callee.isHandedOffAlone ? this.#unit.commit() : this.#unit.commitIfDue()
      if (step === BLOCKED) return BLOCKED
    }
  }

  /** The work being sent is in hand, at the place behind those of open calls. */
  hold(): void {
    this.#callee.identify(this.#sending!.work)
    this.holdBeside()
  }

  drop(): void {
    this.dropBeside()
  }

  /** Other code of the user runs, for the record or batch whose id is in `mixed`: its key is asked for, say. */
  holdBeside(): void {
    this.#parts.hand.holdCall(this.#most)
  }

  dropBeside(): void {
    this.#parts.hand.dropCall(this.#most)
  }

  #nextEnded(): PlacedCall<W> | undefined {
    const at = this.#ended.findIndex(({ work }) => this.#callee.maySend(work))
    return at < 0 ? undefined : this.#ended.splice(at, 1)[0]
  }

  /** What comes of a call goes through the stage's own nodes and keys first: the user's code, which may kill. */
  #deliver(call: PlacedCall<W>): void {
    const { work } = call
    this.#sending = call
    this.hold()
    const callee = this.#callee
    const composed = {
      ...(callee.membersOf && { members: () => callee.membersOf!(work) }),
      records: () => callee.valuesOf(work),
    }
    this.#unit.open(callee.headerOf(work), callee.recordsOf(work), 0, composed)
    this.#unit.note(call.context)
    this.#parts.handlers.context = call.context
    this.#callee.deliver(call)
  }

  #context(work: W, attempt: number): CallContext {
    const { facts, stopped } = this.#parts
    const context = new CallContext(facts, stopped)
    context.aim(this.#callee.headerOf(work), 0, attempt, this.#callee.factsOf?.(work))
    return context
  }

  #place(work: W, context: CallContext, deaths: number, spentMs = 0): PlacedCall<W> {
    const place = this.#freePlaces.pop()!
    if (deaths > 0) this.#isAlone = true
    const startedAt = this.#parts.clock.now - spentMs
    return { work, context, place, startedAt, outcome: undefined, hasFailed: false }
  }

  #hold({ work, place }: PlacedCall<W>): void {
    this.#callee.identify(work)
    this.#parts.hand.holdCall(place)
  }

  #settle(call: PlacedCall<W>, { hasFailed, error, result }: OpenCall): void {
    this.#end(call, hasFailed, hasFailed ? error : result)
    this.#parts.wake()
  }

  #end(call: PlacedCall<W>, hasFailed: boolean, outcome: unknown): void {
    const { hand, histograms } = this.#parts
    const records = this.#callee.recordsOf(call.work)
    call.hasFailed = hasFailed
    call.outcome = outcome
    hand.dropCall(call.place)
    this.#freePlaces.push(call.place)
    this.#isAlone = false
    histograms.service.record(((monotonicMs() - call.startedAt) * 1e6) / records, records)
    this.#ended.push(call)
  }
}
