import type { ChunkHeader } from '../../lane/writer.ts'
import type { Member } from '../chunk.ts'
import { NO_EDGE } from '../../memory/trace.ts'

/** What a chunk from a lane says beside its header (`in/inlet.ts`). */
interface Laned {
  readonly lane?: { readonly link: { readonly edges: readonly number[] }; readonly reader: { readonly depth: number } }
  readonly isOnLane: boolean
  readonly stamp: number
  readonly position: number
  readonly end: number
}

const WORD = 2 ** 32

/** `count` records of a chunk from index `from` on, as the words of an input. */
export function inputWords(header: ChunkHeader, from: number, count: number): number[] {
  const { lane, isOnLane, stamp, position, end } = header as ChunkHeader & Partial<Laned>
  const ids = [header.baseLow, header.baseHigh, (header.first + from) | 0, count]
  if (lane === undefined || isOnLane !== true) return [NO_EDGE, ...ids, 0, 0, 0, 0]
  const frame = [(end! - position!) | 0, lane.reader.depth, stamp! | 0, Math.floor(stamp! / WORD)]
  // What is injected comes over no edge.
  return [lane.link.edges.at(-1) ?? NO_EDGE, ...ids, ...frame]
}

/** Records that follow each other in one chunk are one input. */
export function membersInputs(members: readonly Member[]): number[] {
  const words: number[] = []
  for (let i = 0; i < members.length;) {
    const { header, index } = members[i]!
    let next = i + 1
    while (members[next]?.header === header && members[next]!.index === index + next - i) next++
    words.push(...inputWords(header, index, next - i))
    i = next
  }
  return words
}
