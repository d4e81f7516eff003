import { HEAD, type LaneLayout, SHAPES, shapeOffset } from './lane.ts'

/** Where a table of texts lies: the word that counts its bytes, and the bytes. */
export interface TextsLayout {
  readonly usedWord: number
  readonly offset: number
  readonly bytes: number
  /** The ring whose frames name the texts: the word of its HEAD, and its bytes. Absent where the owner knows who reads. */
  readonly ring?: { readonly headWord: number; readonly bytes: number }
}

export function laneTexts(layout: LaneLayout): TextsLayout {
  const ring = { headWord: layout.offset / 4 + HEAD, bytes: layout.ringBytes }
  return { usedWord: layout.offset / 4 + SHAPES, offset: shapeOffset(layout), bytes: layout.shapeBytes, ring }
}

/** A number is that of a generation, and of the word where the text lies in its half, from 1. */
export const TEXT_NUMBERS = 1 << 12
export const GENERATIONS = 1 << 19
/** The largest table whose words have numbers. */
export const MAX_TEXT_BYTES: number = 8 * (TEXT_NUMBERS - 1)
