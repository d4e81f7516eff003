import type { StashEntry } from '../../lane/stash.ts'

/** When an entry's call may start, and when what came of it may be sent. */
export interface Order {
  /** An entry has come; true where it may start at once. */
  enter(entry: StashEntry, value: unknown): boolean
  maySend(entry: StashEntry): boolean
  /** An entry is done, whether it had entered or not; returns the one that may start now because of it. */
  leave(entry: StashEntry): StashEntry | undefined
}

/** No order: entries start as they come and are sent as they end. */
export const noOrder: Order = { enter: () => true, maySend: () => true, leave: () => undefined }

/** The order of the input: calls overlap, what comes of them does not. */
export class InputOrder implements Order {
  readonly #line: StashEntry[] = []

  enter(entry: StashEntry): boolean {
    this.#line.push(entry)
    return true
  }

  maySend(entry: StashEntry): boolean {
    return this.#line[0] === entry
  }

  leave(entry: StashEntry): undefined {
    if (this.#line[0] === entry) this.#line.shift()
    return undefined
  }
}

/** The order of each key: one call at a time for each, while other keys go on. */
export class KeyOrder implements Order {
  readonly #keyOf: (value: unknown, entry: StashEntry) => unknown
  readonly #keys = new Map<StashEntry, unknown>()
  readonly #lines = new Map<unknown, StashEntry[]>()

  constructor(keyOf: (value: unknown, entry: StashEntry) => unknown) {
    this.#keyOf = keyOf
  }

  enter(entry: StashEntry, value: unknown): boolean {
    const key = this.#keyOf(value, entry)
    this.#keys.set(entry, key)
    const line = this.#lines.get(key)
    if (line === undefined) this.#lines.set(key, [entry])
    else line.push(entry)
    return line === undefined
  }

  maySend(): boolean {
    return true
  }

  leave(entry: StashEntry): StashEntry | undefined {
    if (!this.#keys.has(entry)) return undefined
    const key = this.#keys.get(entry)
    this.#keys.delete(entry)
    const line = this.#lines.get(key)!
    line.shift()
    if (line.length === 0) this.#lines.delete(key)
    return line[0]
  }
}
