/** One that waits to be written, and what it is told then. */
interface Waiting<M> {
  readonly message: M
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * What is sent while the server writes goes with the next write: so many messages cost little more than one, and a single one does
 * not wait for others.
 */
export class WriteGroups<M> {
  readonly #most: number
  readonly #write: (messages: readonly M[]) => Promise<readonly (Error | undefined)[] | void>
  #waiting: Waiting<M>[] = []
  /** Writes that may be under way. */
  #free: number

  /**
   * @param most messages of one write
   * @param atOnce writes that overlap
   * @param write resolves with the errors of messages that failed alone, by index, or with nothing where none did
   */
  constructor(
    { most, atOnce = 1 }: { readonly most: number; readonly atOnce?: number },
    write: (messages: readonly M[]) => Promise<readonly (Error | undefined)[] | void>,
  ) {
    this.#most = most
    this.#free = atOnce
    this.#write = write
  }

  /** Resolves when it is written. */
  add(message: M): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject })
      // Those that are sent in this turn go together.
      if (this.#waiting.length === 1 && this.#free > 0) void Promise.resolve().then(() => this.#go())
    })
  }

  async #go(): Promise<void> {
    if (this.#free === 0) return
    this.#free--
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, this.#most)
      if (this.#waiting.length > 0) void this.#go()
      await this.#send(group)
    }
    this.#free++
  }

  async #send(group: readonly Waiting<M>[]): Promise<void> {
    try {
      const errors = await this.#write(group.map(({ message }) => message))
      for (const [i, { resolve, reject }] of group.entries()) {
        const error = errors?.[i]
        if (error === undefined) resolve()
        else reject(error)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
