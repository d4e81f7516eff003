/**
 * A source and two workers below it, with an ack lane each. Of every chunk the first worker ends the id that the source
 * gave it and bears another, which the second one ends: their entries may come in either order. All slots are opened at
 * once, so the n-th chunk has the n-th slot.
 */
import assert from 'node:assert/strict'
import { load } from '#atomics'
import { AckReader, AckWriter } from '#src/lane/acks.js'
import { type AckLaneLayout } from '#src/memory/acks.js'
import { Doorbell, ring } from '#src/lane/doorbell.js'
import { Journal, recover } from '#src/lane/journal.js'
import { type JournalLayout } from '#src/memory/journal.js'
import type { Memory } from '#src/memory/memory.js'
import { Slots } from '#src/lane/slots.js'
import { NO_SLOT, type SlotsLayout } from '#src/memory/slots.js'

export interface AcksPlan {
  readonly chunks: number
  readonly slots: SlotsLayout
  /** Chunks ever opened, and the slot of each: what a lane would carry. */
  readonly opened: number
  /** By slot, whether its reason is kept: what a stash would hold. */
  readonly kept: number
  readonly source: { readonly journal: JournalLayout; readonly doorbell: number }
  readonly workers: readonly {
    readonly lane: AckLaneLayout
    readonly journal: JournalLayout
    readonly doorbell: number
  }[]
}

/** The id that the source gives to a chunk, and the one that the first worker makes of it. */
const born = (chunk: number): number => 1 + 2 * chunk
const child = (chunk: number): number => 0x100 << chunk

/** What a worker owes for a chunk. */
const entryOf = (worker: number, chunk: number): number => (worker === 0 ? born(chunk) ^ child(chunk) : child(chunk))

const OPENED = 0
const ENDED = 1
/** Chunks of whose failure the reason was found when they ended. */
const TOLD = 2

class Source {
  readonly #memory: Memory
  readonly #plan: AcksPlan
  readonly #journal: Journal
  readonly #slots: Slots
  readonly #readers: readonly AckReader[]
  readonly #kept = new Set<number>()

  constructor(memory: Memory, plan: AcksPlan) {
    this.#memory = memory
    this.#plan = plan
    this.#journal = new Journal(memory, plan.source.journal)
    this.#slots = new Slots(memory, plan.slots)
    this.#readers = plan.workers.map(({ lane }) => new AckReader(memory, lane))
    for (const reader of this.#readers) reader.want(true)
    for (let slot = 0; slot < plan.chunks; slot++) if (memory.words[plan.kept / 4 + slot] === 1) this.#kept.add(slot)
  }

  get isDone(): boolean {
    return this.#journal.counters[ENDED] === this.#plan.chunks
  }

  step(): boolean {
    const { counters } = this.#journal
    let didSome = false
    const done: number[] = []
    for (const reader of this.#readers) {
      while (reader.poll()) {
        didSome = true
        if (this.#slots.settle(reader.slot, reader.low, reader.high, reader.failures)) done.push(reader.slot)
      }
    }
    if (didSome) this.#takeReasons()
    for (const slot of done) {
      this.#tell(slot)
      this.#slots.close(slot)
      counters[ENDED]!++
    }
    let hasOpened = false
    while (counters[OPENED]! < this.#plan.chunks && this.#open()) hasOpened = true
    if (!didSome && !hasOpened) return false
    this.#slots.stage(this.#journal)
    for (const reader of this.#readers) reader.stage(this.#journal)
    this.#journal.commit()
    this.#wakePeers(hasOpened)
    return true
  }

  #takeReasons(): void {
    for (const { reasons } of this.#readers) {
      while (reasons?.poll() === true) {
        for (const slot of reasons.slots) {
          assert.equal(reasons.text, `why ${slot}`)
          this.#kept.add(slot)
          this.#journal.set(this.#plan.kept / 4 + slot, 1)
        }
      }
    }
  }

  /** N2: where a record failed, its reason is there by now, or was left out. */
  #tell(slot: number): void {
    if (!this.#kept.delete(slot)) return
    this.#journal.counters[TOLD]!++
    this.#journal.set(this.#plan.kept / 4 + slot, 0)
  }

  #open(): boolean {
    const chunk = this.#journal.counters[OPENED]!
    const slot = this.#slots.open(1, chunk, 0)
    if (slot === NO_SLOT) return false
    this.#slots.settle(slot, born(chunk), 0, 0)
    this.#memory.words[this.#plan.opened / 4 + 1 + chunk] = slot
    this.#journal.counters[OPENED]!++
    this.#journal.set(this.#plan.opened / 4, chunk + 1)
    return true
  }

  /** Those that wait for a chunk or for room. */
  #wakePeers(hasOpened: boolean): void {
    this.#plan.workers.forEach(({ doorbell }, i) => {
      if (hasOpened || this.#readers[i]!.isWorthWaking) ring(this.#memory.words, doorbell)
    })
  }
}

