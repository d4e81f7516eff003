import { randomBytes } from 'node:crypto'
import { encodeValue } from '../codec/values.ts'
import { MillraceError } from '../errors.ts'
import type { JournalSnapshot } from '../telemetry/snapshot.ts'
import { clearTimeout, monotonicMs, setImmediate, setTimeout } from '../time.ts'
import { carryOldest } from './carry.ts'
import { GroupWriter, type KeptCursor, type SegmentHead } from './entries.ts'
import { type Files, type Lock, machineFiles } from './files.ts'
import type { IngressJournalOptions } from './journal-types.ts'
import { JournalNotes } from './journal-notes.ts'
import { JOURNAL_FORMAT, type KeptRecord, type Recovered, type Segment, recoverJournal } from './recover.ts'
import { Segments } from './segments.ts'

const WORD = 2 ** 32
/** A group that is larger waits for no more. */
const MAX_GROUP_BYTES = 4 * 1_048_576
/** Ends and cursors wait so long for a group that comes anyway. */
const LAZY_MS = 100

/** Records that come to the disk together, and who waits for that. */
interface Group {
  readonly writer: GroupWriter
  readonly numbers: number[]
  readonly waiting: ((error?: MillraceError) => void)[]
}

/**
 * Keeps on disk what was pushed and has not ended, and where sources go on (`docs/durability.md`). One group is written and synced at a
 * time; what is pushed meanwhile makes up the next one.
 *
 *   D4  a record is delivered only after its group is on the disk, so no two records of a journal ever have one number
 *   D5  a segment goes only with all segments before it, and once none of its records is open
 */
export class IngressJournal {
  /** Names the journal: ids of its records are mixed from it. */
  readonly name: readonly [low: number, high: number]
  /** What an earlier process accepted, and what had not ended with it, in the order of pushing. */
  readonly records: readonly KeptRecord[]
  readonly tornBytes: number
  /** Called where the disk is full, or failed: once until it works again. */
  onTrouble: (error: MillraceError) => void = () => undefined
  readonly #options: IngressJournalOptions
  readonly #lock: Lock
  readonly #files: Files
  readonly #segments: Segments
  readonly #places: Map<number, Segment>
  readonly #notes: JournalNotes
  readonly #restored: number
  #groups: Group[] = []
  #next: number
  #waiting = 0
  #state: JournalSnapshot['state'] = 'ok'
  #failure: MillraceError | undefined
  #working: Promise<void> | undefined
  #lazy: NodeJS.Timeout | undefined
  #isSyncDue = false
  #isClosed = false
  #closing: Promise<void> | undefined

  private constructor(options: IngressJournalOptions, files: Files, lock: Lock, found: Recovered) {
    this.#options = options
    this.#files = files
    this.#lock = lock
    const random = randomBytes(8)
    this.name = found.journal ?? [random.readInt32LE(0), random.readInt32LE(4)]
    this.records = found.records
    this.tornBytes = found.tornBytes
    this.#restored = found.records.length
    this.#segments = new Segments(files, options.dir, found.segments, monotonicMs)
    this.#places = new Map(found.places)
    this.#notes = new JournalNotes(found.cursors)
    // What an earlier process numbered may not have come to the disk: this one begins behind all that it can have numbered.
    this.#next = (Math.floor(found.next / WORD) + (found.journal === undefined ? 0 : 1)) * WORD
  }

