import type { TracedRecords } from '../event.ts'

/** Numbers of one block: a chunk lies in few of them, and a block holds few chunks, be they large or of one record. */
const BLOCK = 128

/** Finds what was noted of the chunk that holds a record: many chunks of a source share one base, so that alone finds too many. */
export class BaseIndex<T> {
  readonly #blocks = new Map<string, T[]>()

  add({ base, first, count }: TracedRecords, value: T): void {
    for (let block = blockOf(first); block <= blockOf(first + count - 1); block++) {
      const known = this.#blocks.get(`${base} ${block}`)
      if (known === undefined) this.#blocks.set(`${base} ${block}`, [value])
      else known.push(value)
    }
  }

  /** All that may hold the record with this number, in the order in which they were added. */
  around(base: string, number: number): readonly T[] {
    return this.#blocks.get(`${base} ${blockOf(number)}`) ?? []
  }
}

function blockOf(number: number): number {
  return Math.floor(number / BLOCK)
}
