/**
 * Records of the chunk in hand that wait for a lane, with the index of the input that each came of. Arrays are new for each
 * chunk: what lives long is slow to store young objects in.
 */
export class LaneQueue {
  values: ArrayLike<unknown> = []
  /** Absent where the origin of values[i] is i. */
  origins: number[] | undefined = []
  /** The next one to send, and how many there are. */
  next = 0
  count = 0
  /** Records before values[0] that this chunk already had here. */
  before = 0
  /** The origins count up by one: no record lies between two others of the same chunk. */
  isDense = true
  /** Records that an earlier life of this worker handed on already. */
  skip = 0

  add(value: unknown, origin: number): void {
    if (this.origins === undefined) this.#own()
    const at = this.count++
    if (at > 0 && origin !== this.origins![at - 1]! + 1) this.isDense = false
    ;(this.values as unknown[])[at] = value
    this.origins![at] = origin
  }

  /** Takes a whole array, whose origins are its indexes; false where something waits here already. */
  adopt(values: ArrayLike<unknown>, count: number): boolean {
    if (this.count > 0) return false
    this.values = values
    this.origins = undefined
    this.count = count
    return true
  }

  /** More comes to an array that was taken whole: from here on it is a copy, with the origins written out. */
  #own(): void {
    this.values = Array.from({ length: this.count }, (_, i) => this.values[i])
    this.origins = Array.from({ length: this.count }, (_, i) => i)
  }

  origin(index: number): number {
    return this.origins === undefined ? index : this.origins[index]!
  }

  get isEmpty(): boolean {
    return this.next === this.count
  }

  /** Forgets what was sent. */
  compact(): void {
    this.before += this.next
    this.next = 0
    this.count = 0
    this.values = []
    this.origins = []
  }

  reset(): void {
    if (this.count > 0) this.compact()
    this.before = 0
    this.isDense = true
    // A handler that made fewer records of the same input than at its first call: nothing of the next chunk goes for that.
    this.skip = 0
  }
}
