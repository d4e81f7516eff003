/**
 * Two threads on one lane, as workers use it: each looks, announces that it will wait, looks once more, waits. This module
 * is compiled to be stepped together with the shipped one.
 */
import assert from 'node:assert/strict'
import { Doorbell, ring } from '#src/lane/doorbell.js'
import { Journal, recover } from '#src/lane/journal.js'
import { type JournalLayout } from '#src/memory/journal.js'
import type { LaneLayout } from '#src/memory/lane.js'
import type { Memory } from '#src/memory/memory.js'
import { Texts } from '#src/lane/texts.js'
import { laneTexts } from '#src/memory/texts.js'
import { LaneReader, NO_FRAME } from '#src/lane/reader.js'
import { LaneWriter, NO_ROOM } from '#src/lane/writer.js'

export interface LanePlan {
  readonly lane: LaneLayout
  readonly writer: { readonly journal: JournalLayout; readonly doorbell: number }
  readonly reader: { readonly journal: JournalLayout; readonly doorbell: number }
  /** Records in all, and in one hand-off at most. */
  readonly records: number
  readonly perHandoff: number
}

/** Bytes of a frame: with a ring of 128, two of them and padding. */
const FRAME = 48
const HEADER = { slot: 0, furtherAnchors: [], baseLow: 0, baseHigh: 0, first: 0, salt: 0, attempt: 0, trace: 0 }

/** What a record's frame names, where the lane has a table of texts. */
function textOf(record: number): string {
  return `r${record}`
}

interface Worker {
  readonly isDone: boolean
  /** Does what can be done; false where that is nothing. */
  step(): boolean
}

class Writing implements Worker {
  readonly #memory: Memory
  readonly #plan: LanePlan
  readonly #journal: Journal
  readonly #writer: LaneWriter
  readonly #texts: Texts | undefined
  #next: number

  constructor(memory: Memory, plan: LanePlan) {
    this.#memory = memory
    this.#plan = plan
    this.#journal = new Journal(memory, plan.writer.journal)
    this.#texts = plan.lane.shapeBytes > 0 ? new Texts(memory, laneTexts(plan.lane)) : undefined
    this.#writer = new LaneWriter(memory, plan.lane)
    this.#next = this.#writer.sentBefore
  }

  get isDone(): boolean {
    return this.#next === this.#plan.records
  }

  step(): boolean {
    let sent = 0
    while (sent < this.#plan.perHandoff && this.#next < this.#plan.records && this.#put()) sent++
    this.#writer.want(sent === 0)
    if (sent === 0) return false
    this.#writer.stage(this.#journal)
    this.#journal.commit()
    ring(this.#memory.words, this.#plan.reader.doorbell)
    return true
  }

  #put(): boolean {
    const credit = this.#writer.credit()
    assert.ok(credit >= 0, 'credit is negative')
    if (credit === 0) return false
    let number = 0
    if (this.#texts !== undefined) {
      // As often as it may, so that halves are written anew as soon as that is allowed.
      this.#texts.restart()
      number = this.#texts.numberOf(textOf(this.#next))
    }
    const at = this.#writer.claim(FRAME)
    if (at === NO_ROOM) return false
    this.#memory.words[this.#writer.body(at, 0) / 4] = this.#next
    this.#memory.words[this.#writer.body(at, 0) / 4 + 1] = number
    this.#writer.append(at, at + FRAME, 1, HEADER, 0)
    this.#next++
    return true
  }
}

class Reading implements Worker {
  readonly #memory: Memory
  readonly #plan: LanePlan
  readonly #journal: Journal
  readonly #reader: LaneReader
  readonly #texts: Texts | undefined

  constructor(memory: Memory, plan: LanePlan) {
    this.#memory = memory
    this.#plan = plan
    this.#journal = new Journal(memory, plan.reader.journal)
    this.#texts = plan.lane.shapeBytes > 0 ? new Texts(memory, laneTexts(plan.lane)) : undefined
    this.#reader = new LaneReader(memory, plan.lane)
    this.#wakePeer()
  }

  get isDone(): boolean {
    return this.#journal.counters[0] === this.#plan.records
  }

  step(): boolean {
    let taken = 0
    while (taken < this.#plan.perHandoff && this.#take()) taken++
    if (taken === 0) return false
    this.#reader.release(this.#reader.position, 0, taken)
    this.#reader.stage(this.#journal)
    this.#journal.commit()
    this.#wakePeer()
    return true
  }

  #wakePeer(): void {
    if (this.#reader.isWorthWaking) ring(this.#memory.words, this.#plan.writer.doorbell)
  }

  #take(): boolean {
    const at = this.#reader.poll()
    if (at === NO_FRAME) return false
    const record = this.#memory.words[(at + FRAME - 8) / 4]
    assert.equal(record, this.#journal.counters[0], 'records are lost, doubled or out of order')
    const number = this.#memory.words[(at + FRAME - 4) / 4]!
    if (number > 0) assert.equal(this.#texts!.text(number), textOf(record!), 'X1, X2: a text is not what was written')
    this.#journal.counters[0]!++
    this.#reader.take(at)
    return true
  }
}

export function write(memory: Memory, plan: LanePlan): void {
  work(memory, new Writing(memory, plan), plan.writer.doorbell)
}

export function read(memory: Memory, plan: LanePlan): void {
  work(memory, new Reading(memory, plan), plan.reader.doorbell)
}

/** After a death: what the supervisor does, then the successor. */
export function writeAgain(memory: Memory, plan: LanePlan): void {
  recover(memory, plan.writer.journal)
  ring(memory.words, plan.reader.doorbell)
  write(memory, plan)
}

export function readAgain(memory: Memory, plan: LanePlan): void {
  recover(memory, plan.reader.journal)
  ring(memory.words, plan.writer.doorbell)
  read(memory, plan)
}

function work(memory: Memory, worker: Worker, doorbell: number): void {
  const bell = new Doorbell(memory.words, doorbell)
  while (!worker.isDone) {
    if (worker.step()) continue
    bell.announce(1)
    if (!worker.step()) bell.park(0)
    bell.rise()
  }
}
