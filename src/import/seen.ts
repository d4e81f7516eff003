/** What tells of a file without reading it: with the same, an import would come to the same. */
import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { wallMs } from '../time.ts'

/** A part of it: another way to read files reads them anew. */
export const READING_VERSION = 2
/** So long after a write, another one may leave a file with the same time. Some file systems keep whole seconds. */
const FINE_MS = 100
const COARSE_MS = 2_500

/** What changes when a file is written to. */
export function fileStateOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino}`
}

/**
 * @param how all else that an import of the file depends on
 * @returns null where the file was written to just now: another write may not show
 */
export function seenOf(facts: BigIntStats, how: unknown): string | null {
  const latestNs = facts.mtimeNs > facts.ctimeNs ? facts.mtimeNs : facts.ctimeNs
  const isCoarse = latestNs % 1_000_000_000n === 0n
  if (wallMs() - Number(latestNs / 1_000_000n) < (isCoarse ? COARSE_MS : FINE_MS)) return null
  return createHash('sha256')
    .update(JSON.stringify([READING_VERSION, fileStateOf(facts), how]))
    .digest('hex')
    .slice(0, 32)
}
