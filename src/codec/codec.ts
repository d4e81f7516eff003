import type { Memory } from '../lane/memory.ts'

/**
 * A codec writes the records of one granule as a block of bytes and reads them back. Its fixed costs are paid per granule.
 * What arrives equals what was sent, as `structuredClone` defines it (`struct` and `bytes`: for the values they take);
 * a value that cannot arrive so is refused.
 */
export interface Codec {
  encoder(table: ShapeTable): Encoder
  decoder(table: ShapeTable): Decoder
}

export interface Encoder {
  /** Offset after the last record of the last `encode`. */
  end: number
  /**
   * Encodes values[from], … up to values[to - 1] at byte offset `at` (a multiple of 8), as many as fit before `limit`.
   * @returns how many; 0 where the first one does not fit
   * @throws RECORD_NOT_ENCODABLE where values[from] cannot be encoded. A later one ends the block before it.
   */
  encode(memory: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number, limit: number): number
}

export interface Decoder {
  /** Decodes the `count` records between `at` and `end` into out[0], … */
  decode(memory: Memory, at: number, end: number, count: number, out: unknown[]): void
  /** The records at `at` where they lie, without a copy: as long as the block stands. Only of numbers that need no decoding. */
  inPlace?(memory: Memory, at: number, count: number): ArrayLike<unknown>
}

/** The texts that the encoder of a lane taught its decoder: a bounded table in shared memory, which survives both. */
export interface ShapeTable {
  /** Adds a text; returns its number, from 1, or 0 where the table is full. The encoder's side only. */
  add(text: string): number
  /** All texts so far, number 1 first. */
  texts(): readonly string[]
}
