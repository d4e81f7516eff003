import type { Numbers } from '../../codec/struct.ts'
import { MillraceError } from '../../errors.ts'
import type { BatchTrigger } from '../../figures.ts'
import { TRIGGER, TRIGGER_NAMES } from '../../memory/counters.ts'
import { BatchView } from '../call/batch-view.ts'
import { type Batch, BatchWork, type Kept, batchHeader, batchId } from './batch-work.ts'
import { OpenCall } from '../call/call.ts'
import { CallContext } from '../call/context.ts'
import { type GroupBatch, Groups } from './groups.ts'
import { LaneChunk } from '../in/inlet.ts'
import { isThenable } from '../call/results.ts'
import type { Member } from '../chunk.ts'
import { BLOCKED, LIMITED, PROGRESS, type Parts, STARVED, type Stage, type Step, WAITING } from '../stage.ts'
import { Triggers } from './trigger.ts'
import { type Sender, Unit } from '../unit.ts'
import { wallMs } from '../../time.ts'

/** A part of a chunk that is in a batch: records from `from` up to `to`. */
interface Part {
  readonly chunk: LaneChunk
  readonly from: number
  readonly to: number
}

interface LaneBatch extends Batch {
  readonly parts: readonly Part[]
}

/**
 * A stage whose handler takes batches without a key, one at a time. Its records stay on their lanes until their batch is
 * done, so a successor finds them there, and makes the same batch of them (`hand.ts`). Failed batches wait in the stash.
 */
