/** What the rings of one link take together before each of them is made smaller; less where memory is short. */
export const LINK_BYTES = 1 << 27
/** A ring is not made smaller than this: its frames still hold a hundred usual records. */
export const LEAST_RING_BYTES = 16_384
/** A small ring has a table of texts that is a part of it. */
const RING_PER_TEXTS = 4

/**
 * Bytes of each ring of a link. A worker writes to one lane at a time, so of very many lanes few are full at once: together
 * they get `linkBytes`.
 * @param usual bytes of a ring where there are few
 * @param least bytes that a ring must have
 */
export function sharedRingBytes(usual: number, least: number, lanes: number, linkBytes: number): number {
  if (lanes * usual <= linkBytes) return usual
  const share = powerOfTwo(linkBytes / lanes + 1) >> 1
  return Math.min(usual, Math.max(share, least, LEAST_RING_BYTES))
}

export function sharedTextBytes(usual: number, ringBytes: number): number {
  return Math.min(usual, ringBytes / RING_PER_TEXTS)
}

export function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast))
}
