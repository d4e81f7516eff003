import { MillraceError, errorText } from '../../errors.ts'
import type { StashEntry } from '../../lane/stash.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { COUNTER } from '../../memory/counters.ts'
import type { CallContext } from '../call/context.ts'
import { unlessExpired } from '../call/expiry.ts'
import { isWorthRetry, retryDelayMs } from '../call/retry.ts'
import { headerOf } from '../chunk.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { Fault } from '../out/failure.ts'
import { settled } from '../call/results.ts'
import type { Parts } from '../stage.ts'
import { wallMs } from '../../time.ts'

/** A failed record that stays in hand for its next attempt. */
export interface InHand {
  /** Failed ones so far. */
  readonly attempts: number
  /** In ms of the monotonic clock. */
  readonly dueAt: number
  /** When it failed first, in ms since 1970. */
  readonly since: number
}

/** What a stage does with one record at a time: the handler, what comes of its answer, and what of its failure. */
export class RecordWork {
  readonly handler: AnyFunction
  /** Whether `settle` has something to do: asked once for many records. */
  readonly isChecked: boolean
  readonly #parts: Parts
  readonly #when: AnyFunction | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const handler = parts.handlers.operation({ ...parts.stage.nodes[0]!, work: parts.stage.work }).call as AnyFunction
    this.handler = unlessExpired(parts.facts, handler)
    this.isChecked = parts.stage.work === 'flatMap' || parts.stage.work === 'filter'
    this.#when = parts.handlers.retryWhen()
  }

  /** Sends what the handler answered to one record, and what it emitted. */
  deliver(result: unknown, value: unknown, origin: number, context: CallContext): void {
    const { outlet, stage, breaker } = this.#parts
    const { root } = outlet
    breaker?.succeeded()
    const isFiltered = stage.work === 'filter' && result !== true
    // Counted first: what is refused on its way out is taken off again.
    root.count(isFiltered ? COUNTER.filtered : COUNTER.done, 1)
    if (stage.work === 'map') outlet.send(root, result, origin)
    else if (stage.work === 'write') outlet.send(root, value, origin)
    else if (stage.work === 'flatMap') for (const item of result as unknown[]) outlet.send(root, item, origin)
    else if (!isFiltered) outlet.send(root, value, origin)
    if (context.emitted.length > 0) this.sendEmitted(context, origin)
  }

  /** The same for the records with the indexes `from`, … before `to`, which emitted nothing. */
  deliverRun(results: unknown[], values: ArrayLike<unknown>, from: number, to: number): void {
    const { outlet, stage, breaker } = this.#parts
    const { root } = outlet
    if (from === to) return
    breaker?.succeeded()
    root.count(COUNTER.done, to - from)
    if (stage.work === 'map' || stage.work === 'write') {
      outlet.sendRun(root, stage.work === 'map' ? results : values, from, to)
      return
    }
    for (let i = from; i < to; i++) {
      if (stage.work === 'flatMap') for (const item of results[i] as unknown[]) outlet.send(root, item, i)
      else if (results[i] === true) outlet.send(root, values[i], i)
      else {
        root.count(COUNTER.filtered, 1)
        root.count(COUNTER.done, -1)
      }
    }
  }

  /** What the answer of a handler means. @throws HANDLER_RESULT_INVALID */
  settle(result: unknown): unknown {
    const { stage } = this.#parts
    return settled(stage.node, stage.work, result)
  }

  /**
   * A record from a lane failed: it waits in the stash for its next attempt, goes by the retry edge, or is given up.
   * @param again the record as it was sent: the handler may have changed what it got
   * @param earlier what the last failure of the same record in hand gave
   * @param mayLeave false where the records behind it must wait for it
   * @returns when it is to be tried again, where it has to stay in hand: there is no room in the stash
   */
  failed(
    header: ChunkHeader,
    again: () => unknown,
    origin: number,
    error: unknown,
    { earlier, mayLeave, note }: { earlier: InHand | undefined; mayLeave: boolean; note: string | undefined },
  ): InHand | undefined {
    const { outlet, breaker, clock } = this.#parts
    breaker?.failed(error, clock.now)
    const attempts = (earlier?.attempts ?? header.attempt) + 1
    const fault: Fault = { error, attempts, firstFailedAt: earlier?.since ?? wallMs(), note }
    if (!this.#isWorthRetry(fault)) outlet.giveUp(outlet.root, again(), origin, fault)
    else if (outlet.root.retry.length > 0) this.#sendToRetryEdge(again(), origin, fault)
    else if (!mayLeave || !this.#keep(header, again(), origin, fault)) {
      this.#countRetry(fault)
      return { attempts, dueAt: this.#dueAt(fault), since: fault.firstFailedAt }
    }
    return undefined
  }

  /** A record of the stash failed once more. @returns whether it waits again; otherwise it is done */
  failedAgain(entry: StashEntry, again: () => unknown, error: unknown, note: string | undefined): boolean {
    const { outlet, pending, journal, breaker, clock } = this.#parts
    breaker?.failed(error, clock.now)
    const fault: Fault = { error, attempts: entry.attempt + 1, firstFailedAt: entry.since || wallMs(), note }
    if (!this.#isWorthRetry(fault)) {
      outlet.giveUp(outlet.root, again(), 0, fault)
      return false
    }
    if (outlet.root.retry.length > 0) {
      this.#sendToRetryEdge(again(), 0, fault)
      return false
    }
    this.#countRetry(fault)
    pending.stash.postpone(entry, fault.attempts, this.#dueAt(fault), fault.firstFailedAt, journal)
    pending.wait(entry)
    return true
  }

  /** A record whose worker died with it in hand too often. */
  poisoned(value: unknown, origin: number, header: ChunkHeader, deaths: number): void {
    const { outlet, breaker } = this.#parts
    breaker?.gaveBack()
    const attempts = header.attempt + deaths
    outlet.giveUp(outlet.root, value, origin, { error: this.poison(deaths), attempts, firstFailedAt: wallMs() })
  }

  poison(deaths: number): MillraceError {
    return new MillraceError('RECORD_POISONED', { node: this.#parts.stage.node, deaths })
  }

  #isWorthRetry({ error, attempts }: Fault): boolean {
    return isWorthRetry(this.#parts.stage.input!, this.#when, error, attempts)
  }

  #keep(header: ChunkHeader, value: unknown, origin: number, fault: Fault): boolean {
    const { pending, settlement } = this.#parts
    const own = headerOf(header, origin, fault.attempts)
    const entry = pending.put(own, value, this.#dueAt(fault), fault.firstFailedAt)
    if (entry === undefined) return false
    settlement.toggle(own)
    pending.wait(entry)
    this.#countRetry(fault)
    return true
  }

  #sendToRetryEdge(value: unknown, origin: number, fault: Fault): void {
    const { root } = this.#parts.outlet
    for (const port of root.retry) port.send(value, origin)
    root.count(COUNTER.done, 1)
    this.#countRetry(fault)
  }

  #dueAt({ attempts }: Fault): number {
    return this.#parts.clock.now + retryDelayMs(this.#parts.stage.input!.retry, attempts, Math.random())
  }

  #countRetry({ attempts, error }: Fault): void {
    const { outlet, stage, report } = this.#parts
    outlet.root.count(COUNTER.retried, 1)
    report({ name: 'record.retried', node: stage.node, attempts, error: errorText(error) })
  }

  sendEmitted(context: CallContext, origin: number): void {
    const { outlet } = this.#parts
    outlet.saidOf(context.takeSaid(), origin)
    for (const [branch, record] of context.emitted) outlet.emit(outlet.root, branch, record, origin)
    context.emitted.length = 0
  }
}
