import { IN } from '../telemetry/counters.ts'
import type { StashEntry } from '../lane/stash.ts'
import { type Batch, type Member, batchHeader, batchId } from './batch-work.ts'
import { headerOf } from './granule.ts'
import type { LaneGranule } from './inlet.ts'
import { measureGranule } from './parts.ts'
import type { Parts } from './stage.ts'

/** A batch whose records lie in the stash; or, where they are too large for it, on their lane. */
export interface GroupBatch extends Batch {
  readonly group: Group
}

interface Group {
  readonly number: number
  readonly entries: StashEntry[]
  readonly direct?: LaneGranule
  /** Of a direct one that failed: those of others lie in the stash. */
  readonly attempt?: number
  readonly since?: number
  /** Why the handler is not to be called: the record has no key. */
  readonly fault?: unknown
  dueAt: number
}

/** Batches in the stash: complete ones, and those that failed and wait for another attempt. */
export class Groups {
  readonly #parts: Parts
  /** By the time when they are due; those of one time in the order in which they came. */
  readonly #waiting: Group[] = []
  #lastNumber = 0

  constructor(parts: Parts) {
    this.#parts = parts
    parts.desk.recover()
    this.#collect()
  }

  /** The next batch that is due. */
  next(): GroupBatch | undefined {
    this.#collect()
    const { isResuming } = this.#parts.hand
    const { now } = this.#parts.clock
    const at = isResuming
      ? this.#waiting.findIndex((group) => this.#isHalfSent(group))
      : this.#waiting.length > 0 && this.#waiting[0]!.dueAt <= now
        ? 0
        : -1
    return at < 0 ? undefined : this.#batch(this.#waiting.splice(at, 1)[0]!)
  }

  /** A batch that is not to be started yet: it is the next one still. */
  putBack({ group }: GroupBatch): void {
    this.#waiting.unshift(group)
  }

  /** Batches that wait, due or not. */
  get waiting(): number {
    return this.#waiting.length
  }

  get hasDue(): boolean {
    return this.nextDueAt <= this.#parts.clock.now
  }

