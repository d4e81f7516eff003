import type { Memory } from './memory.ts'

/**
 * Beside the slots of a source whose records have heads: one head for each slot, of the one record in its chunk.
 *
 *     0   EXPIRES   a float: ms of the monotonic clock; 0 where the record does not expire
 *     8   LENGTH    bytes of META; 0 where it has none
 *     12  META      as JSON
 *
 * Invariants (test/lane/heads.test.ts, test/net):
 *   G1  a head is written before the hand-off that opens its slot, and by nobody else: until then no one reads there
 *   G2  whoever has something in hand that came of the slot reads what G1 wrote, for a slot is opened again only after it has
 *       ended (S3)
 */
export interface HeadsLayout {
  readonly offset: number
  /** Of each head; a multiple of 8. */
  readonly bytes: number
}

export const EXPIRES = 0
export const LENGTH = 8
export const META = 12

/** Bytes of one head. */
export function headBytes(metaBytes: number): number {
  return Math.ceil((META + metaBytes) / 8) * 8
}

/** What one slot's record carries. */
export interface RecordHead {
  /** In ms of the monotonic clock; 0: never. */
  readonly expiresAt: number
  /** As JSON; empty where it has none. */
  readonly meta: Uint8Array
}

export const NO_HEAD: RecordHead = Object.freeze({ expiresAt: 0, meta: new Uint8Array() })

export function writeHead(
  memory: Memory,
  { offset, bytes }: HeadsLayout,
  slot: number,
  { expiresAt, meta }: RecordHead,
): void {
  const at = offset + slot * bytes
  memory.floats[(at + EXPIRES) / 8] = expiresAt
  memory.words[(at + LENGTH) / 4] = meta.length
  memory.bytes.set(meta, at + META)
}
