import { join } from 'node:path'
import { decodeValue } from '../codec/values.ts'
import { MillraceError } from '../errors.ts'
import {
  type JournalEntry,
  type KeptCursor,
  type MarkedRecord,
  type PushedEntry,
  type SegmentHead,
  readEntries,
} from './entries.ts'
import type { Files } from './files.ts'
import { scanGroups } from './groups.ts'

export const JOURNAL_FORMAT = 1
const NAME = /^(\d{12})\.journal$/

/** A record that was accepted and has not ended. */
export interface KeptRecord {
  readonly number: number
  readonly node: string
  /** Somebody waited for its answer, who is gone. */
  readonly isCall: boolean
  readonly value: unknown
  /** Where it was pushed with marks. */
  readonly marks?: MarkedRecord
}

/** One file of the journal. */
export interface Segment {
  readonly number: number
  readonly path: string
  bytes: number
  /** Records in it, and those of them that have not ended. */
  pushed: number
  open: number
}

/** What the files of a journal hold. */
export interface Recovered {
  /** The words that name the journal; undefined where there was none. */
  readonly journal: readonly [low: number, high: number] | undefined
  readonly graph: string | undefined
  /** Oldest first. */
  readonly segments: readonly Segment[]
  /** No number below this one is free. */
  readonly next: number
  readonly records: readonly KeptRecord[]
  readonly cursors: readonly KeptCursor[]
  /** Segment of each open record. */
  readonly places: ReadonlyMap<number, Segment>
  /** Bytes of a group that was never finished; it was cut off. */
  readonly tornBytes: number
}

export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(12, '0')}.journal`)
}

/**
 * Reads a journal, and cuts off what its process had not finished writing when it ended.
 * @throws JOURNAL_CORRUPT, JOURNAL_VERSION
 */
export async function recoverJournal(files: Files, dir: string): Promise<Recovered> {
  const numbers = (await files.list(dir))
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
  const reading = new Reading(dir)
  for (const [i, number] of numbers.entries()) {
    const isLast = i === numbers.length - 1
    if (i > 0 && numbers[i - 1] !== number - 1) throw corrupt(dir, number - 1, 0, 'the segment is missing')
    const path = segmentPath(dir, number)
    const bytes = await files.read(path)
    const scan = scanGroups(bytes)
    if (scan.rest === 'broken') throw corrupt(dir, number, scan.end, 'a group that was on the disk is broken')
    if (scan.rest === 'torn') {
      if (!isLast) throw corrupt(dir, number, scan.end, 'a group is broken, and a later segment was begun')
      await files.cut(path, scan.end)
      reading.tornBytes = bytes.length - scan.end
    }
    if (scan.groups.length === 0) {
      // Its head never came to the disk, so nothing was accepted into it.
      if (!isLast) throw corrupt(dir, number, 0, 'the segment is empty, and a later one was begun')
      await files.remove(path)
      await files.syncFolder(dir)
      break
    }
    reading.segment({ number, path, bytes: scan.end, pushed: 0, open: 0 }, scan.groups)
  }
  return reading.recovered()
}

/** What is found, segment by segment. */
class Reading {
  tornBytes = 0
  readonly #dir: string
  readonly #segments: Segment[] = []
  readonly #records = new Map<number, PushedEntry & { readonly name: string }>()
  readonly #places = new Map<number, Segment>()
  readonly #cursors = new Map<string, KeptCursor>()
  #head: SegmentHead | undefined
  #next = 0

  constructor(dir: string) {
    this.#dir = dir
  }

  segment(segment: Segment, groups: readonly Buffer[]): void {
    this.#segments.push(segment)
    for (const [i, group] of groups.entries()) {
      try {
        for (const entry of readEntries(group)) this.#take(segment, entry)
      } catch (error) {
        if (error instanceof MillraceError) throw error
        throw corrupt(this.#dir, segment.number, 0, `group ${i} cannot be read: ${String(error)}`)
      }
    }
  }

  #take(segment: Segment, entry: JournalEntry): void {
    if (entry.kind === 'opened') return this.#open(segment, entry.head)
    if (this.#head?.segment !== segment.number) throw new RangeError('the segment has no head')
    if (entry.kind === 'pushed') {
      const { number, node } = entry.pushed
      const before = this.#places.get(number)
      if (before !== undefined) before.open--
      segment.pushed++
      segment.open++
      this.#places.set(number, segment)
      const name = this.#head.nodes[node]
      if (name === undefined) throw new RangeError(`record ${number} names no node`)
      this.#records.set(number, { ...entry.pushed, name })
      this.#next = Math.max(this.#next, number + 1)
    } else if (entry.kind === 'ended') {
      for (let number = entry.first; number < entry.first + entry.count; number++) this.#end(number)
    } else if (entry.kind === 'cursor') this.#cursor(entry.cursor)
  }

  #open(segment: Segment, head: SegmentHead): void {
    if (head.format !== JOURNAL_FORMAT)
      throw new MillraceError('JOURNAL_VERSION', { dir: this.#dir, is: head.format, most: JOURNAL_FORMAT })
    if (head.segment !== segment.number) throw new RangeError(`the head is that of segment ${head.segment}`)
    if (this.#head !== undefined && String(this.#head.journal) !== String(head.journal))
      throw new RangeError('the segment belongs to another journal')
    this.#head = head
    this.#next = Math.max(this.#next, head.next)
    for (const cursor of head.cursors) this.#cursor(cursor)
  }

  #end(number: number): void {
    const place = this.#places.get(number)
    if (place === undefined) return
    place.open--
    this.#places.delete(number)
    this.#records.delete(number)
  }

  #cursor(cursor: KeptCursor): void {
    this.#cursors.set(`${cursor.worker} ${cursor.node}`, cursor)
  }

  /** @throws JOURNAL_CORRUPT */
  #decoded(entry: PushedEntry & { readonly name: string }): KeptRecord {
    try {
      return decoded(entry)
    } catch (error) {
      const segment = this.#places.get(entry.number)!.number
      throw corrupt(this.#dir, segment, 0, `record ${entry.number} cannot be decoded: ${String(error)}`)
    }
  }

  recovered(): Recovered {
    return {
      journal: this.#head?.journal,
      graph: this.#head?.graph,
      segments: this.#segments,
      next: this.#next,
      records: [...this.#records.values()].sort((a, b) => a.number - b.number).map((entry) => this.#decoded(entry)),
      cursors: [...this.#cursors.values()],
      places: this.#places,
      tornBytes: this.tornBytes,
    }
  }
}

/** @throws what `decodeValue` throws */
function decoded({
  number,
  name: node,
  isCall,
  isMarked,
  record,
}: PushedEntry & { readonly name: string }): KeptRecord {
  const content = decodeValue(record)
  if (!isMarked) return { number, node, isCall, value: content }
  const marks = content as MarkedRecord
  return { number, node, isCall, value: marks.value, marks }
}

function corrupt(dir: string, segment: number, at: number, reason: string): MillraceError {
  return new MillraceError('JOURNAL_CORRUPT', { path: segmentPath(dir, segment), at, reason })
}
