/** The last records that were given up: a bounded list in memory. The oldest make room for new ones. */
export class DeadLetters {
  /** All that were ever told, kept or not. */
  total = 0
  #kept = new Map()
  #most
  constructor(most) {
    this.#most = most
  }
  add(letter) {
    const { suppressed = 0, ...kept } = letter
    this.total += 1 + suppressed
    if (this.#most === 0) return
    const id = this.total
    this.#kept.set(id, { ...kept, id, at: Date.now() })
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value)
  }
  /** Those that are kept, newest first. */
  list({ node, limit = Infinity, before = Infinity } = {}) {
    const found = [...this.#kept.values()].filter(
      (letter) => letter.id < before && (node === undefined || letter.node === node),
    )
    return found.toReversed().slice(0, limit)
  }
  get(id) {
    return this.#kept.get(id)
  }
  /** Forgets one, or all. @returns how many */
  purge(id) {
    if (id !== undefined) return this.#kept.delete(id) ? 1 : 0
    const { size } = this.#kept
    this.#kept.clear()
    return size
  }
}