  /**
   * Opens a journal, or makes one.
   * @throws JOURNAL_IN_USE, JOURNAL_CORRUPT, JOURNAL_VERSION, JOURNAL_DIFFERS, JOURNAL_FULL, JOURNAL_FAILED
   */
  static async open(options: IngressJournalOptions): Promise<IngressJournal> {
    const { dir, graph, nodes, files = machineFiles } = options
    const lock = await asFailure(dir, async () => {
      await files.makeFolder(dir)
      return files.lock(dir)
    })
    try {
      const found = await asFailure(dir, () => recoverJournal(files, dir))
      if (found.graph !== undefined && found.graph !== graph)
        throw new MillraceError('JOURNAL_DIFFERS', { dir, reason: `it belongs to the graph ${found.graph}` })
      const lost = found.records.find(({ node }) => !nodes.includes(node))
      if (lost !== undefined)
        throw new MillraceError('JOURNAL_DIFFERS', { dir, reason: `it has records of ${lost.node}, which takes none` })
      const journal = new IngressJournal(options, files, lock, found)
      await journal.#begin()
      return journal
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Cursors below which all has ended. */
  get cursors(): readonly KeptCursor[] {
    return this.#notes.cursors
  }

  get figures(): JournalSnapshot {
    const { list, bytes, syncs, syncMs } = this.#segments
    return {
      state: this.#state,
      bytes,
      segments: list.length,
      records: this.#places.size,
      waiting: this.#waiting,
      syncs,
      syncMs,
      restored: this.#restored,
      tornBytes: this.tornBytes,
    }
  }

  /**
   * Keeps a record. `settled` is called when it is on the disk, or with the reason why it is not.
   * @returns its number @throws RECORD_NOT_ENCODABLE, JOURNAL_FAILED, PIPELINE_NOT_RUNNING
   */
  push(
    record: Pick<KeptRecord, 'node' | 'isCall' | 'value' | 'marks'>,
    settled: (error?: MillraceError) => void,
  ): number {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isClosed) throw new MillraceError('PIPELINE_NOT_RUNNING', { node: record.node })
    const { node, isCall, value, marks } = record
    const bytes = encodeValue(marks ?? value)
    const number = this.#next++
    const group = this.#openGroup()
    const index = this.#options.nodes.indexOf(node)
    group.writer.pushed({ number, node: index, isCall, isMarked: marks !== undefined, record: bytes })
    group.numbers.push(number)
    group.waiting.push(settled)
    this.#waiting++
    this.#work()
    return number
  }

  /** A record has ended, whatever came of it. */
  end(number: number): void {
    const segment = this.#places.get(number)
    if (segment === undefined) return
    this.#places.delete(number)
    segment.open--
    this.#notes.end(number)
    if (segment.open === 0 && segment === this.#segments.list[0]) void this.#segments.drop()
    this.#workLater()
  }

  /** All records of a source worker have ended up to this cursor. */
  moveCursor(cursor: KeptCursor): void {
    this.#notes.move(cursor)
    this.#workLater()
  }

  /** Writes what is to be written, and lets the directory go. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#lazy)
    await this.#working
    if (this.#failure === undefined) {
      const group = this.#openGroup()
      group.writer.closed()
      this.#isSyncDue = true
      this.#work()
      await this.#working
    }
    await this.#segments.close().catch(() => undefined)
    await this.#lock.release()
  }

  #openGroup(): Group {
    const last = this.#groups.at(-1)
    if (last !== undefined && this.#options.sync !== 'each' && last.writer.length < MAX_GROUP_BYTES) return last
    const group: Group = { writer: new GroupWriter(), numbers: [], waiting: [] }
    this.#groups.push(group)
    return group
  }

  /** Ends and cursors only make redelivered records fewer: they wait for a group. */
  #workLater(): void {
    if (this.#working !== undefined || this.#lazy !== undefined || this.#isClosed) return
    this.#lazy = setTimeout(() => {
      this.#lazy = undefined
      this.#work()
    }, LAZY_MS)
    this.#lazy.unref()
  }

  #work(): void {
    this.#working ??= this.#writeAll().finally(() => {
      this.#working = undefined
      if (!this.#notes.isEmpty) this.#workLater()
    })
  }

  /** Writes all groups, one after the other. What is pushed in one turn of the event loop joins one group. */
  async #writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    do {
      const group = this.#groups.shift() ?? { writer: new GroupWriter(), numbers: [], waiting: [] }
      const error = this.#failure ?? (await this.#write(group).catch((reason: unknown) => reason as MillraceError))
      if (error !== undefined) this.#trouble(error)
      else this.#state = 'ok'
      this.#waiting -= group.waiting.length
      for (const settled of group.waiting) settled(error)
    } while (this.#groups.length > 0)
  }

  async #write(group: Group): Promise<undefined> {
    const { sync, segmentBytes } = this.#options
    if (!this.#segments.isFresh && this.#segments.head.bytes + group.writer.length > segmentBytes) {
      await this.#begin()
      await carryOldest(this.#files, this.#segments, this.#places, this.#options.nodes)
    }
    const takeBack = this.#notes.write(group.writer)
    try {
      if (!group.writer.isEmpty) await this.#segments.append(group.writer)
    } catch (error) {
      takeBack()
      throw error
    }
    const { head } = this.#segments
    if (this.#segments.isUnsynced) {
      if (sync !== 'time' || this.#isSyncDue || this.#isClosed) await this.#segments.sync()
      else this.#syncLater()
    }
    this.#isSyncDue = false
    for (const number of group.numbers) this.#places.set(number, head)
    head.pushed += group.numbers.length
    head.open += group.numbers.length
  }

  #syncLater(): void {
    if (this.#lazy !== undefined) return
    this.#lazy = setTimeout(() => {
      this.#lazy = undefined
      this.#isSyncDue = true
      this.#work()
    }, this.#options.syncMs)
    this.#lazy.unref()
  }

  async #begin(): Promise<void> {
    const { graph, nodes } = this.#options
    const { nextNumber } = this.#segments
    const head: SegmentHead = {
      format: JOURNAL_FORMAT,
      journal: this.name,
      graph,
      segment: nextNumber,
      next: this.#next,
      nodes,
      cursors: this.cursors,
    }
    await this.#segments.begin(head)
    await this.#segments.drop()
  }

  #trouble(error: MillraceError): void {
    const state = error.code === 'JOURNAL_FULL' ? 'full' : 'failed'
    if (this.#state === state) return
    this.#state = state
    if (state === 'failed') this.#failure = error
    this.onTrouble(error)
  }
}

/** What the file system says no to is a failure of the journal. */
async function asFailure<T>(dir: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw new MillraceError('JOURNAL_FAILED', { dir, reason: String(error) }, { cause: error })
  }
}
