import type { StashEntry } from '../../lane/stash.ts'
import type { BatchTrigger } from '../../figures.ts'
import { TRIGGER, TRIGGER_NAMES } from '../../memory/counters.ts'
import { HANDED_OVER } from '../../memory/stash.ts'
import { BatchView } from '../call/batch-view.ts'
import { type Batch, type Kept, batchHeader, batchId } from './batch-work.ts'
import type { GatheredBatch } from './open-batches.ts'
import { type Member, headerOf } from '../chunk.ts'
import type { LaneChunk } from '../in/inlet.ts'
import type { BatchFacts } from '../../plan/definition.ts'
import type { Parts } from '../stage.ts'
import type { Unit } from '../unit.ts'

/** A batch whose records lie in the stash; or one record, too large for it, on its lane. */
export interface GroupBatch extends Batch {
  readonly group: Group
}

/** Records that are, or will be, handed over together. */
export interface Group {
  /**
   * What a successor finds them together by, and in its lower bits what completed the batch; 0 until the next hand-off but one, and
   * where they need not be found.
   */
  number: number
  readonly trigger: BatchTrigger
  readonly openMs?: number
  /** Of a direct one: its key and its weight; those of others stand with their entries. */
  readonly measured?: KeyAndWeight
  readonly entries: StashEntry[]
  /** Of late records, for which the handler is not called: those of their batch for which it was. */
  readonly handedOver?: readonly StashEntry[] | undefined
  /** The record at `from` of a chunk that is too large for the stash. */
  readonly direct?: LaneChunk
  /** Of a direct one that failed: those of others lie in the stash. */
  readonly attempt?: number
  readonly since?: number
  /** Why the handler is not to be called: the record has no key, or kills who reads it. */
  readonly fault?: unknown
  /** Not to be called before this time of the shared clock, in ms. */
  dueAt: number
}

/** Key and weight of a record in a batch, where these are asked for. */
export type KeyAndWeight = Pick<StashEntry, 'key' | 'weight'>

/** Batches in the stash: complete ones, and those that failed and wait for another attempt. */
export class Groups {
  readonly #parts: Parts
  readonly #unit: Unit
  /** By the time when they are due; those of one time in the order in which they came. */
  readonly #waiting: Group[] = []
  #lastNumber = 0

  constructor(parts: Parts, unit: Unit) {
    this.#parts = parts
    this.#unit = unit
    parts.pending.recover()
    this.#collect()
  }

  /** Takes the next batch that is due, and may start. */
  next(mayStart: (group: Group) => boolean = always): GroupBatch | undefined {
    this.#collect()
    const { isResuming } = this.#parts.hand
    const at = isResuming
      ? this.#waiting.findIndex((group) => this.#isHalfSent(group))
      : this.#waiting.findIndex((group) => this.#isDue(group) && mayStart(group))
    return at < 0 ? undefined : this.#batch(this.#waiting.splice(at, 1)[0]!)
  }

  /** Whether `next` would give one. */
  hasNext(mayStart: (group: Group) => boolean): boolean {
    this.#collect()
    return this.#waiting.some((group) => this.#isDue(group) && mayStart(group))
  }

