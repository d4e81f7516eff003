import { Marked } from '../graph/types.js'
import { MillraceError } from '../errors.js'
import { isThenable } from './outlet.js'
/** Records that are taken from a source's handler and not sent yet; `marks[i]` are those of `values[i]`, if it has any. */
export class Taken {
  /** A new array for each granule. */
  values = []
  marks = []
  count = 0
  hasMarks = false
  add(record) {
    if (record instanceof Marked) {
      this.hasMarks = true
      this.marks[this.count] = record
      this.values[this.count++] = record.value
    } else {
      if (this.hasMarks) this.marks[this.count] = undefined
      this.values[this.count++] = record
    }
  }
  clear() {
    this.count = 0
    this.values = []
    if (this.hasMarks) this.marks.length = 0
    this.hasMarks = false
  }
}
/** A sync handler may be slow; after this long, what is there goes on. */
const PAUSE_MS = 1
/**
 * The supply that a source's handlers give.
 * @param skip records that earlier lives handed on, and that a source without cursors makes again
 */
export function supplyOf(handlers, context, skip, wake) {
  if (handlers.poll !== undefined) return new PollSupply(handlers.poll, context, wake)
  const made = handlers.produce(context)
  if (typeof made === 'object' && made !== null) {
    if (Symbol.asyncIterator in made) return new AsyncSupply(made[Symbol.asyncIterator](), skip, wake)
    if (Symbol.iterator in made) return new SyncSupply(made[Symbol.iterator](), skip)
  }
  throw new MillraceError('HANDLER_RESULT_INVALID', { node: context.node, handler: 'produce', result: typeof made })
}
class SyncSupply {
  isOver = false
  error
  isAsync = false
  #iterator
  #skip
  /** Records between two looks at the clock. */
  #stride = 1
  constructor(iterator, skip) {
    this.#iterator = iterator
    this.#skip = skip
  }
  take(most, into) {
    const start = performance.now()
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
        if (++looked % this.#stride === 0 && performance.now() - start >= PAUSE_MS) {
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
  close() {
    if (!this.isOver) this.#iterator.return?.()
    this.isOver = true
  }
}
/** Records that arrive by and by: asked for ahead, up to what the last `take` wanted. */
class Arrivals {
  waiting = []
  most = 0
  take(most, into) {
    this.most = most
    for (const record of this.waiting.splice(0, most)) into.add(record)
  }
  get isFull() {
    return this.waiting.length >= this.most
  }
}
class AsyncSupply {
  error
  isAsync = true
  #iterator
  #arrivals = new Arrivals()
  #wake
  #skip
  #isAsking = false
  #hasEnded = false
  constructor(iterator, skip, wake) {
    this.#iterator = iterator
    this.#skip = skip
    this.#wake = wake
  }
  get isOver() {
    return this.#hasEnded && this.#arrivals.waiting.length === 0
  }
  take(most, into) {
    this.#arrivals.take(most, into)
    if (!this.#isAsking && !this.#hasEnded) void this.#ask()
  }
  async #ask() {
    this.#isAsking = true
    try {
      while (!this.#arrivals.isFull && !this.#hasEnded) {
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
  close() {
    if (this.#hasEnded) return
    this.#hasEnded = true
    // A generator in the middle of a wait answers when the wait is over; nobody waits for it here.
    this.#iterator.return?.().catch(() => undefined)
  }
}
class PollSupply {
  error
  isAsync = false
  #poll
  #context
  #wake
  #arrivals = new Arrivals()
  #isAsking = false
  #hasEnded = false
  constructor(poll, context, wake) {
    this.#poll = poll
    this.#context = context
    this.#wake = wake
  }
  get isOver() {
    return this.#hasEnded && this.#arrivals.waiting.length === 0
  }
  take(most, into) {
    this.#arrivals.take(most, into)
    const missing = most - into.count
    if (missing <= 0 || this.#isAsking || this.#hasEnded) return
    try {
      const batch = this.#poll(missing, this.#context)
      if (isThenable(batch)) this.#await(batch)
      else {
        this.#accept(batch)
        this.#arrivals.take(missing, into)
      }
    } catch (error) {
      this.#fail(error)
    }
  }
  #await(batch) {
    this.isAsync = true
    this.#isAsking = true
    const settle = (act) => {
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
      (error) => settle(() => this.#fail(error)),
    )
  }
  #accept(batch) {
    if (batch === null) this.#hasEnded = true
    else if (Array.isArray(batch)) for (const record of batch) this.#arrivals.waiting.push(record)
    else
      throw new MillraceError('HANDLER_RESULT_INVALID', {
        node: this.#context.node,
        handler: 'poll',
        result: typeof batch,
      })
  }
  #fail(error) {
    this.error = error
    this.#hasEnded = true
  }
  close() {
    this.#hasEnded = true
  }
}
