import type { StashEntry } from '../../lane/stash.ts'
import type { AnyFunction } from '../call/handlers.ts'
import { keyOf } from '../call/results.ts'
import { idOf } from '../chunk.ts'
import { KeyLimit, type LimitKey } from '../limit/key-limit.ts'
import type { Parts } from '../stage.ts'

/** Which records of the stash are called next. */
export interface Turns {
  /** At the start of a step. */
  look(): void
  /** When the next one may be, in ms of the monotonic clock; Infinity where none waits. */
  readonly nextDueAt: number
  /** Records that are due wait for their limit. */
  readonly isHeld: boolean
  /**
   * The next one that may be called now; it is the caller's then.
   * @param openCalls where some are, the user's code is not asked of a record that has killed
   */
  next(openCalls: number): StashEntry | undefined
  /** It is not called after all, and is the next one again. */
  putBack(entry: StashEntry): void
  /** Why one that `next` gave is not to be called: its key could not be had. It is told once. */
  faultOf(entry: StashEntry): { readonly error: unknown } | undefined
}

/** Whatever is due. */
export function turnsOf({ pending, clock }: Parts): Turns {
  return {
    look: () => undefined,
    get nextDueAt() {
      return pending.nextDueAt
    },
    isHeld: false,
    next: () => pending.next(clock.now),
    putBack: (entry) => pending.wait(entry),
    faultOf: () => undefined,
  }
}

/** A key, and when its next record may go. */
interface Timed {
  readonly key: LimitKey
  readonly at: number
}

/**
 * Whatever is due, where each key has a limit of its own (`rateLimit.by`). A record whose key may send none now stands in the line of its
 * key, behind those that came before it, and holds up no other key. All of that is in the heap: the records lie in the stash, and a
 * successor asks for their keys once more.
 */
export class KeyTurns implements Turns {
  readonly #parts: Parts
  readonly #by: AnyFunction
  readonly #limit: KeyLimit
  /** Records that wait for their limit, by key. */
  readonly #lines = new Map<LimitKey, StashEntry[]>()
  /** Keys of lines by the time of their first record. */
  #timed: Timed[] = []
  /** Keys of lines that wait until another key can be forgotten, the first one first. */
  #unknown: LimitKey[] = []
  readonly #faults = new Map<StashEntry, { readonly error: unknown }>()
  /** The last resize by which keys have come here. */
  #settled: number | undefined

  constructor(parts: Parts, by: AnyFunction) {
    const { memory, stage, inlet, isFirstLife, clock } = parts
    this.#parts = parts
    this.#by = by
    this.#limit = new KeyLimit(memory, stage.limit)
    this.#settled = inlet.tenure?.settled
    if (!isFirstLife || inlet.tenure?.isResized === true) this.#limit.startEmpty(clock.now)
  }

