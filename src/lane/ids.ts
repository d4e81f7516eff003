/**
 * Stable 64-bit ids, as two signed words. The id of a record is `mix(base, index)`; the base of what comes of a chunk is
 * `mix(base, salt)`, so a replay makes the same ids. A chunk's own id is that of its first record.
 *
 * `mix` writes its result into `mixed`: two values without an allocation.
 */
export const mixed: { low: number; high: number } = { low: 0, high: 0 }

/** Mixes a number into an id. A bijection of (low, high) for each `n`: two rounds of multiply and shift on each word. */
export function mix(low: number, high: number, n: number): void {
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
export function formatId(low: number, high: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
}

/**
 * Undoes `mix` as far as that goes without the number `n`: `mixed` is then `low ^ imul(n, 0x9e3779b1)` and `high ^ n` of what
 * was mixed. So whoever knows the base of an id has its index.
 */
export function unmix(low: number, high: number): void {
  let a = (low ^ (low >>> 13) ^ (low >>> 26)) - high
  let b = Math.imul(high, 0xae398151)
  b = b ^ (b >>> 16) ^ (a >>> 14)
  a = Math.imul(a, 0xa0fe3bcf)
  a = a ^ (a >>> 15) ^ (a >>> 30) ^ (b >>> 15) ^ (b << 7)
  b = Math.imul(b, 0x7ed1b41d)
  b = (b ^ (b >>> 13) ^ (b >>> 26)) - a
  a = Math.imul(a, 0xa5cb9243)
  mixed.low = a ^ (a >>> 16)
  mixed.high = b | 0
}
