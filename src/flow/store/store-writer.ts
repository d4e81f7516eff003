import { clearTimeout, setTimeout } from '../../time.ts'
import type { FlowStore, StoreChange } from './store.ts'

/** Between two tries of a store that is away. */
const AGAIN_MS = 250

/**
 * Saves changes in their order, those that come together in one go. A store that is away is tried again until it is back; what
 * waits for it is kept.
 */
export class StoreWriter {
  readonly #store: FlowStore
  #waiting: StoreChange[] = []
  #saving: Promise<void> | undefined
  #failure: unknown
  #timer: NodeJS.Timeout | undefined
  #wake: (() => void) | undefined
  #isClosed = false

  constructor(store: FlowStore) {
    this.#store = store
  }

  /** Why the last try failed; undefined while all goes well. */
  get failure(): unknown {
    return this.#failure
  }

  /** @returns a promise that resolves once it is saved */
  add(...changes: readonly StoreChange[]): Promise<void> {
    this.#waiting.push(...changes)
    return (this.#saving ??= this.#save())
  }

  /** Saves what waits; a store that is away is not waited for any longer. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#wake?.()
    await this.#saving
  }

  async #save(): Promise<void> {
    // Whatever else is said in this turn of the event loop goes with it.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const changes = this.#waiting
      this.#waiting = []
      try {
        await this.#store.save(changes)
        this.#failure = undefined
      } catch (error) {
        this.#failure = error
        this.#waiting = [...changes, ...this.#waiting]
        if (this.#isClosed) break
        await this.#pause()
      }
    }
    this.#saving = undefined
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#timer = setTimeout(resolve, AGAIN_MS)
    })
  }
}
