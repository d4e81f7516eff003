/** Attributes of one event, at most; characters of a name, and of a value that is a text. */
const MOST_ATTRIBUTES = 32
const MOST_NAME = 64
const MOST_TEXT = 512

/** A value that an attribute may have. */
export type AttributeValue = string | number | boolean

/** What handlers say of the traced chunk in hand: a few short values by name, the last one of each name. */
export class Notes {
  #values = new Map<string, AttributeValue>()

  /** @returns false where it was refused: it is no short name, no short text, finite number or boolean, or one too many */
  set(name: unknown, value: unknown): boolean {
    if (typeof name !== 'string' || name === '' || name.length > MOST_NAME) return false
    const isShort = typeof value === 'string' && value.length <= MOST_TEXT
    if (!isShort && typeof value !== 'boolean' && !(typeof value === 'number' && Number.isFinite(value))) return false
    if (!this.#values.has(name) && this.#values.size >= MOST_ATTRIBUTES) return false
    this.#values.set(name, value)
    return true
  }

  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  /** What was said since the last time. */
  take(): ReadonlyMap<string, AttributeValue> {
    const taken = this.#values
    // Not cleared: see `Settlement.stage`.
    this.#values = new Map()
    return taken
  }
}
