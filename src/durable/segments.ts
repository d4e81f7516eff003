import { randomBytes } from 'node:crypto'
import { MillraceError, errorText } from '../errors.ts'
import { GroupWriter, type SegmentHead } from './entries.ts'
import type { Files, WrittenFile } from './files.ts'
import { type Segment, segmentPath } from './recover.ts'

/** There is no room for now: what was written before is whole, and later there may be some. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

/** The segment that is written to. */
interface Head {
  readonly segment: Segment
  readonly file: WrittenFile
  readonly salt: number
  groups: number
  /** Bytes that are known to be on the disk. */
  synced: number
  /** A group that did not fit has left something behind the others. */
  hasRest: boolean
}

/**
 * The segments of a journal, of which the last one is written to. A group that there is no room for leaves nothing behind. After a `sync`
 * that failed nobody knows what the disk has, and asking again would answer for what was dropped, so nothing more is accepted (D3).
 */
export class Segments {
  /** Oldest first. */
  readonly list: Segment[]
  /** Calls of `sync` so far, and how long the last one took. */
  syncs = 0
  syncMs = 0
  readonly #files: Files
  readonly #dir: string
  readonly #clock: () => number
  #head: Head | undefined
  #dropping: Promise<void> = Promise.resolve()

  constructor(files: Files, dir: string, list: readonly Segment[], clock: () => number) {
    this.#files = files
    this.#dir = dir
    this.list = [...list]
    this.#clock = clock
  }

  /** The segment that is written to. */
  get head(): Segment {
    return this.#head!.segment
  }

  get bytes(): number {
    return this.list.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Something was written that is not known to be on the disk. */
  get isUnsynced(): boolean {
    return this.#head !== undefined && this.#head.synced < this.#head.segment.bytes
  }

  /** Nothing is in the head but what it began with. */
  get isFresh(): boolean {
    return this.#head!.groups === 1
  }

  get nextNumber(): number {
    return (this.list.at(-1)?.number ?? 0) + 1
  }

  /** Begins a segment; the one before is on the disk by then. @throws JOURNAL_FULL, JOURNAL_FAILED, JOURNAL_IN_USE */
  async begin(head: SegmentHead): Promise<void> {
    if (this.isUnsynced) await this.sync()
    await this.#cutRest()
    const path = segmentPath(this.#dir, head.segment)
    const segment: Segment = { number: head.segment, path, bytes: 0, pushed: 0, open: 0 }
    const file = await this.#create(path)
    const made: Head = { segment, file, salt: randomBytes(4).readUInt32LE(0), groups: 0, synced: 0, hasRest: false }
    try {
      const group = new GroupWriter()
      group.opened(head)
      await this.#append(made, group)
      await this.#sync(made)
      await this.#orFail(this.#files.syncFolder(this.#dir))
    } catch (error) {
      await this.#orFail(file.close().then(() => this.#files.remove(path)))
      throw error
    }
    const before = this.#head
    this.#head = made
    this.list.push(segment)
    await before?.file.close().catch(() => undefined)
  }

  /** Writes a group behind the others. @throws JOURNAL_FULL, JOURNAL_FAILED */
  append(group: GroupWriter): Promise<void> {
    return this.#append(this.#head!, group)
  }

  /** Resolves when all that was appended is on the disk. @throws JOURNAL_FAILED */
  sync(): Promise<void> {
    return this.#sync(this.#head!)
  }

  /**
   * Removes the oldest segments, as long as nothing in them is open: one after the other, each surely, so that no segment is ever missing
   * between two others. What came of a record stands in its own segment or in a later one.
   */
  drop(): Promise<void> {
    return (this.#dropping = this.#dropping.then(() => this.#dropAll()))
  }

  async #dropAll(): Promise<void> {
    while (this.list.length > 1 && this.list[0]!.open === 0) {
      const [oldest] = this.list
      try {
        await this.#files.remove(oldest!.path)
        await this.#files.syncFolder(this.#dir)
      } catch {
        // It stays, and all after it: tried again when the next one could go.
        return
      }
      this.list.shift()
    }
  }

  async close(): Promise<void> {
    await this.#dropping
    await this.#cutRest()
    await this.#head?.file.close()
    this.#head = undefined
  }

  /** A segment that is not the last one ends with a whole group. */
  async #cutRest(): Promise<void> {
    if (this.#head?.hasRest !== true) return
    const { path, bytes } = this.#head.segment
    await this.#orFail(this.#files.cut(path, bytes))
    this.#head.hasRest = false
  }

  async #create(path: string): Promise<WrittenFile> {
    try {
      return await this.#files.create(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw new MillraceError('JOURNAL_IN_USE', { dir: this.#dir, path })
      throw refusal(error, path)
    }
  }

  async #append(head: Head, group: GroupWriter): Promise<void> {
    const { segment, file, salt, groups, synced } = head
    const bytes = group.seal({ salt, number: groups, synced })
    try {
      for (let done = 0; done < bytes.length;) {
        const written = await file.write(bytes.subarray(done), segment.bytes + done)
        if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' })
        done += written
      }
    } catch (error) {
      // The next group is written over what there is of this one, and may be shorter.
      head.hasRest = true
      throw refusal(error, segment.path)
    }
    segment.bytes += bytes.length
    head.groups++
  }

  async #sync(head: Head): Promise<void> {
    const { bytes, path } = head.segment
    const start = this.#clock()
    await head.file.sync().catch((error: unknown) => {
      throw failure(error, path)
    })
    this.syncs++
    this.syncMs = this.#clock() - start
    head.synced = bytes
  }

  async #orFail(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      throw failure(error, this.#dir)
    })
  }
}

function refusal(error: unknown, path: string): MillraceError {
  if (!FULL.has((error as NodeJS.ErrnoException).code)) return failure(error, path)
  return new MillraceError('JOURNAL_FULL', { path, reason: errorText(error).message }, { cause: error })
}

function failure(error: unknown, path: string): MillraceError {
  return new MillraceError('JOURNAL_FAILED', { path, reason: errorText(error).message }, { cause: error })
}
