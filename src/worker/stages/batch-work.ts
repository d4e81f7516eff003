import { type NumbersType, areNumbers, numbersOf } from '../../codec/struct.ts'
import { errorText } from '../../errors.ts'
import { mix, mixed } from '../../lane/ids.ts'
import type { StashEntry } from '../../lane/stash.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { COUNTER, TRIGGER } from '../../memory/counters.ts'
import type { BatchView } from '../call/batch-view.ts'
import { type CallContext, RELEASE_SAID, type Said } from '../call/context.ts'
import { withoutExpired } from '../call/expiry.ts'
import { isWorthRetry, retryDelayMs } from '../call/retry.ts'
import { type Member, NO_ANCHORS, headerOf, idOf, partSalt } from '../chunk.ts'
import type { AnyFunction } from '../call/handlers.ts'
import type { Fault } from '../out/failure.ts'
import { settled, settledEach } from '../call/results.ts'
import type { LinkPlan } from '../../plan/types.ts'
import type { Parts } from '../stage.ts'
import { wallMs } from '../../time.ts'

/** A batch, wherever its records lie. */
export interface Batch {
  /** What the outputs are sent under: a base of their own, and an anchor for each slot in the batch. */
  readonly header: ChunkHeader
  readonly values: ArrayLike<unknown>
  readonly facts: BatchView
  /** The chunks that its records count for, each once, the first record's first; and that record's place. */
  readonly chunks: readonly ChunkHeader[]
  readonly firstIndex: number
  /** Failed attempts before this one. */
  readonly attempt: number
  /** Time of the first failure, in ms since 1970, or 0. */
  readonly since: number
  /** Where each record counts; worked out only when a record fails. */
  members(): readonly Member[]
  /** The records as they were sent; the handler may have changed the values. */
  again(): unknown[]
  /** Where its records lie in the stash, if they do. */
  readonly entries?: readonly StashEntry[] | undefined
}

/** A record of a batch that waits for another attempt by itself, in its place in the stash. */
export interface Kept {
  readonly entry: StashEntry
  readonly attempt: number
  readonly dueAt: number
  readonly since: number
}

/** The id of a batch, in `mixed`: its first record's and its size. A batch of one has its record's. */
export function batchId({ chunks, firstIndex, values }: Pick<Batch, 'chunks' | 'firstIndex' | 'values'>): void {
  idOf(chunks[0]!, firstIndex)
  if (values.length > 1) mix(mixed.low, mixed.high, values.length)
}

/** The header of what comes of a batch. */
export function batchHeader(chunks: readonly ChunkHeader[], firstIndex: number, attempt: number): ChunkHeader {
  const first = chunks[0]!
  idOf(first, firstIndex)
  const own = {
    slot: first.slot,
    furtherAnchors: NO_ANCHORS,
    baseLow: mixed.low,
    baseHigh: mixed.high,
    first: 0,
    // A record that failed by itself becomes the first of another batch: what came of the first one is not to meet it.
    salt: first.attempt === 0 ? first.salt : partSalt(first.salt, first.attempt),
    attempt,
    trace: chunks.reduce((flags, { trace }) => flags | trace, 0),
  }
  if (chunks.every(({ slot, furtherAnchors }) => slot === first.slot && furtherAnchors.length === 0)) return own
  const anchors = new Set(chunks.flatMap(({ slot, furtherAnchors }) => [slot, ...furtherAnchors]))
  anchors.delete(first.slot)
  return { ...own, furtherAnchors: [...anchors] }
}

/** The arrays in which all edges to a stage lend plain numbers, if they do and all are of one type. */
function lentBy(lanes: readonly { readonly link: LinkPlan }[]): NumbersType | undefined {
  const types = new Set(lanes.map(({ link: { codec } }) => (typeof codec === 'object' ? numbersOf(codec) : undefined)))
  return types.size === 1 ? types.values().next().value : undefined
}

