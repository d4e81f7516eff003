import type { HeadMarks } from './record-head.ts'
import type { TraceParent } from '../../lane/trace-parent.ts'
import { type RecordHead, NO_HEAD } from '../../memory/heads.ts'
import type { SourceContext } from '../../plan/definition.ts'
import { Marked } from '../../plan/definition.ts'
import { type Numbers, areNumbers } from '../../codec/struct.ts'
import type { AnyFunction, Handlers } from '../call/handlers.ts'
import type { Progress } from './progress.ts'
import type { FailureReason } from './slot-reasons.ts'
import { invalidResult, isThenable } from '../call/results.ts'
import { monotonicMs, setImmediate } from '../../time.ts'

/** Records that are taken from a source's handler and not sent yet; `marks[i]` are those of `values[i]`, if it has any. */
export class Taken {
  /** A new array for each chunk, or a typed array that its owner leaves alone until the next call. */
  values: ArrayLike<unknown> = []
  readonly marks: (Marked<unknown> | undefined)[] = []
  count = 0
  hasMarks = false
  /** Heads of those that have one, by their marks. */
  readonly #heads = new WeakMap<Marked<unknown>, RecordHead>()
  readonly #headOf: (marks: HeadMarks) => RecordHead

  /** @param headOf throws where a record cannot have its head: it has failed then */
  constructor(headOf: (marks: HeadMarks) => RecordHead = () => NO_HEAD) {
    this.#headOf = headOf
  }

  add(record: unknown): void {
    const values = this.values as unknown[]
    if (record instanceof Marked) {
      this.hasMarks = true
      this.marks[this.count] = this.#withHead(record)
      values[this.count++] = record.value
    } else {
      if (this.hasMarks) this.marks[this.count] = undefined
      values[this.count++] = record
    }
  }

  /** Takes a whole array, if none of its records is marked and nothing is taken yet; it is copied, for it may be reused. */
  adopt(records: readonly unknown[] | Numbers): boolean {
    if (this.count > 0) return false
    if (!Array.isArray(records)) {
      this.values = records
      this.count = records.length
      return true
    }
    if (Marked.isUsed) for (let i = 0; i < records.length; i++) if (records[i] instanceof Marked) return false
    // One copy of known length and kind; growing an array record by record costs several times as much.
    this.values = records.slice()
    this.count = records.length
    return true
  }

  /** Head of the first record. */
  get head(): RecordHead {
    const mark = this.hasMarks ? this.marks[0] : undefined
    return (mark && this.#heads.get(mark)) ?? NO_HEAD
  }

  #withHead(record: Marked<unknown>): Marked<unknown> {
    if (record.meta === undefined && record.expiresAt === undefined) return record
    try {
      this.#heads.set(record, this.#headOf(record))
      return record
    } catch (error) {
      const { value, ...marks } = record
      return new Marked(value, { ...marks, error: marks.error ?? error })
    }
  }

  /** The first record has failed already. */
  get hasFailed(): boolean {
    return this.hasMarks && this.marks[0]?.error !== undefined
  }

