import { GroupWriter, type PushedEntry, readEntries } from './entries.ts'
import type { Files } from './files.ts'
import { scanGroups } from './groups.ts'
import type { Segment } from './recover.ts'
import type { Segments } from './segments.ts'

/** Old segments are emptied into the newest where there are more than these, and no more than this share of their records is open. */
const MANY_SEGMENTS = 4
const FEW_OPEN = 0.25

/**
 * Writes the few open records of the oldest segment again, behind all others, so that it can go: a record that takes long does not keep
 * all that came after it on the disk.
 * @param places segment of each open record
 * @param nodes as segments number them now
 * @throws JOURNAL_FULL, JOURNAL_FAILED
 */
export async function carryOldest(
  files: Files,
  segments: Segments,
  places: Map<number, Segment>,
  nodes: readonly string[],
): Promise<void> {
  const { list, head } = segments
  const [oldest] = list
  if (list.length <= MANY_SEGMENTS || oldest === undefined || oldest.open > FEW_OPEN * oldest.pushed) return
  // It may have gone meanwhile.
  const bytes = await files.read(oldest.path).catch(() => undefined)
  if (bytes === undefined) return
  const carried = pushedIn(bytes, nodes).filter(({ number }) => places.get(number) === oldest)
  const writer = new GroupWriter()
  for (const entry of carried) writer.pushed(entry)
  await segments.append(writer)
  await segments.sync()
  // Those that ended meanwhile are noted behind this.
  for (const { number } of carried) {
    if (places.get(number) !== oldest) continue
    places.set(number, head)
    oldest.open--
    head.open++
    head.pushed++
  }
  await segments.drop()
}

/** The pushed records of a segment, with their nodes as they are numbered now. */
function pushedIn(bytes: Buffer, nodes: readonly string[]): PushedEntry[] {
  let names: readonly string[] = []
  const found: PushedEntry[] = []
  for (const group of scanGroups(bytes).groups) {
    for (const entry of readEntries(group)) {
      if (entry.kind === 'opened') names = entry.head.nodes
      else if (entry.kind === 'pushed') found.push({ ...entry.pushed, node: nodes.indexOf(names[entry.pushed.node]!) })
    }
  }
  return found
}