  look(): void {
    const { inlet, clock } = this.#parts
    const settled = inlet.tenure?.settled
    const hasCome = settled !== this.#settled
    this.#settled = settled
    if (hasCome) this.#limit.startEmpty(clock.now)
    if (!this.#limit.look(clock.now) && !hasCome) return
    this.#timed = []
    this.#unknown = []
    for (const key of this.#lines.keys()) this.#schedule(key)
  }

  get nextDueAt(): number {
    const [first] = this.#timed
    const roomAt = this.#unknown.length > 0 ? this.#limit.roomAt : Infinity
    return Math.min(this.#parts.pending.nextDueAt, first?.at ?? Infinity, roomAt)
  }

  get isHeld(): boolean {
    return this.#lines.size > 0
  }

  next(openCalls: number): StashEntry | undefined {
    return this.#nextTimed() ?? this.#nextUnknown() ?? this.#nextNew(openCalls)
  }

  putBack(entry: StashEntry): void {
    const key = entry.key as LimitKey | undefined
    this.#faults.delete(entry)
    if (key === undefined) return this.#parts.pending.wait(entry)
    this.#limit.giveBack(key)
    const line = this.#lines.get(key)
    if (line !== undefined) line.unshift(entry)
    else this.#lines.set(key, [entry])
    this.#timed = this.#timed.filter((timed) => timed.key !== key)
    this.#unknown = this.#unknown.filter((unknown) => unknown !== key)
    this.#schedule(key)
  }

  faultOf(entry: StashEntry): { readonly error: unknown } | undefined {
    const fault = this.#faults.get(entry)
    if (fault !== undefined) this.#faults.delete(entry)
    return fault
  }

  /**
   * A record that is not in the stash, for there is no room: it goes now, if it may. Its id is in `mixed`.
   * @returns undefined if it goes, else when it may
   * @throws what the user's code throws, and KEY_INVALID
   */
  takeBeside(value: unknown): number | undefined {
    this.look()
    const { now } = this.#parts.clock
    const key = this.#ask(value)
    if (this.#limit.take(key, now, true)) return undefined
    return this.#limit.canKnow(key, now) ? this.#limit.nextAt(key, now) : this.#limit.roomAt
  }

  #nextTimed(): StashEntry | undefined {
    const { now } = this.#parts.clock
    while (this.#timed.length > 0 && this.#timed[0]!.at <= now) {
      const { key } = this.#timed.shift()!
      if (this.#limit.take(key, now, true)) return this.#first(key)
      this.#schedule(key)
    }
    return undefined
  }

  #nextUnknown(): StashEntry | undefined {
    const { now } = this.#parts.clock
    while (this.#unknown.length > 0 && this.#limit.hasRoom(now)) {
      const key = this.#unknown.shift()!
      if (this.#limit.take(key, now, true)) return this.#first(key)
      this.#schedule(key)
    }
    return undefined
  }

  /** Of those that stand in no line yet. */
  #nextNew(openCalls: number): StashEntry | undefined {
    const { pending, hand, stage, clock } = this.#parts
    for (;;) {
      const entry = pending.next(clock.now)
      if (entry === undefined) return undefined
      const deaths = hand.deathsOf(pending.stash.header(entry), 0)
      if (deaths >= stage.input!.maxCrashes) return entry
      if (deaths > 0 && openCalls > 0) {
        pending.wait(entry)
        return undefined
      }
      const key = this.#keyOf(entry)
      if (key === undefined) return entry
      const line = this.#lines.get(key)
      if (line !== undefined) line.push(entry)
      else if (this.#limit.take(key, clock.now, false)) return entry
      else {
        this.#lines.set(key, [entry])
        this.#schedule(key)
      }
    }
  }

  /** Takes the first record out of a line, and sees to the next one. */
  #first(key: LimitKey): StashEntry {
    const line = this.#lines.get(key)!
    const entry = line.shift()!
    if (line.length === 0) this.#lines.delete(key)
    else this.#schedule(key)
    return entry
  }

  #schedule(key: LimitKey): void {
    const { now } = this.#parts.clock
    if (!this.#limit.canKnow(key, now)) {
      this.#unknown.push(key)
      return
    }
    const at = this.#limit.nextAt(key, now)
    let index = this.#timed.length
    while (index > 0 && this.#timed[index - 1]!.at > at) index--
    this.#timed.splice(index, 0, { key, at })
  }

  /** The key of a record; undefined where it could not be had, and the record has failed. */
  #keyOf(entry: StashEntry): LimitKey | undefined {
    if (entry.key !== undefined) return entry.key as LimitKey
    const { pending, hand } = this.#parts
    const header = pending.stash.header(entry)
    hand.holdOne(header)
    const value = pending.value(entry)
    hand.drop()
    idOf(header, 0)
    try {
      entry.key = this.#ask(value)
    } catch (error) {
      this.#faults.set(entry, { error })
    }
    return entry.key as LimitKey | undefined
  }

  /** It is the user's own code: it may kill, and hang. The record whose id is in `mixed` is in hand meanwhile, at the place behind those of open calls. */
  #ask(value: unknown): LimitKey {
    const { hand, stage } = this.#parts
    const place = stage.input!.maxInFlight
    hand.holdCall(place)
    try {
      return keyOf(stage.node, 'rateLimit.by', this.#by(value))
    } finally {
      hand.dropCall(place)
    }
  }
}