class Worker {
  readonly #memory: Memory
  readonly #plan: AcksPlan
  readonly #number: number
  readonly #journal: Journal
  readonly #writer: AckWriter

  constructor(memory: Memory, plan: AcksPlan, number: number) {
    this.#memory = memory
    this.#plan = plan
    this.#number = number
    this.#journal = new Journal(memory, plan.workers[number]!.journal)
    this.#writer = new AckWriter(memory, plan.workers[number]!.lane)
  }

  get isDone(): boolean {
    return this.#journal.counters[0] === this.#plan.chunks
  }

  step(): boolean {
    const { words } = this.#memory
    const chunk = this.#journal.counters[0]!
    if (load(words, this.#plan.opened / 4) <= chunk || !this.#writer.hasRoom(1)) return false
    const slot = words[this.#plan.opened / 4 + 1 + chunk]!
    this.#writer.put(slot, entryOf(this.#number, chunk), 0, this.#writer.reasons === undefined ? 0 : 1)
    this.#writer.reasons?.put(Buffer.from(`why ${slot}`), [slot])
    this.#journal.counters[0]!++
    assert.equal(this.#writer.stage(this.#journal), true)
    this.#journal.commit()
    if (this.#writer.isWorthWaking) ring(words, this.#plan.source.doorbell)
    return true
  }
}

/** What has happened before: all slots are opened, and one worker has settled all chunks. */
export function before(memory: Memory, plan: AcksPlan, number: number): void {
  new Source(memory, plan).step()
  const journal = new Journal(memory, plan.workers[number]!.journal)
  const writer = new AckWriter(memory, plan.workers[number]!.lane)
  for (let chunk = 0; chunk < plan.chunks; chunk++) writer.put(chunk, entryOf(number, chunk), 0, 0)
  writer.stage(journal)
  journal.commit()
}

export function source(memory: Memory, plan: AcksPlan): void {
  const made = new Source(memory, plan)
  work(memory, made, plan.source.doorbell)
}

export function sourceAgain(memory: Memory, plan: AcksPlan): void {
  recover(memory, plan.source.journal)
  plan.workers.forEach(({ doorbell }) => ring(memory.words, doorbell))
  source(memory, plan)
}

export function worker(memory: Memory, plan: AcksPlan, number: number): void {
  work(memory, new Worker(memory, plan, number), plan.workers[number]!.doorbell)
}

export function workerAgain(memory: Memory, plan: AcksPlan, number: number): void {
  recover(memory, plan.workers[number]!.journal)
  ring(memory.words, plan.source.doorbell)
  worker(memory, plan, number)
}

function work(memory: Memory, each: { readonly isDone: boolean; step(): boolean }, doorbell: number): void {
  const bell = new Doorbell(memory.words, doorbell)
  while (!each.isDone) {
    if (each.step()) continue
    bell.announce(1)
    if (!each.step()) bell.park(0)
    bell.rise()
  }
}
