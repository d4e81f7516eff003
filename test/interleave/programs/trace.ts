/**
 * A worker that hands chunks on, a source that ends each as soon as it sees the hand-off, and the tracer that reads the rings
 * of both. Whatever the order: when the tracer judges a slot, it has read the worker's event of it, or the end says that it was
 * dropped.
 */
import assert from 'node:assert/strict'
import { load } from '#atomics'
import { Doorbell, ring } from '#src/lane/doorbell.js'
import { Journal, recover } from '#src/lane/journal.js'
import { TraceWriter } from '#src/lane/trace.js'
import type { JournalLayout } from '#src/memory/journal.js'
import type { Memory } from '#src/memory/memory.js'
import { EVENT_GAP, EVENT_KINDS, KIND, RECORDS, type TraceLayout } from '#src/memory/trace.js'
import { TraceRings } from '#src/trace/rings.js'

interface Side {
  readonly journal: JournalLayout
  readonly trace: TraceLayout
  readonly doorbell: number
}

export interface TracePlan {
  readonly chunks: number
  /** How many chunks are handed on; then for each, whether its event was dropped. */
  readonly handed: number
  readonly worker: Side
  readonly source: Side
  readonly tracer: number
}

const HOP = EVENT_KINDS.indexOf('hop')
const END = EVENT_KINDS.indexOf('end')

class Handing {
  readonly #memory: Memory
  readonly #plan: TracePlan
  readonly #journal: Journal
  readonly #trace: TraceWriter
  readonly #isSource: boolean

  constructor(memory: Memory, plan: TracePlan, isSource: boolean) {
    const side = isSource ? plan.source : plan.worker
    this.#memory = memory
    this.#plan = plan
    this.#isSource = isSource
    this.#journal = new Journal(memory, side.journal)
    this.#trace = new TraceWriter(memory, side.trace, this.#journal)
  }

  get isDone(): boolean {
    return this.#journal.counters[0] === this.#plan.chunks
  }

  step(): boolean {
    const { words } = this.#memory
    const { handed, source, tracer } = this.#plan
    const chunk = this.#journal.counters[0]!
    const at = handed / 4
    if (this.#isSource && load(words, at) <= chunk) return false
    const isDropped = !this.#trace.hasRoom(1)
    if (isDropped) this.#trace.drop(1)
    else this.#write(chunk)
    if (!this.#isSource) {
      words[at + 1 + chunk] = isDropped ? 1 : 0
      this.#journal.set(at, chunk + 1)
    }
    this.#trace.stage(this.#journal)
    this.#journal.counters[0]!++
    this.#journal.commit()
    if (!this.#isSource) ring(words, source.doorbell)
    ring(words, tracer)
    return true
  }

  #write(chunk: number): void {
    const { words } = this.#memory
    const event = this.#trace.begin()
    const isIncomplete = this.#isSource && words[this.#plan.handed / 4 + 1 + chunk] === 1
    words[event + KIND] = (this.#isSource ? END : HOP) | (isIncomplete ? EVENT_GAP : 0)
    words[event + RECORDS] = chunk
  }
}

export function worker(memory: Memory, plan: TracePlan): void {
  work(memory, new Handing(memory, plan, false), plan.worker.doorbell)
}

export function workerAgain(memory: Memory, plan: TracePlan): void {
  recover(memory, plan.worker.journal)
  ring(memory.words, plan.source.doorbell)
  ring(memory.words, plan.tracer)
  worker(memory, plan)
}

export function source(memory: Memory, plan: TracePlan): void {
  work(memory, new Handing(memory, plan, true), plan.source.doorbell)
}

export function tracer(memory: Memory, plan: TracePlan): void {
  const rings = new TraceRings(memory, [plan.worker.trace, plan.source.trace])
  const { words } = memory
  const hops = new Set<number>()
  const ends: { chunk: number; isIncomplete: boolean }[] = []
  let judged = 0
  const listener = {
    event(ring: number, at: number): void {
      const chunk = words[at + RECORDS]!
      const kind = words[at + KIND]!
      if (ring === 1) {
        assert.equal(kind & 0xff, END)
        ends.push({ chunk, isIncomplete: (kind & EVENT_GAP) !== 0 })
        return
      }
      assert.equal(kind & 0xff, HOP, 'X3: an event was overwritten')
      assert.ok(!hops.has(chunk), `X5: the event of ${chunk} came twice`)
      hops.add(chunk)
    },
    whole(count: number): void {
      for (const { chunk, isIncomplete } of ends.splice(0, count)) {
        assert.equal(chunk, judged++, 'every slot ends once')
        assert.ok(hops.has(chunk) !== isIncomplete, `X1, X2: the chain of ${chunk} is not as its end says`)
      }
    },
  }
  const each = {
    get isDone(): boolean {
      return judged === plan.chunks
    },
    step: () => rings.drain(listener) > 0,
  }
  work(memory, each, plan.tracer)
}

function work(memory: Memory, each: { readonly isDone: boolean; step(): boolean }, doorbell: number): void {
  const bell = new Doorbell(memory.words, doorbell)
  while (!each.isDone) {
    if (each.step()) continue
    bell.announce(1)
    if (!each.step() && !each.isDone) bell.park(0)
    bell.rise()
  }
}