  /**
   * Makes the batches that start next known to a successor: from the next hand-off on, it finds them as they are. As many as the
   * journal has room for; the largest batch always fits an empty one.
   * @param most so many may start
   * @returns whether something is to be handed off before they start
   */
  name(most: number, mayStart: (group: Group) => boolean): boolean {
    this.#collect()
    const { journal, pending } = this.#parts
    let [due, hasNamed] = [0, false]
    for (const group of this.#waiting) {
      if (due === most || !this.#isDue(group)) break
      if (!mayStart(group)) continue
      due++
      if (group.number !== 0 || group.direct !== undefined || group.handedOver !== undefined) continue
      if (journal.room - group.entries.length < journal.capacity / 2) break
      group.number = this.#nextNumber(group.trigger)
      for (const entry of group.entries) pending.stash.setGroup(entry, group.number, journal)
      hasNamed = true
    }
    return hasNamed
  }

  /** A batch that is not to be started yet: it is the next one still. */
  putBack({ group }: GroupBatch): void {
    this.#waiting.unshift(group)
  }

  /** Batches that wait, due or not. */
  get waiting(): number {
    return this.#waiting.length + this.#parts.pending.waiting
  }

  /** When the next one is due, in ms of the shared clock. */
  get nextDueAt(): number {
    return Math.min(this.#waiting[0]?.dueAt ?? Infinity, this.#parts.pending.nextDueAt)
  }

  /**
   * What an earlier life left, each batch once, in the order of their first records. Records that it was gathering come one by
   * one; so does one that failed by itself and waits for a time, which is a batch of its own.
   */
  left(): readonly Group[] {
    return this.#waiting.toSorted((a, b) => orderOf(a, b))
  }

  /** Takes records that an earlier life was gathering out of those that wait. */
  takeUngrouped(): StashEntry[] {
    const single = this.#waiting.filter(({ number, dueAt }) => number === 0 && dueAt === 0)
    for (const group of single) this.#waiting.splice(this.#waiting.indexOf(group), 1)
    return single.flatMap(({ entries }) => entries)
  }

  /** A batch is complete. */
  add({ entries, trigger, openMs, handedOver }: GatheredBatch): Group {
    return this.#insert({ number: 0, entries, dueAt: 0, trigger, openMs, handedOver })
  }

  /** A record that is in no batch: why its handler is not to be called. */
  addFailed(entry: StashEntry, fault: unknown): Group {
    return this.#insert({ number: 0, entries: [entry], dueAt: 0, trigger: 'single', fault })
  }

  /** The record at `from` of a chunk, which is too large for the stash: a batch where it is. */
  addDirect(direct: LaneChunk, fault?: unknown, measured?: KeyAndWeight): void {
    const own = { ...(fault === undefined ? {} : { fault }), ...(measured && { measured }) }
    this.#insert({ number: 0, entries: [], direct, dueAt: 0, trigger: 'single', ...own })
  }

  /**
   * Keeps a failed batch for another attempt, a direct one where it is if need be; false where there is no room for all of its
   * records, and it is no batch of this kind.
   */
  keep(batch: Batch, { dueAt, attempt, since }: { dueAt: number; attempt: number; since: number }): boolean {
    const { pending, journal, settlement } = this.#parts
    const known = 'group' in batch ? (batch as GroupBatch).group : undefined
    if (known !== undefined && known.direct === undefined) {
      for (const entry of known.entries) pending.stash.postpone(entry, attempt, dueAt, since, journal)
      known.dueAt = dueAt
      this.#insert(known)
      return true
    }
    if (known !== undefined) {
      this.#insert({ ...known, dueAt, attempt, since })
      return true
    }
    const headers = batch.members().map(({ header, index }) => headerOf(header, index, attempt))
    const entries = pending.putAll(headers, batch.again(), dueAt, since)
    if (entries === undefined) return false
    for (const header of headers) settlement.toggle(header)
    const { trigger, openMs } = batch.facts
    const number = this.#nextNumber(trigger)
    for (const entry of entries) pending.stash.setGroup(entry, number, journal)
    this.#insert({ number, entries, dueAt, trigger, openMs })
    return true
  }

  /**
   * The batch is done, or waits for another attempt as a whole.
   * @param kept records of it that wait for another attempt by themselves
   * @returns the batches that these are now
   */
  close({ group, chunks }: GroupBatch, isKept: boolean, kept: readonly Kept[] = []): Group[] {
    const { pending, journal } = this.#parts
    if (isKept) return []
    if (group.direct !== undefined) {
      const { from } = group.direct
      group.direct.from++
      this.#unit.giveBack(group.direct, from, from + 1)
      return []
    }
    if (this.isEarly(group)) {
      for (const entry of group.entries) pending.stash.setGroup(entry, HANDED_OVER, journal)
      return []
    }
    for (const entry of group.handedOver ?? []) this.#unit.finish(entry, pending.stash.header(entry))
    const again = new Map(kept.map((each) => [each.entry, each]))
    const singles: Group[] = []
    group.entries.forEach((entry, i) => {
      const waiting = again.get(entry)
      if (waiting === undefined) {
        this.#unit.finish(entry, chunks[i]!)
        return
      }
      pending.stash.setGroup(entry, 0, journal)
      pending.stash.postpone(entry, waiting.attempt, waiting.dueAt, waiting.since, journal)
      singles.push(this.#insert({ number: 0, entries: [entry], dueAt: waiting.dueAt, trigger: 'single' }))
    })
    return singles
  }

  /** From here on each record of the batch is a batch of its own. */
  split({ group }: GroupBatch): Group[] {
    return group.entries.map((entry) => this.#insert({ number: 0, entries: [entry], dueAt: 0, trigger: 'single' }))
  }

  /** It was handed over before all of its records had come: they end here once the last one has. */
  isEarly({ trigger }: Pick<Group, 'trigger'>): boolean {
    return trigger === 'weight' && this.#parts.stage.input!.batch!.whole
  }

  #isDue({ dueAt }: Group): boolean {
    return dueAt <= this.#parts.clock.now
  }

  #batch(group: Group): GroupBatch {
    const { pending, hand, inlet, stage } = this.#parts
    const { direct, entries, fault } = group
    const chunks = direct === undefined ? entries.map((entry) => pending.stash.header(entry)) : [direct]
    const firstIndex = direct?.from ?? 0
    const members = (): Member[] => chunks.map((header) => ({ header, index: firstIndex }))
    const { attempt = 0, since = 0 } = entries[0] ?? group
    const header = batchHeader(chunks, firstIndex, attempt)
    const values = new Array<unknown>(chunks.length)
    batchId({ chunks, firstIndex, values })
    const deaths = hand.deathsOfMixed()
    // One that has killed once more, while it was read to be given up, is not read again.
    const isUnreadable = (direct?.unreadDeaths ?? 0) > 0 || deaths > stage.input!.maxCrashes
    const read = (entry: StashEntry): unknown => {
      hand.holdOne(pending.stash.header(entry))
      const value = pending.value(entry)
      hand.drop()
      return value
    }
    const again = (): unknown[] => {
      if (isUnreadable) return chunks.map(() => undefined)
      return direct === undefined ? entries.map(read) : [inlet.again(direct)[firstIndex]]
    }
    const facts = new BatchView(this.#facts(group), members, this.#parts.facts.heads)
    const own = { chunks, firstIndex, members, since, again, group, fault, header, facts }
    return { ...own, values: again(), attempt: attempt + deaths, ...(direct === undefined ? { entries } : {}) }
  }

  #facts({ entries, measured, trigger, openMs = 0 }: Group): Omit<BatchFacts, 'idAt' | 'metaAt'> {
    const { weighed } = this.#parts.stage.input!.batch!
    const sum = entries.reduce((sum, { weight }) => sum + weight, measured?.weight ?? 0)
    const key = (entries[0] ?? measured)?.key as string | number | undefined
    return { key, size: Math.max(1, entries.length), weight: weighed ? sum : undefined, trigger, openMs }
  }

  /** An earlier life left what came of this batch half sent: it comes first. */
  #isHalfSent({ entries, direct }: Group): boolean {
    const { pending, hand } = this.#parts
    const chunks = direct === undefined ? entries.map((entry) => pending.stash.header(entry)) : [direct]
    return hand.resumes(batchHeader(chunks, direct?.from ?? 0, 0))
  }

  /** Takes what waits among its pending records: what an earlier life left, and records that a handler failed one by one. */
  #collect(): void {
    const { pending } = this.#parts
    if (pending.waiting === 0) return
    for (const entry of pending.takeAll()) {
      if (entry.group === HANDED_OVER) {
        this.#insert({ number: 0, entries: [entry], dueAt: 0, trigger: 'single' })
        continue
      }
      const known = entry.group === 0 ? undefined : this.#waiting.find(({ number }) => number === entry.group)
      if (known !== undefined) known.entries.push(entry)
      else this.#insert({ number: entry.group, entries: [entry], dueAt: entry.dueAt, trigger: triggerOf(entry.group) })
      const number = entry.group >> TRIGGER_BITS
      if ((number - this.#lastNumber) << TRIGGER_BITS > 0) this.#lastNumber = number
    }
  }

  #insert(group: Group): Group {
    let at = this.#waiting.length
    while (at > 0 && this.#waiting[at - 1]!.dueAt > group.dueAt) at--
    this.#waiting.splice(at, 0, group)
    return group
  }

  #nextNumber(trigger: BatchTrigger): number {
    this.#lastNumber = (this.#lastNumber + 1) & (0x7fffffff >> TRIGGER_BITS) || 1
    return (this.#lastNumber << TRIGGER_BITS) | TRIGGER[trigger]
  }
}

/** Lower bits of a group's number, which say what completed the batch. */
const TRIGGER_BITS = 4

/** A record that waits by itself has no number. */
function triggerOf(number: number): BatchTrigger {
  return number === 0 ? 'single' : TRIGGER_NAMES[number & ((1 << TRIGGER_BITS) - 1)]!
}

/** By the order in which their first records came. */
export function orderOf(a: Group, b: Group): number {
  return ((a.entries[0]?.order ?? 0) - (b.entries[0]?.order ?? 0)) | 0
}

function always(): boolean {
  return true
}
