import { MillraceError } from '../errors.ts'

/** The name with the fewest changed letters, at most two; `undefined` where none is that near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = 3
  for (const name of names) {
    const changes = distance(word.toLowerCase(), name.toLowerCase(), least)
    if (changes < least) {
      least = changes
      best = name
    }
  }
  return best
}

/** Letters to insert, delete or replace between two words; `limit` where there are at least so many. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return Math.min(limit, row.at(-1) ?? 0)
}

/** NODE_UNKNOWN, with the id that was perhaps meant. */
export function unknownNode(node: string, ids: readonly string[]): MillraceError {
  const near = nearest(node, ids)
  return new MillraceError('NODE_UNKNOWN', near === undefined ? { node } : { node, near })
}
