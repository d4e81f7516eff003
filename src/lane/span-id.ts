import { formatId, mix, mixed } from './ids.ts'

/** One attempt at one chunk, by the id of its first record: whoever works on it and whoever reads of it later name one span. */
interface Attempt {
  readonly low: number
  readonly high: number
  readonly node: string
  readonly worker: number
  readonly epoch: number
  /** Failed ones before. */
  readonly attempt: number
}

/** The span of an attempt: 16 hexadecimal digits. */
export function spanIdOfAttempt({ low, high, node, worker, epoch, attempt }: Attempt): string {
  mix(low, high, hashOf(node))
  mix(mixed.low, mixed.high, worker)
  mix(mixed.low, mixed.high, (attempt & 0xffff) | (epoch << 16))
  const id = formatId(mixed.low, mixed.high)
  return id === '0000000000000000' ? '0000000000000001' : id
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}