  /** When the next one is due, in ms of the monotonic clock. */
  get nextDueAt(): number {
    return Math.min(this.#waiting[0]?.dueAt ?? Infinity, this.#parts.desk.nextDueAt)
  }

  /**
   * Records of the stash that belong to no batch: those that an earlier life was gathering. One that failed by itself waits for
   * a time, and is a batch of its own.
   */
  takeUngrouped(): StashEntry[] {
    const single = this.#waiting.filter(({ number, dueAt }) => number === 0 && dueAt === 0)
    for (const group of single) this.#waiting.splice(this.#waiting.indexOf(group), 1)
    return single.flatMap(({ entries }) => entries)
  }

  /** A batch is complete. */
  add(entries: StashEntry[]): void {
    this.#insert({ number: this.#group(entries), entries, dueAt: 0 })
  }

  /** A record that belongs to no batch: it is given up. */
  addFailed(entry: StashEntry, fault: unknown): void {
    this.#insert({ number: this.#group([entry]), entries: [entry], dueAt: 0, fault })
  }

  /** The records of a granule that is too large for the stash: a batch where they are. */
  addDirect(direct: LaneGranule): void {
    this.#insert({ number: 0, entries: [], direct, dueAt: 0 })
  }

  /**
   * Keeps a failed batch for another attempt, a direct one where it is if need be; false where there is no room for all of its
   * records, and it is no batch of this kind.
   */
  keep(batch: Batch, { dueAt, attempt, since }: { dueAt: number; attempt: number; since: number }): boolean {
    const { desk, journal, settlement } = this.#parts
    const known = 'group' in batch ? (batch as GroupBatch).group : undefined
    if (known !== undefined && known.direct === undefined) {
      for (const entry of known.entries) desk.stash.postpone(entry, attempt, dueAt, since, journal)
      this.#insert({ ...known, dueAt })
      return true
    }
    const headers = batch.members().map(({ header, index }) => headerOf(header, index, attempt))
    const entries = desk.putAll(headers, batch.again(), dueAt, since)
    if (entries === undefined) {
      if (known !== undefined) this.#insert({ ...known, dueAt, attempt, since })
      return known !== undefined
    }
    for (const header of headers) settlement.toggle(header)
    this.#insert({ number: this.#group(entries), entries, dueAt })
    return true
  }

  /** Whether a batch waits for another attempt on its lane: nothing of it is done. */
  isInPlace({ group: { direct } }: GroupBatch): boolean {
    return direct !== undefined && this.#waiting.some((waiting) => waiting.direct === direct)
  }

  /** The batch is done, or kept for another attempt. */
  close(batch: GroupBatch, isKept: boolean): void {
    const { group, granules } = batch
    const { desk, settlement, inlet, outlet } = this.#parts
    const { direct, entries } = group
    if (this.isInPlace(batch)) return
    if (direct !== undefined) {
      outlet.root.count(IN, direct.count - direct.from)
      settlement.toggle(direct)
      inlet.release(direct)
      measureGranule(this.#parts, direct)
    } else if (!isKept) {
      for (const header of granules) settlement.toggle(header)
      for (const entry of entries) desk.finish(entry)
    }
  }

  /** From here on each record of the batch is a batch of its own. */
  split({ group }: GroupBatch): void {
    for (const entry of group.entries) this.#insert({ number: this.#group([entry]), entries: [entry], dueAt: 0 })
  }

  #batch(group: Group): GroupBatch {
    const { desk, hand, inlet } = this.#parts
    const { direct, entries } = group
    const granules = direct === undefined ? entries.map((entry) => desk.stash.header(entry)) : [direct]
    const firstIndex = direct?.from ?? 0
    const members = (): Member[] =>
      direct === undefined
        ? granules.map((header) => ({ header, index: 0 }))
        : Array.from({ length: direct.count - direct.from }, (_, i) => ({ header: direct, index: direct.from + i }))
    const again = (): unknown[] =>
      direct === undefined ? entries.map((entry) => desk.value(entry)) : inlet.again(direct).slice(direct.from)
    const { attempt = 0, since = 0 } = entries[0] ?? group
    const header = batchHeader(granules, firstIndex, attempt)
    const batch = { header, values: again(), granules, firstIndex, members, attempt, since, again, group }
    batchId(batch)
    return { ...batch, attempt: attempt + hand.deathsOfMixed() }
  }

  /** An earlier life left what came of this batch half sent: it comes first. */
  #isHalfSent({ entries, direct }: Group): boolean {
    const { desk, hand } = this.#parts
    const granules = direct === undefined ? entries.map((entry) => desk.stash.header(entry)) : [direct]
    return hand.resumes(batchHeader(granules, direct?.from ?? 0, 0))
  }

  /** Takes what waits on the desk: what an earlier life left, and records that a handler failed one by one. */
  #collect(): void {
    const { desk } = this.#parts
    if (desk.waiting === 0) return
    for (const entry of desk.takeAll()) {
      const known = entry.group === 0 ? undefined : this.#waiting.find(({ number }) => number === entry.group)
      if (known !== undefined) known.entries.push(entry)
      else this.#insert({ number: entry.group, entries: [entry], dueAt: entry.dueAt })
      if (((entry.group - this.#lastNumber) | 0) > 0) this.#lastNumber = entry.group
    }
  }

  #insert(group: Group): void {
    let at = this.#waiting.length
    while (at > 0 && this.#waiting[at - 1]!.dueAt > group.dueAt) at--
    this.#waiting.splice(at, 0, group)
  }

  /** Makes the entries a group: from the next hand-off on, a successor finds them together. */
  #group(entries: readonly StashEntry[]): number {
    const { desk, journal } = this.#parts
    this.#lastNumber = (this.#lastNumber + 1) & 0x7fffffff || 1
    for (const entry of entries) desk.stash.setGroup(entry, this.#lastNumber, journal)
    return this.#lastNumber
  }
}
