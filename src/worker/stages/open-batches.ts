import type { StashEntry } from '../../lane/stash.ts'
import type { Clock } from '../clock.ts'
import type { Triggers } from './trigger.ts'

interface OpenBatch {
  readonly entries: StashEntry[]
  readonly openedAt: number
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

  add(key: unknown, entry: StashEntry): void {
    let batch = this.#open.get(key)
    if (batch === undefined) {
      batch = { entries: [], openedAt: this.#clock.now }
      this.#open.set(key, batch)
    }
    batch.entries.push(entry)
    if (this.#triggers.isFull(batch.entries.length)) this.#close(key, batch)
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
