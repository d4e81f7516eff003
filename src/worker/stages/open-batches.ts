import type { StashEntry } from '../../lane/stash.ts'
import type { Clock } from '../clock.ts'
import type { Triggers } from './trigger.ts'

interface OpenBatch {
  readonly entries: StashEntry[]
  readonly openedAt: number
  /** Records that it has in all, where one of them has said so. */
  of: number | undefined
}

/** Batches that are being gathered, one for each key. Their records lie in the stash: a successor gathers them again. */
export class OpenBatches {
  readonly #triggers: Triggers
  readonly #clock: Clock
  readonly #onClosed: (entries: StashEntry[], key: unknown) => void
  readonly #open = new Map<unknown, OpenBatch>()

  /** @param onClosed is given the records of each batch that a trigger closes */
  constructor(triggers: Triggers, clock: Clock, onClosed: (entries: StashEntry[], key: unknown) => void) {
    this.#triggers = triggers
    this.#clock = clock
    this.#onClosed = onClosed
  }

  /** @param of how many records the batch has in all, where this one says so */
  add(key: unknown, entry: StashEntry, of?: number): void {
    let batch = this.#open.get(key)
    if (batch === undefined) {
      batch = { entries: [], openedAt: this.#clock.now, of }
      this.#open.set(key, batch)
    }
    batch.of = of ?? batch.of
    batch.entries.push(entry)
    const { length } = batch.entries
    if (this.#triggers.isFull(length) || (batch.of !== undefined && length >= batch.of)) this.#close(key, batch)
  }

  /** Closes those that have waited long enough. @param isIdle nothing more is there to take */
  closeDue(isIdle: boolean): void {
    if (this.#open.size === 0) return
    const isPressed = isIdle && this.#triggers.isPressed()
    for (const [key, batch] of this.#open) {
      if (isPressed || this.#clock.now >= this.#triggers.dueAt(batch.openedAt)) this.#close(key, batch)
    }
  }

  /** When the next one has waited long enough, in ms of the shared clock. */
  get nextDueAt(): number {
    let next = Infinity
    for (const { openedAt } of this.#open.values()) next = Math.min(next, this.#triggers.dueAt(openedAt))
    return next
  }

  #close(key: unknown, { entries }: OpenBatch): void {
    this.#open.delete(key)
    this.#onClosed(entries, key)
  }
}
