import type { Memory } from '../memory/memory.ts'

/**
 * A codec writes the records of one chunk as a block of bytes and reads them back. Its fixed costs are paid per chunk.
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
   * @throws RECORD_NOT_ENCODABLE or RECORD_TOO_DEEP where values[from] cannot be encoded, whatever it throws when it is read.
   *   A later one ends the block before it.
   */
  encode(memory: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number, limit: number): number
}

export interface Decoder {
  /** Decodes the `count` records between `at` and `end` into out[0], … */
  decode(memory: Memory, at: number, end: number, count: number, out: unknown[]): void
  /** The records at `at` where they lie, without a copy: as long as the block stands. Only of numbers that need no decoding. */
  inPlace?(memory: Memory, at: number, count: number): ArrayLike<unknown>
}

/**
 * The texts that the encoder of a lane teaches its decoder: a bounded table in shared memory, which survives both. A block
 * names texts by number; it holds only numbers that its encoder was given since the last `restart`.
 */
export interface ShapeTable {
  /** What the code that is compiled for the texts ends with: all tables of a pipeline have the same one. */
  readonly owner: object
  /** The longest text that it can hold. */
  readonly maxTextBytes: number
  /** The encoder's side: all texts since the last `restart`, oldest first. */
  texts(): readonly string[]
  /** The encoder's side: the number of a text, from 1; the text is added where the table has room, and 0 where it has none. */
  numberOf(text: string): number
  /**
   * The encoder's side: forgets all texts, to make room for others. Numbers that blocks on their way name stay readable.
   * @returns false where it has to wait for the reader first
   */
  restart(): boolean
  /** The decoder's side: the text of a number in a block that is not released. */
  text(number: number): string
}
