/** What the rings of one link take together before each of them is made smaller. */
const LINK_BYTES = 1 << 27
/** A ring is not made smaller than this: its frames still hold a hundred usual records. */
const LEAST_RING_BYTES = 16_384
/** A small ring has a table of texts that is a part of it. */
const RING_PER_TEXTS = 4

/**
 * Bytes of each ring of a link. A worker writes to one lane at a time, so of very many lanes few are full at once: together
 * they get as much as 512 lanes of the usual size.
 * @param usual bytes of a ring where there are few
 * @param least bytes that a ring must have
 */
export function sharedRingBytes(usual: number, least: number, lanes: number): number {
  if (lanes * usual <= LINK_BYTES) return usual
  const share = powerOfTwo(LINK_BYTES / lanes + 1) >> 1
  return Math.min(usual, Math.max(share, least, LEAST_RING_BYTES))
}

export function sharedTextBytes(usual: number, ringBytes: number): number {
  return Math.min(usual, ringBytes / RING_PER_TEXTS)
}

export function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast))
}
