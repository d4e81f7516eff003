import { encodeValue } from '../../codec/values.ts'
import { load } from '#atomics'
import { formatId, mix, mixed } from '../../lane/ids.ts'
import type { Memory } from '../../memory/memory.ts'
import { RUN_HIGH, RUN_LOW } from '../../memory/control.ts'
import type { Plan, WorkerPlan } from '../../plan/types.ts'
import type { Progress } from './progress.ts'
import type { KeptName, Taken } from './supply.ts'

const WORD = 2 ** 32
// What the first number is of that a base is mixed from: no two kinds of base meet.
const OF_RUN = 0x5eed
const OF_NUMBER = 0x0ffe
const OF_CURSOR = 0xc0de
const OF_ORDINAL = 0x0d1a
const OF_NAME = 0x0a3e
const OF_JOURNAL = 0x10c5

/**
 * The ids of a source worker's records. The id of a record is `mix(base, n)`, so records whose numbers follow each other travel
 * in one chunk:
 *
 *     a record with a cursor of its own            base of node, worker and cursor, n = 0
 *     the same where the cursor is a whole number  base of node and worker, n = the cursor (its lower 32 bits)
 *     the k-th record behind a cursor              base of node, worker and cursor, n = k
 *     a record before the first cursor             base of the run and the worker, n = how many were made before it
 *     a record that its source names (`id`)        base of node and name, n = 0; of a whole number n as with a cursor
 *     a record that an ingress journal keeps       base of the journal, n = its number there
 *
 * So a record that is named by a cursor has one id in every run, however it was cut into chunks, and all others have ids
 * that no other run gives. Invariant I1 (test/worker/source/record-ids): no two records of one run share an id, as long as the
 * source does not go back to a cursor that it has left.
 */
export class RecordIds {
  baseLow = 0
  baseHigh = 0
  first = 0
  readonly #progress: Progress
  readonly #runLow: number
  readonly #runHigh: number
  readonly #ownLow: number
  readonly #ownHigh: number
  readonly #nodeLow: number
  readonly #nodeHigh: number
  /** Base of the last cursor that was handed on, and whether there was one. */
  #hasCursor: boolean
  #cursorLow = 0
  #cursorHigh = 0
  /** The same with the chunk in hand. */
  #next = { hasCursor: false, low: 0, high: 0, behind: 0 }

  constructor(memory: Memory, plan: Plan, worker: WorkerPlan, progress: Progress) {
    this.#progress = progress
    const control = plan.control.offset / 4
    mix(load(memory.words, control + RUN_LOW), load(memory.words, control + RUN_HIGH), OF_RUN)
    mix(mixed.low, mixed.high, worker.source!)
    this.#runLow = mixed.low
    this.#runHigh = mixed.high
    hashText(plan.stages[worker.stage]!.node)
    this.#nodeLow = mixed.low
    this.#nodeHigh = mixed.high
    mix(mixed.low ^ OF_ORDINAL, mixed.high, worker.ordinal)
    this.#ownLow = mixed.low
    this.#ownHigh = mixed.high
    this.#hasCursor = progress.cursor !== undefined
    if (this.#hasCursor) {
      this.#hash(progress.cursor)
      this.#cursorLow = mixed.low
      this.#cursorHigh = mixed.high
    }
  }

