/** Objects that are looked through one by one before a set of them is made: most values have no more. */
const FEW = 8

/** Tells whether an object was met before, so that one that is referred to twice is written once. */
export class Identities {
  readonly #few: (object | undefined)[] = new Array<object | undefined>(FEW)
  #count = 0
  #many: Set<object> | undefined

  /** Forgets all objects, and keeps none of them alive. */
  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#few[i] = undefined
    this.#count = 0
    this.#many = undefined
  }

  /** @returns false where the object was added before */
  add(object: object): boolean {
    if (this.#many !== undefined) {
      const before = this.#many.size
      return this.#many.add(object).size > before
    }
    for (let i = 0; i < this.#count; i++) if (this.#few[i] === object) return false
    if (this.#count < FEW) this.#few[this.#count++] = object
    else this.#many = new Set(this.#few as object[]).add(object)
    return true
  }
}
