import { load, store } from '#atomics'
import * as layouts from '../memory/index.ts'
import { type LaneLayout, SIGNATURE } from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'

/**
 * Whoever lays a lane out signs it: one word of all that both ends must agree on. Each end makes the same word of what it knows
 * by itself, before its first look at the ring, so that no bytes are ever read as what they are not.
 * @param terms texts of what goes over the lane, and of whose code reads it
 */
export function sign({ words }: Memory, layout: LaneLayout, ...terms: string[]): void {
  store(words, layout.offset / 4 + SIGNATURE, signatureOf(layout, terms))
}

export function isSigned({ words }: Memory, layout: LaneLayout, ...terms: string[]): boolean {
  return load(words, layout.offset / 4 + SIGNATURE) === signatureOf(layout, terms)
}

/** Every number of every layout: where the code of this end looks for what the other end has stored. */
const FORMAT: number = Object.entries(layouts)
  .flatMap(([name, layout]) =>
    Object.entries(layout).map(([word, value]): [string, unknown] => [`${name}.${word}`, value]),
  )
  .filter(([, value]) => typeof value !== 'function')
  .reduce((hash, [word, value]) => hashed(hash, `${word} ${JSON.stringify(value)}`), 0x811c9dc5)

/** Never zero: no one has signed memory that is new. */
function signatureOf(
  { offset, shapeBytes, ringBytes, maxDemand, minDemand }: LaneLayout,
  terms: readonly string[],
): number {
  return hashed(FORMAT, [offset, shapeBytes, ringBytes, maxDemand, minDemand, ...terms].join()) || 1
}

/** FNV-1a, 32 bits, from where an earlier text left off. */
function hashed(start: number, text: string): number {
  let hash = start | 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
