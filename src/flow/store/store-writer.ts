import { clearTimeout, setTimeout } from '../../time.ts'

/** Between two tries of a store that is away. */
const AGAIN_MS = 250

/**
 * Saves changes in their order, those that come together in one go. A store that is away is tried again until it is back; what
 * waits for it is kept.
 */
export class StoreWriter<Change> {
  readonly #apply: (changes: readonly Change[]) => Promise<void>
  #waiting: Change[] = []
  #saving: Promise<void> | undefined
  #failure: unknown
  #timer: NodeJS.Timeout | undefined
  #wake: (() => void) | undefined
  #isClosed = false

  /** @param apply saves all of them, or none */
  constructor(apply: (changes: readonly Change[]) => Promise<void>) {
    this.#apply = apply
  }

  /** Why the last try failed; undefined while all goes well. */
  get failure(): unknown {
    return this.#failure
  }

  /** @returns a promise that resolves once it is saved */
  add(...changes: readonly Change[]): Promise<void> {
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
        await this.#apply(changes)
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
