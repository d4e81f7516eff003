/** The answer of one item of a `forEach`. */
export interface ItemAnswer {
  /** The `forEach`, with the names of the flows around it. */
  readonly forEach: string
  /** Index of the item, one for each `forEach` around it. */
  readonly path: readonly number[]
  readonly answer: unknown
}

/** The answers of the items of one request, in the order in which they came. */
export class CollectedItems {
  readonly #answers: ItemAnswer[] = []
  readonly #known = new Set<string>()

  /** What was told of this item before stands: a request that goes on after a pause may tell it again. */
  add(forEach: string, path: string, answer: unknown): void {
    const key = forEach + path
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.#answers.push({ forEach, path: path.split('/').slice(1).map(Number), answer })
  }

  /** @param from so many have been seen */
  since(from: number): readonly ItemAnswer[] {
    return this.#answers.slice(from)
  }
}