  /** Of the first `count` records, those before the first that has failed already, goes alone or has a head; such a one goes by itself. */
  alike(count: number): number {
    if (!this.hasMarks) return count
    for (let i = 0; i < count; i++) {
      const mark = this.marks[i]
      if (mark !== undefined && (mark.alone || mark.error !== undefined || this.#heads.has(mark))) return Math.max(1, i)
    }
    return count
  }

  /** Forgets the first ones: they are handed on. */
  drop(count: number): void {
    this.count -= count
    if (this.count === 0) {
      this.values = []
      if (this.hasMarks) this.marks.length = 0
      this.hasMarks = false
      return
    }
    this.values = Array.isArray(this.values) ? this.values.slice(count) : (this.values as Numbers).slice(count)
    if (this.hasMarks) this.marks.splice(0, count)
  }
}

/** What names records that an ingress journal keeps. */
export interface KeptName {
  /** The words of the journal. */
  readonly low: number
  readonly high: number
  /** Of the first record that is taken and in no chunk yet. */
  readonly number: number
  /** Records from there on whose numbers follow each other. */
  readonly run: number
}

/** Where a source's records come from. */
export interface Supply {
  /**
   * Takes at most `most` more records into `into`, those that are there; asks for more where they come later.
   * @param ask records that may be asked for at once, at least `most`: there is room for them on their way
   */
  take(most: number, into: Taken, ask: number): void
  /** It will give no more. */
  readonly isOver: boolean
  /** What ended it, if that was an error. */
  readonly error: unknown
  readonly isAsync: boolean
  /** Some record that it gave has a cursor. */
  readonly hasCursors?: boolean
  /** It does not make again what an earlier life had taken and not sent. Known from its first answer on. */
  readonly isForgetful?: boolean
  /** No more are wanted. */
  close(): void
  /** Records that it has asked for, and that were not taken. */
  readonly left?: readonly unknown[]
  /** Where its records are kept on disk: their ids are made of this, the same after a restart. */
  readonly kept?: KeptName | undefined
  /** Somebody waits for what comes of its records. */
  readonly isWaitedFor?: boolean
  /** What the first record that is taken and in no chunk yet continues. */
  readonly parent?: TraceParent | undefined
  /** So many of the records that are taken are a chunk now. */
  opened?(sequence: number, records: number): void
  /** All that came of a chunk is done: its sequence, how many records failed, and why, where that was said. */
  ended?(sequence: number, failures: number, why?: FailureReason): void
}

/** Of a source that gave up: it makes no records, and none of those again that were half sent. */
export class NoSupply implements Supply {
  isOver = false
  readonly error = undefined
  readonly isAsync = true
  readonly isForgetful = true

  take(): void {
    // There is nothing.
  }

  close(): void {
    this.isOver = true
  }
}

/** A sync handler may be slow; after this long, what is there goes on. */
const PAUSE_MS = 1

/**
 * The supply that a source's handlers give.
 * @param progress says how many records earlier lives handed on that this one makes again
 */
export function supplyOf(
  handlers: Pick<Handlers, 'own'>,
  context: SourceContext,
  progress: Progress,
  wake: () => void,
): Supply {
  const poll = handlers.own('poll')
  if (poll !== undefined) return new PollSupply(poll, context, progress.toSkipBehindCursor, wake)
  const made = handlers.own('produce')!(context)
  const found = supplyFrom(made, progress.toSkip, wake)
  if (found !== undefined) return found
  throw invalidResult(context.node, 'produce', made)
}

/**
 * The last records of a source, which its handler `finish` makes when the pipeline drains.
 * @param skip records that an earlier life has handed on
 * @throws what `finish` throws, HANDLER_RESULT_INVALID
 */
export function lastSupply(finish: AnyFunction, context: SourceContext, skip: number, wake: () => void): Supply {
  const made = finish(context)
  const found = supplyFrom(isThenable(made) ? unwrapped(made, context.node) : (made ?? []), skip, wake)
  if (found !== undefined) return found
  throw invalidResult(context.node, 'finish', made)
}

/** The records that a promise resolves to. */
async function* unwrapped(made: PromiseLike<unknown>, node: string): AsyncGenerator<unknown, void> {
  const records = (await made) ?? []
  if (!isIterable(records)) throw invalidResult(node, 'finish', records)
  yield* records
}

/** The supply of what an iterable gives; undefined where it is none. */
function supplyFrom(made: unknown, skip: number, wake: () => void): Supply | undefined {
  if (!isIterable(made)) return undefined
  if (Symbol.asyncIterator in made) return new AsyncSupply(made[Symbol.asyncIterator](), skip, wake)
  return new SyncSupply(made[Symbol.iterator](), skip)
}

/** A text is iterable too, but nobody means its letters. */
function isIterable(made: unknown): made is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof made === 'object' && made !== null && (Symbol.asyncIterator in made || Symbol.iterator in made)
}

class SyncSupply implements Supply {
  isOver = false
  error: unknown
  readonly isAsync = false
  readonly #iterator: Iterator<unknown>
  #skip: number
  /** Records between two looks at the clock. */
  #stride = 1

  constructor(iterator: Iterator<unknown>, skip: number) {
    this.#iterator = iterator
    this.#skip = skip
  }

