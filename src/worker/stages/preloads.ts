import type { StashEntry } from '../../lane/stash.ts'
import { Preload } from './preload.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { idOf } from '../chunk.ts'
import type { Parts } from '../stage.ts'
import type { Turns } from './turns.ts'

/** A record of the stash whose call may start. */
export interface PreloadedRecord {
  readonly entry: StashEntry
  readonly value: unknown
  /** What `preload` gave for it. */
  readonly preloaded: unknown
  /** Why it gave nothing. */
  readonly failure: { readonly error: unknown } | undefined
  readonly deaths: number
  /** Its part of the time that `preload` took. */
  readonly tookMs: number
}

/**
 * Records on their way from the stash to their calls: `preload` is called for those that are due together, and then they are called
 * one by one. One call of it is open at a time; calls of the handler go on meanwhile. While it is open, its records are in the hand, so
 * a death is blamed on them too; a suspect goes alone.
 */
export class Preloads {
  readonly #parts: Parts
  readonly #preload: Preload
  readonly #most: number
  /** The first of the places in the hand that no call has. */
  readonly #place: number
  #group: StashEntry[] = []
  #values: unknown[] = []
  #deaths = 0
  #isUnread = false
  #loaded: readonly unknown[] = []
  #failure: { readonly error: unknown } | undefined
  /** How many of the group have gone on. */
  #gone = 0
  readonly #turns: Turns

  constructor(parts: Parts, handler: AnyFunction, turns: Turns) {
    const { maxInFlight, preloads } = parts.stage.input!
    this.#parts = parts
    this.#turns = turns
    this.#preload = new Preload(parts, handler)
    this.#most = preloads!
    this.#place = maxInFlight + 1
  }

  get isAsync(): boolean {
    return this.#preload.isAsync
  }

  /** A call of `preload` has not answered. */
  get isOpen(): boolean {
    return this.#preload.isOpen
  }

  /** Records have what was looked up for them, and wait for their calls. */
  get hasNext(): boolean {
    return !this.isOpen && this.#gone < this.#group.length
  }

  /** Calls `preload` for what is due, once nothing of the last call is left. @returns false where there is nothing to begin */
  begin(openCalls: number): boolean {
    if (this.isOpen || this.hasNext || !this.#gather(openCalls)) return false
    const { pending, hand, stage } = this.#parts
    this.#isUnread = this.#failure !== undefined || this.#deaths >= stage.input!.maxCrashes
    // Its record may be what kills: it is not read.
    if (this.#isUnread) return true
    const headers = this.#group.map((entry) => pending.stash.header(entry))
    this.#values = this.#group.map((entry, i) => {
      hand.holdOne(headers[i]!)
      const value = pending.value(entry)
      hand.drop()
      return value
    })
    headers.forEach((header, i) => {
      idOf(header, 0)
      hand.holdCall(this.#place + i)
    })
    this.#preload.begin([...this.#values], headers[0]!, () => {
      for (let i = 0; i < this.#group.length; i++) hand.dropCall(this.#place + i)
    })
    return true
  }

  /** The next record, whose call is to start now. */
  next(): PreloadedRecord {
    this.#take()
    const at = this.#gone++
    return {
      entry: this.#group[at]!,
      value: this.#values[at],
      preloaded: this.#loaded[at],
      failure: this.#failure,
      deaths: this.#deaths,
      tookMs: this.#isUnread ? 0 : this.#preload.tookMs / this.#group.length,
    }
  }

  /** Makes up the next group. Whatever was in hand at a death is a group by itself, beside no call. */
  #gather(openCalls: number): boolean {
    const { pending, hand, clock } = this.#parts
    this.#group = []
    this.#values = []
    this.#gone = this.#deaths = 0
    this.#failure = undefined
    while (this.#group.length < this.#most && this.#turns.nextDueAt <= clock.now) {
      const beside = openCalls + this.#group.length
      const entry = this.#turns.next(beside)
      if (entry === undefined) break
      const deaths = hand.deathsOf(pending.stash.header(entry), 0)
      const fault = this.#turns.faultOf(entry)
      if ((deaths > 0 && beside > 0) || (fault !== undefined && this.#group.length > 0)) {
        this.#turns.putBack(entry)
        break
      }
      this.#group.push(entry)
      this.#deaths = deaths
      this.#failure = fault
      if (deaths > 0 || fault !== undefined) break
    }
    return this.#group.length > 0
  }

  #take(): void {
    if (!this.#preload.isBegun) return
    this.#failure = undefined
    this.#loaded = []
    try {
      this.#loaded = this.#preload.take()
    } catch (error) {
      this.#failure = { error }
    }
  }
}
