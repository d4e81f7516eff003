import { MAX_STAGED_COLUMNS } from './records.ts'

/** What is remembered of all columns together. */
const MAX_VALUES = 2_000_000

/** Columns of which no two rows have the same value, and none has none. */
export class KeyCandidates {
  readonly #values: (Set<string> | undefined)[]
  #count = 0

  constructor(width: number) {
    this.#values = Array.from({ length: width }, () => (width > MAX_STAGED_COLUMNS ? undefined : new Set()))
  }

  /** Those of all files together. */
  static of(files: readonly KeyCandidates[]): Pick<KeyCandidates, 'has'> {
    const [first, ...others] = files
    for (const other of others) {
      for (const [i, values] of other.#values.entries()) {
        if (values === undefined) first!.#values[i] = undefined
        else for (const value of values) first!.#add(i, value)
      }
    }
    return first!
  }

  has(column: number): boolean {
    const values = this.#values[column]
    return values !== undefined && values.size > 1
  }

  /** Rows as COPY takes them. */
  see(copy: Uint8Array): void {
    if (this.#values.every((each) => each === undefined)) return
    const text = Buffer.from(copy.buffer, copy.byteOffset, copy.length).toString('latin1')
    for (let from = 0, to = text.indexOf('\n'); to !== -1; from = to + 1, to = text.indexOf('\n', from)) {
      const cells = text.slice(from, to).split('\t')
      for (let i = 0; i < this.#values.length; i++) this.#add(i, cells[i + 1]!)
    }
  }

  #add(column: number, value: string): void {
    const values = this.#values[column]
    if (values === undefined) return
    if (value === '\\N' || value === '' || values.has(value) || ++this.#count > MAX_VALUES)
      this.#values[column] = undefined
    else values.add(value)
  }
}
