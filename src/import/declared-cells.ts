import { typesOf } from './cell-types.ts'
import { type DeclaredColumn, acceptedBits } from './column-types.ts'
import type { Letter } from './records.ts'

/** What is declared of the columns of a file: cells that are none of their type make a row a dead letter. */
export class DeclaredCells {
  readonly #bits: readonly number[]
  readonly #nulls: readonly (ReadonlySet<string> | undefined)[]
  readonly #types: readonly string[]

  /** @returns undefined where nothing is declared */
  static of(declared: readonly (DeclaredColumn | null)[]): DeclaredCells | undefined {
    return declared.some((each) => each !== null) ? new DeclaredCells(declared) : undefined
  }

  private constructor(declared: readonly (DeclaredColumn | null)[]) {
    this.#bits = declared.map((each) => (each === null ? 0 : acceptedBits(each)))
    this.#nulls = declared.map((each) => (each?.nulls === undefined ? undefined : new Set(each.nulls)))
    this.#types = declared.map((each) => each?.type ?? '')
  }

  isMissing(column: number, bytes: Buffer, from: number, to: number): boolean {
    return this.#nulls[column]?.has(bytes.toString('utf8', from, to)) === true
  }

  refusal(
    titles: readonly string[],
    bytes: Buffer,
    cells: Int32Array,
  ): Pick<Letter, 'reason' | 'column' | 'value'> | undefined {
    for (const [i, bits] of this.#bits.entries()) {
      const [from, to] = [cells[2 * i]!, cells[2 * i + 1]!]
      if (bits === 0 || from === -1 || from === to || (typesOf(bytes, from, to) & bits) !== 0) continue
      if (this.isMissing(i, bytes, from, to)) continue
      const value = bytes.toString('utf8', from, to)
      const shown = JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
      return { column: titles[i]!, value, reason: `${titles[i]}: ${shown} is no ${this.#types[i]}` }
    }
    return undefined
  }
}