  take(most: number, into: Taken): void {
    const start = monotonicMs()
    let looked = 0
    try {
      for (let taken = 0; taken < most;) {
        const { done, value } = this.#iterator.next()
        if (done === true) {
          this.isOver = true
          return
        }
        if (this.#skip > 0) this.#skip--
        else {
          into.add(value)
          taken++
        }
        if (++looked % this.#stride === 0 && monotonicMs() - start >= PAUSE_MS) {
          this.#stride = Math.max(1, this.#stride >> 1)
          return
        }
      }
      if (this.#stride < most) this.#stride *= 2
    } catch (error) {
      this.isOver = true
      this.error = error
    }
  }

  close(): void {
    if (!this.isOver) this.#iterator.return?.()
    this.isOver = true
  }
}

/** Records that arrive by and by: asked for ahead, up to what the last `take` wanted. */
class Arrivals {
  readonly waiting: unknown[] = []
  most = 0

  take(most: number, into: Taken): void {
    this.most = most
    for (const record of this.waiting.splice(0, most)) into.add(record)
  }

  get isFull(): boolean {
    return this.waiting.length >= this.most
  }
}

class AsyncSupply implements Supply {
  error: unknown
  readonly isAsync = true
  readonly #iterator: AsyncIterator<unknown>
  readonly #arrivals = new Arrivals()
  readonly #wake: () => void
  #skip: number
  #isAsking = false
  #isClosing = false
  #hasEnded = false

  constructor(iterator: AsyncIterator<unknown>, skip: number, wake: () => void) {
    this.#iterator = iterator
    this.#skip = skip
    this.#wake = wake
  }

  get isOver(): boolean {
    return this.#hasEnded && this.#arrivals.waiting.length === 0
  }

  get left(): readonly unknown[] {
    return this.#arrivals.waiting
  }

  take(most: number, into: Taken): void {
    this.#arrivals.take(most, into)
    if (!this.#isAsking && !this.#hasEnded) void this.#ask()
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    try {
      while (!this.#arrivals.isFull && !this.#hasEnded && !this.#isClosing) {
        const { done, value } = await this.#iterator.next()
        if (done === true) this.#hasEnded = true
        else if (this.#skip > 0) this.#skip--
        else this.#arrivals.waiting.push(value)
        if (this.#arrivals.waiting.length === 1 || this.#hasEnded) this.#wake()
      }
    } catch (error) {
      this.error = error
      this.#hasEnded = true
      this.#wake()
    }
    this.#isAsking = false
  }

  close(): void {
    if (this.#hasEnded || this.#isClosing) return
    this.#isClosing = true
    // A record that the generator has just made still comes; one in the middle of a wait answers when the wait is over, and
    // nobody waits for it here.
    setImmediate(() => {
      this.#hasEnded = true
      this.#wake()
    })
    this.#iterator.return?.().catch(() => undefined)
  }
}

function isList(batch: unknown): batch is readonly unknown[] | Numbers {
  return Array.isArray(batch) || areNumbers(batch)
}

class PollSupply implements Supply {
  error: unknown
  isAsync = false
  hasCursors = false
  #skip: number
  readonly #poll: AnyFunction
  readonly #context: SourceContext
  readonly #wake: () => void
  readonly #arrivals = new Arrivals()
  #isAsking = false
  #hasAnswered = false
  #hasEnded = false
  /** It asked where an earlier life stopped. */
  #hasAsked = false

  constructor(poll: AnyFunction, context: SourceContext, skip: number, wake: () => void) {
    const { emitted } = context
    const onAsked = (): number => {
      this.#hasAsked = true
      return emitted
    }
    this.#skip = skip
    this.#poll = poll
    this.#context = Object.defineProperty(context, 'emitted', { get: onAsked, enumerable: true })
    this.#wake = wake
  }

  /** Whoever takes records from a queue neither gives cursors nor asks how many were taken. */
  get isForgetful(): boolean {
    return this.#hasAnswered && !this.hasCursors && !this.#hasAsked && this.#context.cursor === undefined
  }

  get isOver(): boolean {
    return this.#hasEnded && this.#arrivals.waiting.length === 0
  }

  get left(): readonly unknown[] {
    return this.#arrivals.waiting
  }

  take(most: number, into: Taken, ask: number): void {
    const before = into.count
    this.#arrivals.take(most, into)
    const missing = most - (into.count - before)
    if (missing <= 0 || this.#isAsking || this.#hasEnded) return
    try {
      const batch = this.#poll(Math.max(missing, ask - (into.count - before)), this.#context)
      if (isThenable(batch)) this.#await(batch)
      else if (this.#skip > 0 || !(isList(batch) && batch.length <= missing && into.adopt(batch))) {
        this.#accept(batch)
        this.#arrivals.take(missing, into)
      } else this.#hasAnswered = true
    } catch (error) {
      this.#fail(error)
    }
  }

  #await(batch: PromiseLike<unknown>): void {
    this.isAsync = true
    this.#isAsking = true
    const settle = (act: () => void): void => {
      this.#isAsking = false
      try {
        act()
      } catch (error) {
        this.#fail(error)
      }
      this.#wake()
    }
    batch.then(
      (records) => settle(() => this.#accept(records)),
      (error: unknown) => settle(() => this.#fail(error)),
    )
  }

  #accept(batch: unknown): void {
    this.#hasAnswered = true
    if (batch === null) this.#hasEnded = true
    else if (isList(batch)) for (const record of batch) this.#arrive(record)
    else throw invalidResult(this.#context.node, 'poll', batch)
  }

  #arrive(record: unknown): void {
    this.hasCursors ||= record instanceof Marked && record.cursor !== undefined
    if (this.#skip > 0) this.#skip--
    else this.#arrivals.waiting.push(record)
  }

  #fail(error: unknown): void {
    this.error = error
    this.#hasEnded = true
  }

  close(): void {
    this.#hasEnded = true
  }
}
