/**
 * Stable 64-bit ids, as two signed words. The id of a record is `mix(base, index)`; the base of what comes of a granule is
 * `mix(base, salt)`, so a replay makes the same ids. A granule's own id is that of its first record.
 *
 * `mix` writes its result into `mixed`: two values without an allocation.
 */
export const mixed = { low: 0, high: 0 }
/** Mixes a number into an id. A bijection of (low, high) for each `n`: two rounds of multiply and shift on each word. */
export function mix(low, high, n) {
  let a = low ^ Math.imul(n, 0x9e3779b1)
  let b = high ^ n
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
  b = (b + a) | 0
  b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  a = (a ^ (b >>> 15) ^ (b << 7)) | 0
  a = Math.imul(a ^ (a >>> 15), 0x27d4eb2f)
  b = (b ^ (a >>> 14)) | 0
  b = Math.imul(b ^ (b >>> 16), 0x165667b1)
  a = (a + b) | 0
  mixed.low = a ^ (a >>> 13)
  mixed.high = b
}
/** An id as text: 16 hexadecimal digits. */
export function formatId(low, high) {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
}