  /**
   * Sets `baseLow`, `baseHigh` and `first` to those of the next record.
   * @param most records that are handed on together
   * @param kept of records that an ingress journal keeps
   * @returns how many of them have ids that follow each other
   */
  name(
    { count: taken, marks, hasMarks }: Pick<Taken, 'count' | 'marks' | 'hasMarks'>,
    most: number = taken,
    kept?: KeptName,
  ): number {
    const count = Math.min(taken, most)
    const { emitted, behind } = this.#progress
    const next = this.#next
    next.hasCursor = this.#hasCursor
    next.low = this.#cursorLow
    next.high = this.#cursorHigh
    next.behind = behind
    const id = hasMarks ? marks[0]?.id : undefined
    if (id !== undefined) return this.#nameById(id, marks, count)
    const cursor = hasMarks ? marks[0]?.cursor : undefined
    // What the journal keeps behind a record with a cursor has a number of its own.
    if (cursor !== undefined && this.#isNew(cursor))
      return this.#nameByCursor(cursor, marks, count, kept === undefined ? count : 1)
    if (kept !== undefined) return this.#nameByJournal(kept, marks, hasMarks, count)
    if (this.#hasCursor) {
      this.baseLow = this.#cursorLow
      this.baseHigh = this.#cursorHigh
      this.first = (behind + 1) | 0
      return this.#runBehind(1, marks, hasMarks, count, behind + 1)
    }
    mix(this.#runLow, this.#runHigh, Math.floor(emitted / WORD))
    this.baseLow = mixed.low
    this.baseHigh = mixed.high
    this.first = emitted | 0
    const run = this.#runBehind(1, marks, hasMarks, count, emitted % WORD)
    next.behind = 0
    return run
  }

  /** The records that were named last are handed on. */
  advance(): void {
    this.#hasCursor = this.#next.hasCursor
    this.#cursorLow = this.#next.low
    this.#cursorHigh = this.#next.high
    this.#progress.behind = this.#next.behind
  }

  /** The id of a record that was pushed, by its number: modulo 2^32, or that of the journal that keeps it. */
  ofPushed(number: number, kept?: KeptName): string {
    if (kept === undefined) mix(this.#runLow, this.#runHigh, Math.floor(this.#progress.emitted / WORD))
    else mixKept(kept, number)
    mix(mixed.low, mixed.high, number | 0)
    return formatId(mixed.low, mixed.high)
  }

  /** Whoever takes a record with this name gives it this id. */
  #nameById(id: string | number, marks: Taken['marks'], count: number): number {
    if (!isWhole(id)) {
      hashBytes(this.#nodeLow ^ OF_NAME, this.#nodeHigh, Buffer.from(JSON.stringify(id)))
      this.baseLow = mixed.low
      this.baseHigh = mixed.high
      this.first = 0
      return 1
    }
    mix(this.#nodeLow ^ OF_NUMBER, this.#nodeHigh, Math.floor(id / WORD))
    this.baseLow = mixed.low
    this.baseHigh = mixed.high
    this.first = id | 0
    const most = Math.min(count, WORD - (id >>> 0))
    let run = 1
    while (run < most && marks[run]?.id === id + run) run++
    return run
  }

  #nameByJournal(kept: KeptName, marks: Taken['marks'], hasMarks: boolean, count: number): number {
    mixKept(kept, kept.number)
    this.baseLow = mixed.low
    this.baseHigh = mixed.high
    this.first = kept.number | 0
    const most = Math.min(count, kept.run, WORD - (kept.number % WORD))
    if (!hasMarks) return most
    let run = 1
    while (run < most && marks[run]?.id === undefined && !this.#hasNewCursor(marks[run]?.cursor)) run++
    return run
  }

  /** @param behind most records that are named with it by its cursor alone */
  #nameByCursor(cursor: unknown, marks: Taken['marks'], count: number, behind: number): number {
    const next = this.#next
    let run = 1
    let last = cursor
    if (isWhole(cursor)) {
      mix(this.#ownLow ^ OF_NUMBER, this.#ownHigh, Math.floor(cursor / WORD))
      this.baseLow = mixed.low
      this.baseHigh = mixed.high
      this.first = cursor | 0
      const most = Math.min(count, WORD - (cursor >>> 0))
      while (run < most && marks[run]?.cursor === cursor + run && marks[run]?.id === undefined) run++
      last = cursor + run - 1
    }
    this.#hash(last)
    next.hasCursor = true
    next.low = mixed.low
    next.high = mixed.high
    next.behind = 0
    if (isWhole(cursor)) return run
    this.baseLow = mixed.low
    this.baseHigh = mixed.high
    this.first = 0
    return this.#runBehind(1, marks, true, behind, 0)
  }

  /** Records from `run` on that have no cursor of their own; `number` is that of the first one of all. */
  #runBehind(from: number, marks: Taken['marks'], hasMarks: boolean, count: number, number: number): number {
    const most = Math.min(count, WORD - number)
    let run = from
    if (!hasMarks) run = most
    else while (run < most && marks[run]?.id === undefined && !this.#hasNewCursor(marks[run]?.cursor)) run++
    this.#next.behind = number + run - 1
    return run
  }

  #hasNewCursor(cursor: unknown): boolean {
    return cursor !== undefined && this.#isNew(cursor)
  }

  /** A record with the cursor of the one before it is the next one behind that. */
  #isNew(cursor: unknown): boolean {
    if (!this.#next.hasCursor) return true
    this.#hash(cursor)
    return mixed.low !== this.#next.low || mixed.high !== this.#next.high
  }

  #hash(cursor: unknown): void {
    hashBytes(this.#ownLow ^ OF_CURSOR, this.#ownHigh, encodeValue(cursor))
  }
}

/** The base of a kept record. */
function mixKept({ low, high }: KeptName, number: number): void {
  mix(low, high, OF_JOURNAL)
  mix(mixed.low, mixed.high, Math.floor(number / WORD))
}

function isWhole(cursor: unknown): cursor is number {
  return typeof cursor === 'number' && Number.isSafeInteger(cursor) && cursor >= 0
}

/** Mixes all bytes, and how many there are, into `mixed`. */
function hashBytes(low: number, high: number, bytes: Uint8Array): void {
  mix(low, high, bytes.byteLength)
  for (let at = 0; at < bytes.byteLength; at += 4) {
    const word = bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
    mix(mixed.low, mixed.high, word)
  }
}

function hashText(text: string): void {
  hashBytes(0, 0, Buffer.from(text))
}
