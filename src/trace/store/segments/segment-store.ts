import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMs } from '../../../time.ts'
import type { TraceEvent } from '../../event.ts'
import { byRun, type TraceRange, type TraceRun } from '../../source.ts'
import type { StoreStats, TraceStore } from '../store.ts'
import { WriteQueue } from '../write-queue.ts'
import { expire, type RetentionOptions, segmentsOf } from './retention.ts'
import { type SegmentDamage, SegmentReader, SegmentWriter } from './segment-file.ts'

export interface SegmentStoreOptions extends RetentionOptions {
  /** A segment is closed, and another begun, at so many bytes or after so much time. Defaults: 64 MiB, ten minutes. */
  readonly segmentBytes?: number
  readonly segmentMs?: number
  /** Events of a block: what a crash may lose. Default: 4,096. */
  readonly blockEvents?: number
  /** Longest time until events are written. Default: 1,000. */
  readonly flushMs?: number
  /** Events that wait for the disk at most. Default: 262,144. */
  readonly maxPending?: number
}

/** Files in a folder, one folder for each run: needs nothing installed. */
export class SegmentStore implements TraceStore {
  readonly #directory: string
  readonly #options: SegmentStoreOptions
  readonly #queue: WriteQueue
  readonly #runs = new Map<string, TraceRun>()
  readonly #open = new Map<string, { readonly writer: SegmentWriter; readonly since: number }>()
  readonly #damage: SegmentDamage = { tornBytes: 0, damagedBlocks: 0 }

  constructor(directory: string, options: SegmentStoreOptions = {}) {
    this.#directory = directory
    this.#options = options
    const { blockEvents: batch = 4_096, flushMs = 1_000, maxPending = 262_144 } = options
    this.#queue = new WriteQueue((events) => this.#save(events), { batch, flushMs, maxPending })
  }

  begin(run: TraceRun): Promise<void> {
    this.#runs.set(run.run, run)
    return Promise.resolve()
  }

  write(events: readonly TraceEvent[]): void {
    this.#queue.write(events)
  }

  async #save(events: readonly TraceEvent[]): Promise<number> {
    let bytes = 0
    for (const [run, own] of byRun(events)) bytes += await this.#saveBlock(run, own)
    return bytes
  }

  async #saveBlock(run: string, events: readonly TraceEvent[]): Promise<number> {
    const { segmentBytes = 64 * 1_048_576, segmentMs = 600_000 } = this.#options
    const first = events[0]!
    const known = this.#runs.get(run) ?? { pipeline: first.pipeline, run, startedAt: first.takenAt }
    const open = this.#open.get(run) ?? (await this.#create(known))
    const { writer, since } = open
    const before = writer.bytes
    await writer.write(events)
    const bytes = writer.bytes - before
    if (writer.bytes >= segmentBytes || monotonicMs() - since >= segmentMs) await this.#finish(run)
    return bytes
  }

  async #create(run: TraceRun): Promise<{ readonly writer: SegmentWriter; readonly since: number }> {
    const folder = join(this.#directory, run.run)
    await mkdir(folder, { recursive: true })
    const last = Math.max(
      0,
      ...(await segmentsOf(this.#directory)).filter((each) => each.run === run.run).map(({ number }) => number),
    )
    const path = join(folder, `${String(last + 1).padStart(6, '0')}.seg`)
    const open = { writer: await SegmentWriter.create(path, run), since: monotonicMs() }
    this.#open.set(run.run, open)
    return open
  }

  /** Closes a segment, and lets go of what is too old or too much. */
  async #finish(run: string): Promise<void> {
    const open = this.#open.get(run)
    this.#open.delete(run)
    try {
      await open?.writer.finish()
      const ours = new Set([...this.#open.values()].map(({ writer }) => writer.path))
      await expire(this.#directory, this.#options, ours)
    } catch (error) {
      this.#queue.fail(error)
    }
  }

  async runs(): Promise<readonly TraceRun[]> {
    const found = new Map(this.#runs)
    for (const { path, run } of await segmentsOf(this.#directory)) {
      if (found.has(run)) continue
      const reader = await SegmentReader.open(path, this.#damage)
      const known = await reader?.run()
      await reader?.close()
      if (known !== undefined) found.set(run, known)
    }
    return [...found.values()].sort((a, b) => a.startedAt - b.startedAt)
  }

  async *read(range: TraceRange = {}): AsyncIterable<readonly TraceEvent[]> {
    await this.#queue.flush()
    this.#damage.tornBytes = 0
    this.#damage.damagedBlocks = 0
    for (const { path, run } of await segmentsOf(this.#directory)) {
      if (range.run !== undefined && run !== range.run) continue
      yield* this.#blocksOf(path, range)
    }
  }

  /** The blocks of a segment; none where retention has taken it meanwhile, or it is none. */
  async *#blocksOf(path: string, range: TraceRange): AsyncIterable<TraceEvent[]> {
    const reader = await SegmentReader.open(path, this.#damage)
    if (reader === undefined) return
    try {
      if ((await reader.run()) !== undefined) yield* reader.read(range)
    } finally {
      await reader.close()
    }
  }

  /** What the last `read` found damaged. */
  get damage(): Readonly<SegmentDamage> {
    return { ...this.#damage }
  }

  flush(): Promise<void> {
    return this.#queue.flush()
  }

  stats(): StoreStats {
    return this.#queue.stats
  }

  async close(): Promise<void> {
    await this.#queue.flush()
    for (const run of this.#open.keys()) await this.#finish(run)
  }
}