export class BatchStage implements Stage, Sender {
  isAsync = false
  readonly #parts: Parts
  readonly #unit: Unit
  readonly #work: BatchWork
  #context: CallContext
  readonly #groups: Groups
  readonly #size: number
  readonly #triggers: Triggers
  readonly #isOrdered: boolean
  /** Chunks that are taken and not wholly in a batch, the first one from `chunk.from` on. */
  readonly #queue: LaneChunk[] = []
  readonly #spare: LaneChunk[] = []
  #waiting = 0
  /** What the batch in hand of an earlier life was made of. */
  #left: [input: number, records: number][]
  #phase: 'idle' | 'calling' | 'sending' = 'idle'
  #batch: Batch | undefined
  #open: OpenCall | undefined
  #startedAt = 0
  /** The batch in hand failed and waits in the stash; or records of it do. */
  #isKept = false
  #kept: readonly Kept[] = []
  /** There was no room in the stash: the batch is called again where it is, not before then (ms of the monotonic clock). */
  #againAt = 0
  /** Where the numbers of a batch lie while its handler has them: they are lent, and the lane itself must not be changed. */
  readonly #lent: Numbers | undefined
  /** So many records are handed over one by one: the batch that they were in has killed its worker too often. */
  #singles = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#unit = new Unit(parts)
    this.#work = new BatchWork(parts)
    this.#context = new CallContext(parts.facts, parts.stopped)
    parts.handlers.context = this.#context
    this.#size = parts.stage.input!.batch!.size
    this.#triggers = new Triggers(parts, () => this.#isHeldUp)
    this.#isOrdered = parts.stage.input!.ordered
    this.#left = parts.hand.leftSegments()
    this.#groups = new Groups(parts, this.#unit)
    this.#lent = this.#work.Lent && new this.#work.Lent(this.#size)
  }

  get wakeAt(): number {
    return this.#unit.wakeAt
  }

  step(): Step {
    const owed = this.#unit.start()
    if (owed !== undefined) return owed
    switch (this.#phase) {
      case 'calling':
        return this.#settle()
      case 'sending':
        return this.#send()
      default:
        return this.#takeBatch()
    }
  }

  #takeBatch(): Step {
    if (this.#left.length > 0) return this.#handOver(this.#takeLeft())
    const isLimited = this.#isLimited
    const group = isLimited ? undefined : this.#groups.next()
    if (group !== undefined) return this.#handOver(group)
    if (isLimited && this.#groups.nextDueAt <= this.#parts.clock.now) return this.#waitForLimit()
    // Where there is an order, nothing overtakes what waits for another attempt.
    if (this.#isOrdered && this.#groups.waiting > 0) return this.#idle()
    this.#fill()
    const unread = this.#queue[0]
    if (unread !== undefined && unread.unreadDeaths > 0) return this.#takeUnread(unread)
    const records = this.#next
    const trigger = this.#completedBy(records)
    if (trigger === undefined) return this.#idle()
    return isLimited ? this.#waitForLimit() : this.#handOver(this.#take(records, trigger))
  }

  /** A batch goes as soon as one record may. */
  get #isLimited(): boolean {
    const { limit, clock } = this.#parts
    return limit.allowed(clock.now) < 1
  }

  #waitForLimit(): Step {
    const { limit, clock } = this.#parts
    return this.#unit.wait(LIMITED, limit.nextAt(clock.now))
  }

  #idle(): Step {
    const timeout =
      this.#waiting > 0 ? this.#triggers.dueAt(this.#queue[0]!.takenAt, this.#queue.at(-1)!.takenAt) : Infinity
    return this.#unit.idle(STARVED, Math.min(timeout, this.#groups.nextDueAt))
  }

  /** Reading these records kills: they are given up one by one, and nothing that is read is held up by them. */
  #takeUnread(chunk: LaneChunk): Step {
    const { stage } = this.#parts
    this.#queue.shift()
    this.#waiting -= chunk.count - chunk.from
    const error = new MillraceError('RECORD_POISONED', { node: stage.node, deaths: chunk.unreadDeaths })
    this.#groups.addDirect(chunk, error)
    return this.#handOver(this.#groups.next()!)
  }

  /** Takes chunks until there is a batch. */
  #fill(): void {
    const { inlet, clock } = this.#parts
    while (this.#waiting < this.#size && !this.#hasUnread) {
      const chunk = this.#spare.pop() ?? new LaneChunk()
      if (!inlet.next(chunk)) {
        this.#spare.push(chunk)
        return
      }
      chunk.takenAt = clock.now
      this.#queue.push(chunk)
      this.#waiting += chunk.count - chunk.from
      if (chunk.unreadDeaths > 0) return
    }
  }

  /** How many of the waiting records go together: none of those that may not be read. */
  get #next(): number {
    const unread = this.#hasUnread ? this.#queue.at(-1)!.count - this.#queue.at(-1)!.from : 0
    return Math.min(this.#size, this.#waiting - unread)
  }

  get #hasUnread(): boolean {
    return (this.#queue.at(-1)?.unreadDeaths ?? 0) > 0
  }

  /** What completes a batch of so many of the waiting records now; undefined while it stays open. */
  #completedBy(records: number): BatchTrigger | undefined {
    if (records === 0) return undefined
    const openedAt = this.#queue[0]!.takenAt
    const addedAt = this.#queue.at(-1)!.takenAt
    // What may not be read holds up what is behind it, so that what is before it does not wait.
    if (this.#hasUnread) return 'pressure'
    const { clock } = this.#parts
    return (
      this.#triggers.fullBy(records, 0) ??
      this.#triggers.dueBy(clock.now, openedAt, addedAt) ??
      this.#triggers.pressedBy()
    )
  }

  /** A writer that waits for room or credit may be waiting for this very batch to end, and a record in fragments is. */
  get #isHeldUp(): boolean {
    const { inlet } = this.#parts
    return inlet.isHeldUp || inlet.lanes.some(({ reader }) => reader.isWanted)
  }

  /** Puts the next records together, in the order in which they were taken; fewer where a suspect must be by itself. */
  #take(records: number, trigger: BatchTrigger): Batch {
    const parts: Part[] = []
    let missing = this.#alone(records)
    const by = missing < records ? 'single' : trigger
    for (const chunk of this.#queue) {
      const to = Math.min(chunk.count, chunk.from + missing)
      parts.push({ chunk, from: chunk.from, to })
      missing -= to - chunk.from
      if (missing === 0) break
    }
    return this.#laneBatch(parts, by, this.#parts.clock.now - this.#queue[0]!.takenAt)
  }

  /** The same batch that an earlier life died with. */
  #takeLeft(): Batch {
    const { inlet } = this.#parts
    const parts: Part[] = []
    for (const [input, records] of this.#left) {
      for (let missing = records; missing > 0;) {
        const known = parts.findLast(({ chunk }) => chunk.lane === inlet.lanes[input])
        let chunk = known?.chunk
        if (chunk === undefined || known!.to === chunk.count) {
          chunk = new LaneChunk()
          if (!inlet.nextOf(inlet.lanes[input]!, chunk))
            throw new MillraceError('INTERNAL', { what: 'a batch in hand is not on its lanes' })
          this.#queue.push(chunk)
          this.#waiting += chunk.count - chunk.from
        }
        const from = known?.chunk === chunk ? known.to : chunk.from
        const to = Math.min(chunk.count, from + missing)
        parts.push({ chunk, from, to })
        missing -= to - from
      }
    }
    this.#left = []
    return this.#laneBatch(parts, TRIGGER_NAMES[this.#parts.hand.leftTrigger]!, 0)
  }

  #laneBatch(parts: readonly Part[], trigger: BatchTrigger, openMs: number): LaneBatch {
    const { inlet, hand } = this.#parts
    const values = this.#lent === undefined ? gathered(parts) : gatheredNumbers(parts, this.#lent)
    const chunks = parts.map(({ chunk }) => chunk)
    const firstIndex = parts[0]!.from
    const members = (): Member[] =>
      parts.flatMap(({ chunk, from, to }) =>
        Array.from({ length: to - from }, (_, i) => ({ header: chunk, index: from + i })),
      )
    const again = (): unknown[] => parts.flatMap(({ chunk, from, to }) => inlet.again(chunk).slice(from, to))
    const header = batchHeader(chunks, firstIndex, 0)
    const view = { key: undefined, size: values.length, weight: undefined, trigger, openMs }
    const facts = new BatchView(view, members, this.#parts.facts.heads)
    const batch = { header, values, facts, chunks, firstIndex, members, attempt: 0, since: 0, again, parts }
    if (hand.suspects === 0) return batch
    batchId(batch)
    return { ...batch, attempt: hand.deathsOfMixed() }
  }

  /** Of the next records, how many go together: a suspect goes by itself, and so do all that were in a batch that killed. */
  #alone(records: number): number {
    if (this.#singles > 0) return 1
    const { hand } = this.#parts
    if (hand.suspects === 0) return records
    let before = 0
    for (const chunk of this.#queue) {
      for (let index = chunk.from; index < chunk.count && before < records; index++) {
        if (hand.deathsOf(chunk, index) > 0) return Math.max(1, before)
        before++
      }
    }
    return records
  }

  #handOver(batch: Batch): Step {
    const { hand, stage } = this.#parts
    batchId(batch)
    const deaths = hand.deathsOfMixed()
    const isPoison = deaths >= stage.input!.maxCrashes
    const fault = 'group' in batch ? (batch as GroupBatch).group.fault : undefined
    if (isPoison && fault === undefined && batch.values.length > 1 && !hand.isResuming) return this.#isolate(batch)
    this.#batch = batch
    this.#unit.open(batch.header, batch.values.length, 0, {
      members: () => batch.members(),
      records: () => batch.values,
    })
    const error = fault ?? (isPoison ? new MillraceError('RECORD_POISONED', { node: stage.node, deaths }) : undefined)
    if (error === undefined) return this.#call(batch)
    this.#work.giveUp(batch, { error, attempts: batch.attempt, firstFailedAt: batch.since || wallMs() })
    return this.#startSending()
  }

  #call(batch: Batch): Step {
    const { stage, wake, clock, limit } = this.#parts
    limit.charge(batch.values.length, clock.now)
    this.#hold(batch)
    this.#context.aim(batch.header, 0, batch.attempt + 1, batch.facts)
    this.#startedAt = clock.now
    let result: unknown
    try {
      result = this.#work.handler(batch.values, this.#context)
    } catch (error) {
      return this.#end(true, error)
    }
    if (!isThenable(result)) return this.#end(false, result)
    this.isAsync = true
    this.#phase = 'calling'
    this.#open = new OpenCall(result, this.#context, stage.input!.timeoutMs, wake)
    return WAITING
  }

  #settle(): Step {
    if (this.#againAt > 0) return this.#tryAgain()
    const call = this.#open!
    if (!call.isSettled) return WAITING
    this.#open = undefined
    return this.#end(call.hasFailed, call.hasFailed ? call.error : call.result)
  }

  #end(hasFailed: boolean, outcome: unknown): Step {
    const { histograms, clock } = this.#parts
    const batch = this.#batch!
    this.#unit.note(this.#context)
    histograms.service.record(((clock.read() - this.#startedAt) * 1e6) / batch.values.length, batch.values.length)
    if (!(hasFailed ? this.#fail(batch, outcome) : this.#deliver(batch, outcome))) {
      this.#unit.wakeAt = this.#againAt
      return BLOCKED
    }
    this.#context.forget()
    // A call that has given a promise keeps its context: what it does late, after its time is over, concerns no other call.
    if (this.isAsync) this.#renewContext()
    return this.#startSending()
  }

  #renewContext(): void {
    const { facts, stopped, handlers } = this.#parts
    this.#context = new CallContext(facts, stopped)
    handlers.context = this.#context
  }

  /** @returns false where the batch stays in hand until it may be called again */
  #deliver(batch: Batch, outcome: unknown): boolean {
    let results: ArrayLike<unknown> | undefined
    try {
      results = this.#work.settle(outcome, batch.values.length)
    } catch (error) {
      return this.#fail(batch, error)
    }
    this.#kept = this.#work.deliver(results, batch, this.#context)
    this.#parts.histograms.batch!.record(batch.values.length)
    return true
  }

  /** @returns false where the batch stays in hand until it may be called again */
  #fail(batch: Batch, error: unknown): boolean {
    const note = this.#context.takeNote()
    this.#context.forget()
    const retry = this.#work.failed(batch, error, note)
    if (retry === undefined) return true
    this.#isKept = this.#groups.keep(batch, retry)
    if (this.#isKept) return true
    this.#parts.hand.drop()
    this.#againAt = retry.dueAt
    this.#batch = { ...batch, attempt: retry.attempt, since: retry.since }
    if (this.isAsync) this.#renewContext()
    this.#phase = 'calling'
    return false
  }

  #tryAgain(): Step {
    this.#unit.wakeAt = this.#againAt
    if (this.#parts.clock.now < this.#againAt) return BLOCKED
    if (this.#isLimited) return this.#waitForLimit()
    this.#againAt = 0
    this.#batch = { ...this.#batch!, values: this.#batch!.again() }
    return this.#call(this.#batch)
  }

  #startSending(): Step {
    this.#phase = 'sending'
    return this.#send()
  }

  hold(): void {
    // A batch that was called is in hand until its hand-off.
  }

  drop(): void {
    // As above.
  }

  #send(): Step {
    if (!this.#unit.send(this)) return BLOCKED
    this.#close(this.#batch!)
    return this.#unit.commit()
  }

  #close(batch: Batch): void {
    const { hand, journal } = this.#parts
    if ('parts' in batch) this.#release(batch as LaneBatch)
    else this.#closeGroup(batch as GroupBatch)
    if (!this.#isKept) this.#work.count(batch)
    this.#isKept = false
    this.#kept = []
    hand.dropBatch(journal)
    this.#unit.close(batch.values.length)
    this.#phase = 'idle'
    this.#batch = undefined
    this.#singles = Math.max(0, this.#singles - 1)
  }

  #closeGroup(batch: GroupBatch): void {
    this.#groups.close(batch, this.#isKept, this.#kept)
    const { direct } = batch.group
    if (direct === undefined) return
    if (direct.from === direct.count) this.#spare.push(direct)
    else {
      this.#queue.unshift(direct)
      this.#waiting += direct.count - direct.from
    }
  }

  /** Gives the records of a batch back to their lanes. */
  #release({ parts }: LaneBatch): void {
    for (const { chunk, from, to } of parts) {
      this.#waiting -= to - from
      chunk.from = to
      if (!this.#unit.giveBack(chunk, from, to)) continue
      this.#queue.splice(this.#queue.indexOf(chunk), 1)
      this.#spare.push(chunk)
    }
  }

  /** From here on the records of this batch go one by one, so that only the culprit is given up. */
  #isolate(batch: Batch): Step {
    if ('parts' in batch) this.#singles = batch.values.length
    else this.#groups.split(batch as GroupBatch)
    return PROGRESS
  }

  /** The batch is in hand: a death counts for it, and a successor makes the same one. */
  #hold(batch: Batch): void {
    const { hand, inlet } = this.#parts
    const segments: [number, number][] = []
    for (const { chunk, from, to } of 'parts' in batch ? (batch as LaneBatch).parts : []) {
      const input = inlet.lanes.indexOf(chunk.lane!)
      const last = segments.at(-1)
      if (last?.[0] === input) last[1] += to - from
      else segments.push([input, to - from])
    }
    hand.writeSegments(segments, TRIGGER[batch.facts.trigger])
    batchId(batch)
    hand.holdBatch()
  }
}

/** The records of a batch in an array of their own: the handler may keep it. */
function gathered(parts: readonly Part[]): unknown[] {
  const values = new Array<unknown>(parts.reduce((sum, { from, to }) => sum + to - from, 0))
  let next = 0
  for (const { chunk, from, to } of parts) for (let i = from; i < to; i++) values[next++] = chunk.values[i]
  return values
}

/** The same in `into`, which is used again for the next batch. */
function gatheredNumbers(parts: readonly Part[], into: Numbers): Numbers {
  let next = 0
  for (const { chunk, from, to } of parts) {
    into.set((chunk.values as Numbers).subarray(from, to), next)
    next += to - from
  }
  return next === into.length ? into : into.subarray(0, next)
}
