import type { BatchTrigger } from '../../figures.ts'
import type { StashEntry } from '../../lane/stash.ts'
import { HANDED_OVER } from '../../memory/stash.ts'
import type { BatchPlan } from '../../plan/types.ts'
import type { Clock } from '../clock.ts'
import type { Triggers } from './trigger.ts'

/** A batch that is complete: what of it a handler may ask for, beside its records. */
export interface GatheredBatch {
  readonly entries: StashEntry[]
  readonly key: unknown
  readonly trigger: BatchTrigger
  /** How long it was open, in ms. */
  readonly openMs: number
  /** Of late records: those of their batch that were handed over without them. All of them end together. */
  readonly handedOver?: readonly StashEntry[]
}

/** A batch that is being gathered. It stands in a line of all open ones: who was added to longest ago comes first. */
class OpenBatch {
  entries: StashEntry[] = []
  /** Of a batch that was handed over before all of its records had come: those that had. */
  handedOver: readonly StashEntry[] = []
  readonly key: unknown
  readonly openedAt: number
  addedAt: number
  weight = 0
  /** Records that it has in all, where one of them has said so. */
  of: number | undefined
  before: OpenBatch | undefined
  behind: OpenBatch | undefined

  constructor(key: unknown, openedAt: number) {
    this.key = key
    this.openedAt = this.addedAt = openedAt
  }
}

/** Batches that are being gathered, one for each key. Their records lie in the stash: a successor gathers them again. */
export class OpenBatches {
  readonly #triggers: Triggers
  readonly #clock: Clock
  readonly #plan: BatchPlan
  readonly #onClosed: (batch: GatheredBatch) => void
  /** In the order in which they were opened. */
  readonly #open = new Map<unknown, OpenBatch>()
  #first: OpenBatch | undefined
  #last: OpenBatch | undefined

  /** @param onClosed is given each batch that a trigger closes */
  constructor(plan: BatchPlan, triggers: Triggers, clock: Clock, onClosed: (batch: GatheredBatch) => void) {
    this.#plan = plan
    this.#triggers = triggers
    this.#clock = clock
    this.#onClosed = onClosed
  }

  /** @param of how many records the batch has in all, where this one says so */
  add(key: unknown, entry: StashEntry, of?: number): void {
    const { maxOpen, maxWeight = Infinity } = this.#plan
    let batch = this.#open.get(key)
    if (batch !== undefined && batch.weight + entry.weight > maxWeight) {
      this.#close(batch, 'weight')
      batch = undefined
    }
    if (batch === undefined) {
      if (this.#open.size >= maxOpen) this.#close(this.#first!, 'evict')
      batch = new OpenBatch(key, this.#clock.now)
      this.#open.set(key, batch)
      this.#append(batch)
    } else if (batch !== this.#last) {
      this.#remove(batch)
      this.#append(batch)
    }
    batch.addedAt = this.#clock.now
    batch.of = of ?? batch.of
    if (entry.group === HANDED_OVER) batch.handedOver = [...batch.handedOver, entry]
    else batch.entries.push(entry)
    batch.weight += entry.weight
    this.#closeFull(batch)
  }

  /** A batch of this key is handed over already, and its late records are still to come. */
  addHandedOver(key: unknown, entries: readonly StashEntry[], of: number | undefined): void {
    const batch = new OpenBatch(key, this.#clock.now)
    batch.of = of
    batch.handedOver = entries
    this.#open.set(key, batch)
    this.#append(batch)
  }

  #closeFull(batch: OpenBatch): void {
    const { entries, handedOver, of, weight } = batch
    if (of !== undefined && entries.length + handedOver.length >= of) return this.#close(batch, 'whole')
    // Late records wait for the last one of them.
    if (handedOver.length > 0) return
    const trigger = this.#triggers.fullBy(entries.length, weight)
    if (trigger === undefined) return
    if (!this.#plan.whole) return this.#close(batch, trigger)
    batch.handedOver = entries
    batch.entries = []
    this.#onClosed({ key: batch.key, entries, trigger, openMs: this.#clock.now - batch.openedAt })
  }

  /** Closes those that have waited long enough. @param isIdle nothing more is there to take */
  closeDue(isIdle: boolean): void {
    if (this.#open.size === 0) return
    const pressedBy = isIdle ? this.#triggers.pressedBy() : undefined
    for (const batch of this.#open.values()) {
      const trigger = pressedBy ?? this.#dueBy(batch)
      // Those behind it were opened later.
      if (trigger === undefined) break
      this.#close(batch, trigger)
    }
    for (let batch = this.#first; batch !== undefined; batch = this.#first) {
      const trigger = this.#dueBy(batch)
      // Those behind it were added to later.
      if (trigger === undefined) break
      this.#close(batch, trigger)
    }
  }

  /** A flush closes those that hold records older than this. */
  closeBefore(order: number): void {
    if (this.#plan.whole) return
    for (const batch of this.#open.values())
      if (((batch.entries[0]!.order - order) | 0) < 0) this.#close(batch, 'flush')
  }

  /** When the next one has waited long enough, in ms of the shared clock. */
  get nextDueAt(): number {
    if (this.#first === undefined) return Infinity
    const [oldest] = this.#open.values()
    return Math.min(this.#dueAt(oldest!), this.#dueAt(this.#first))
  }

  #dueAt({ openedAt, addedAt }: OpenBatch): number {
    return this.#triggers.dueAt(openedAt, addedAt)
  }

  #dueBy({ openedAt, addedAt }: OpenBatch): BatchTrigger | undefined {
    return this.#triggers.dueBy(this.#clock.now, openedAt, addedAt)
  }

  #close(batch: OpenBatch, trigger: BatchTrigger): void {
    const { key, entries, handedOver, openedAt } = batch
    this.#open.delete(key)
    this.#remove(batch)
    const late = handedOver.length === 0 ? {} : { handedOver }
    this.#onClosed({ key, entries, trigger, openMs: this.#clock.now - openedAt, ...late })
  }

  #append(batch: OpenBatch): void {
    batch.before = this.#last
    batch.behind = undefined
    if (this.#last === undefined) this.#first = batch
    else this.#last.behind = batch
    this.#last = batch
  }

  #remove({ before, behind }: OpenBatch): void {
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
  }
}
