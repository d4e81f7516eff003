/** What was seen of a file's columns, from all of its cells. Plain data: pieces of a file are added up. */
import { ANY_TYPE, nullWordOf, typesOf } from './cell-types.ts'

export interface Evidence {
  /** Bits of the types that take every cell, words for missing values left out. */
  readonly types: number[]
  /** Bits of the words that may stand for missing values. */
  readonly words: number[]
  /** Bytes of the longest cell. */
  readonly longest: number[]
  /** Quoted cells without a character: empty texts, and no missing values. */
  readonly empties: number[]
  /** Lines that took the last type away, and what they hold. */
  readonly breakers: (Breaker | null)[]
}

export interface Breaker {
  readonly line: number
  readonly text: string
}

const SHOWN_BYTES = 40

export function emptyEvidence(width: number): Evidence {
  const zeros = (): number[] => new Array<number>(width).fill(0)
  const types = zeros().fill(ANY_TYPE)
  return { types, words: zeros(), longest: zeros(), empties: zeros(), breakers: new Array(width).fill(null) }
}

/** Adds one cell, of at least one byte. */
export function addCell(
  evidence: Evidence,
  column: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  line: number,
): void {
  if (to - from > evidence.longest[column]!) evidence.longest[column] = to - from
  const before = evidence.types[column]!
  if (before === 0) return
  const types = typesOf(bytes, from, to)
  if (types === 0) {
    const word = nullWordOf(bytes, from, to)
    if (word !== 0) {
      evidence.words[column]! |= word
      return
    }
  }
  const after = before & types
  if (after === before) return
  evidence.types[column] = after
  evidence.breakers[column] = { line, text: shown(bytes, from, to) }
}

export function addEvidence(sum: Evidence, more: Evidence): void {
  for (let column = 0; column < sum.types.length; column++) {
    const before = sum.types[column]!
    const after = before & more.types[column]!
    if (after !== before) sum.breakers[column] = more.breakers[column]!
    sum.types[column] = after
    sum.words[column]! |= more.words[column]!
    sum.empties[column]! += more.empties[column]!
    sum.longest[column] = Math.max(sum.longest[column]!, more.longest[column]!)
  }
}

function shown(bytes: Uint8Array, from: number, to: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(to - from, SHOWN_BYTES)).toString()
  return to - from > SHOWN_BYTES ? `${text}…` : text
}
