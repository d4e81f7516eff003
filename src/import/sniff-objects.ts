import { COMMA_DIALECT, LF } from './dialect.ts'
import { objectOf } from './json-objects.ts'
import { bomBytes, isBlank } from './rows.ts'
import type { Nothing, Sniffed } from './sniff.ts'

/**
 * What the head of a file with an object on each line tells: the names in its objects are the titles, in the order of their sight.
 * @param isWhole the file has no more
 * @param known titles that an earlier look at the whole file has found
 */
export function sniffObjects(head: Uint8Array, isWhole: boolean, known?: readonly string[]): Sniffed | Nothing {
  const start = bomBytes(head, 0)
  if (isWhole && isBlank(head, start, head.length)) return { reason: 'the file is empty', isFault: false }
  if (head.includes(0)) return { reason: 'a binary file', isFault: true }
  const end = isWhole ? head.length : head.lastIndexOf(LF) + 1
  const titles = new Set(known)
  if (known === undefined) {
    const text = Buffer.from(head.subarray(start, end)).toString('utf8')
    for (const line of text.split('\n')) for (const name of objectOf(line)?.keys() ?? []) titles.add(name)
  }
  if (titles.size === 0) return { reason: 'none of its first lines is a JSON object with a name in it', isFault: true }
  const dialect = { ...COMMA_DIALECT, format: 'ndjson' as const }
  const remarks = ['an object on each line', ...(start > 0 ? ['byte order mark'] : [])]
  return { dialect, titles: [...titles], offset: start, line: 1, remarks }
}