/** What a stage does with batches: the handler, what comes of its answer, and what of its failure. */
export class BatchWork {
  readonly handler: AnyFunction
  /** The arrays in which the edges lend plain numbers; undefined where a batch is an array of its own. */
  readonly Lent: NumbersType | undefined
  readonly #parts: Parts
  readonly #when: AnyFunction | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const handler = parts.handlers.operation({ ...parts.stage.nodes[0]!, work: parts.stage.work }).call as AnyFunction
    const Lent = lentBy(parts.inlet.lanes)
    this.Lent = Lent
    // What comes from the stash is an array of its own still.
    const called: AnyFunction =
      Lent === undefined
        ? handler
        : (values: ArrayLike<number>, context) => handler(areNumbers(values) ? values : Lent.from(values), context)
    this.handler = withoutExpired(parts.facts, parts.stage.work, called)
    this.#when = parts.handlers.retryWhen()
  }

  /** What the answer of a handler means: outputs, or nothing where the batch itself goes on. @throws HANDLER_RESULT_INVALID */
  settle(result: unknown, records: number): ArrayLike<unknown> | undefined {
    const { node, work } = this.#parts.stage
    if (work === 'mapEach') return settledEach(node, result, records)
    return work === 'mapBatch' ? (settled(node, 'mapBatch', result) as ArrayLike<unknown>) : undefined
  }

  /** A batch is done with, whatever came of it. */
  count({ facts }: Batch): void {
    const { journal, stage } = this.#parts
    journal.counters[stage.input!.batch!.counters + TRIGGER[facts.trigger]]!++
  }

  /**
   * Sends what the handler answered, and what it emitted, and gives up or keeps the records that it failed.
   * @param results as `settle` gave them
   * @returns records that lie in the stash, and are to wait there for another attempt by themselves
   */
  deliver(results: ArrayLike<unknown> | undefined, batch: Batch, context: CallContext): readonly Kept[] {
    const { root } = this.#parts.outlet
    this.#parts.breaker?.succeeded()
    const isEach = this.#parts.stage.work === 'mapEach'
    const reasons = reasonsByIndex(batch.values, context)
    // Counted first: what is refused on its way out is taken off again.
    root.count(COUNTER.done, batch.values.length - reasons.size)
    if (results !== undefined && !isEach) this.#sendAll(results)
    else if (reasons.size === 0) this.#sendAll(results ?? batch.values)
    else this.#sendAllBut(reasons, results ?? batch.values)
    this.#say(context.takeSaid(), batch)
    // Nobody knows which record of the batch an emitted one came of.
    for (const [branch, record] of context.emitted) this.#parts.outlet.emit(root, branch, record, isEach ? -1 : 0)
    return reasons.size === 0 ? NONE : this.#failSome(batch, reasons)
  }

  /** What the handler said to sources: of all records of the batch, or of the one that it named. */
  #say(said: readonly Said[], batch: Batch): void {
    if (said.length === 0) return
    const members = batch.members()
    for (const each of said) {
      const [kind, value] = each
      const named =
        kind === RELEASE_SAID && value !== undefined ? Array.from(batch.values).indexOf(value[0]) : undefined
      const those = named === undefined ? members : named < 0 ? [] : [members[named]!]
      for (const member of those) this.#parts.outlet.said([each], member)
    }
  }

  #sendAllBut(left: ReadonlyMap<number, unknown>, values: ArrayLike<unknown>): void {
    const { outlet } = this.#parts
    for (let i = 0; i < values.length; i++) if (!left.has(i)) outlet.send(outlet.root, values[i], i)
  }

  #sendAll(values: ArrayLike<unknown>): void {
    this.#parts.outlet.sendRun(this.#parts.outlet.root, values, 0, values.length)
  }

  /**
   * The batch failed as a whole.
   * @returns how long it waits before its next attempt, as a time of the shared clock in ms; undefined where its records are given up
   */
  failed(
    batch: Batch,
    error: unknown,
    note: string | undefined,
  ): { dueAt: number; attempt: number; since: number } | undefined {
    const { stage, breaker, clock } = this.#parts
    breaker?.failed(error, clock.now)
    const fault: Fault = { error, attempts: batch.attempt + 1, firstFailedAt: batch.since || wallMs(), note }
    if (isWorthRetry(stage.input!, this.#when, error, fault.attempts)) {
      this.countRetry(fault, batch.values.length)
      const dueAt = this.#parts.clock.now + retryDelayMs(stage.input!.retry, fault.attempts, Math.random())
      return { dueAt, attempt: fault.attempts, since: fault.firstFailedAt }
    }
    this.giveUp(batch, fault)
    return undefined
  }

  giveUp(batch: Batch, fault: Fault): void {
    const { outlet, stage } = this.#parts
    const { root } = outlet
    const members = batch.members()
    const values = batch.again()
    if (stage.input!.batch!.whole && root.error.length + root.deadLetter.length > 0) {
      outlet.giveUp(root, values, 0, fault, members[0])
      outlet.nackToo(root, members.slice(1), fault)
      return root.count(root.error.length > 0 ? COUNTER.failed : COUNTER.deadLettered, values.length - 1)
    }
    values.forEach((value, i) => outlet.giveUp(outlet.root, value, i, fault, members[i]))
  }

  countRetry({ attempts, error }: Fault, records: number): void {
    const { stage, report } = this.#parts
    this.#countRetried(records)
    report({ name: 'record.retried', node: stage.node, attempts, error: errorText(error) })
  }

  #countRetried(records: number): void {
    this.#parts.outlet.root.count(COUNTER.retried, records)
  }

  /**
   * Whether an earlier life that left this batch half sent has kept the record already: at fewer attempts, for the death is one
   * more.
   */
  #isKept(own: ChunkHeader): boolean {
    const { stash } = this.#parts.pending
    return stash.open().some((entry) => {
      const { baseLow, baseHigh, first } = stash.header(entry)
      return baseLow === own.baseLow && baseHigh === own.baseHigh && first === own.first
    })
  }

  /** Records that the handler failed by `context.fail`: each by itself waits for another attempt, or is given up. */
  #failSome(batch: Batch, reasons: ReadonlyMap<number, unknown>): readonly Kept[] {
    const { outlet, stage, hand, pending, settlement, clock } = this.#parts
    const { whole } = stage.input!.batch!
    const again = batch.again()
    const members = batch.members()
    const kept: Kept[] = []
    reasons.forEach((error, i) => {
      const fault: Fault = { error, attempts: batch.attempt + 1, firstFailedAt: batch.since || wallMs() }
      const own = headerOf(members[i]!.header, members[i]!.index, fault.attempts)
      if (batch.entries === undefined && hand.isResuming && this.#isKept(own)) return this.#countRetried(1)
      const giveUp = (): void => outlet.giveUp(outlet.root, again[i], i, fault, members[i])
      // One that waits by itself would be no batch whose records belong together.
      if (whole || !isWorthRetry(stage.input!, this.#when, error, fault.attempts)) return giveUp()
      const dueAt = clock.now + retryDelayMs(stage.input!.retry, fault.attempts, Math.random())
      if (batch.entries !== undefined) {
        // It stays with its batch until all that came of that is sent: a successor finds the batch as it was.
        kept.push({ entry: batch.entries[i]!, attempt: fault.attempts, dueAt, since: fault.firstFailedAt })
      } else {
        const entry = pending.put(own, again[i], dueAt, fault.firstFailedAt)
        if (entry === undefined) return giveUp()
        settlement.toggle(own)
        // A batch that lies on its lane and has a key or a weight is one record.
        entry.key = batch.facts.key
        entry.weight = batch.facts.weight ?? 0
        pending.wait(entry)
      }
      this.countRetry(fault, 1)
    })
    return kept
  }
}

const NONE: readonly Kept[] = Object.freeze([])

/** Each call of `fail` takes the first equal record that none took, nor `failAt` before it; one that finds none fails nothing. */
function reasonsByIndex(
  values: ArrayLike<unknown>,
  { failed, failedAt }: Pick<CallContext, 'failed' | 'failedAt'>,
): ReadonlyMap<number, unknown> {
  const found = new Map<number, unknown>(failedAt)
  if (failed.size === 0) return found
  const taken = new Map<unknown, number>()
  for (let i = 0; i < values.length; i++) {
    if (found.has(i)) continue
    const value = values[i]
    const reasons = failed.get(value)
    const next = taken.get(value) ?? 0
    if (reasons === undefined || next >= reasons.length) continue
    found.set(i, reasons[next])
    taken.set(value, next + 1)
  }
  return found
}
