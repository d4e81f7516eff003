import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { deflate, deflateSync, inflateSync } from 'node:zlib'
import type { TraceEvent } from '../../event.ts'
import { isInRange, type TraceRange, type TraceRun } from '../../source.ts'
import { Bloom } from './bloom.ts'
import { decodeEvents, encodeEvents } from './event-columns.ts'
import {
  type BlockEntry,
  footerAt,
  FORMAT,
  frame,
  HEAD_BYTES,
  headOf,
  isWhole,
  trailer,
  TRAILER_BYTES,
} from './format.ts'

const pack = promisify(deflate)
/** The fastest: columns are nearly packed already. */
const PACKING = { level: 1 }
/** No frame is larger: what says so is damaged. */
const MAX_FRAME_BYTES = 256 * 1_048_576

/** A segment that is being written. */
export class SegmentWriter {
  readonly path: string
  readonly #handle: FileHandle
  readonly #blocks: BlockEntry[] = []
  bytes = 0

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** Makes a new file. */
  static async create(path: string, run: TraceRun): Promise<SegmentWriter> {
    const writer = new SegmentWriter(path, await open(path, 'wx'))
    try {
      await writer.#append(frame('MTRC', Buffer.from(JSON.stringify({ format: FORMAT, run }))))
    } catch (error) {
      await writer.#handle.close()
      throw error
    }
    return writer
  }

  async write(events: readonly TraceEvent[]): Promise<void> {
    const times = events.map(({ handedOffAt }) => handedOffAt)
    const [from, to] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))]
    const traces = Bloom.of(new Set(events.flatMap((event) => event.traces))).toString()
    const block = frame('BLCK', await pack(encodeEvents(events), PACKING), { events: events.length, from, to })
    const at = this.bytes
    await this.#append(block)
    this.#blocks.push({ at, length: block.length, events: events.length, from, to, traces })
  }

  /** All of the bytes or none: what was begun is cut away. */
  async #append(bytes: Buffer): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;)
        done += (await this.#handle.write(bytes, done, bytes.length - done, this.bytes + done)).bytesWritten
    } catch (error) {
      await this.#handle.truncate(this.bytes).catch(() => undefined)
      throw error
    }
    this.bytes += bytes.length
  }

  /** Writes the footer, and closes. */
  async finish(): Promise<void> {
    try {
      const at = this.bytes
      const footer = frame('FOOT', deflateSync(JSON.stringify(this.#blocks), PACKING))
      await this.#append(Buffer.concat([footer, trailer(at)]))
    } finally {
      await this.#handle.close()
    }
  }
}

/** What reading a segment found of it. */
export interface SegmentDamage {
  /** Bytes behind the last frame that is whole, and blocks whose CRC is wrong. */
  tornBytes: number
  damagedBlocks: number
}

/** Reads a segment, closed or not, or still being written. */
export class SegmentReader {
  readonly #handle: FileHandle
  readonly #size: number
  readonly #damage: SegmentDamage

  private constructor(handle: FileHandle, size: number, damage: SegmentDamage) {
    this.#handle = handle
    this.#size = size
    this.#damage = damage
  }

  /** `undefined` where there is no such file. */
  static async open(path: string, damage: SegmentDamage): Promise<SegmentReader | undefined> {
    try {
      const handle = await open(path, 'r')
      return new SegmentReader(handle, (await handle.stat()).size, damage)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async #bytes(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.#size - at)))
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, at)
    return bytes.subarray(0, bytesRead)
  }

  /** A frame with its head; `undefined` where there is none that is whole. */
  async #frameAt(at: number): Promise<Buffer | undefined> {
    const head = await this.#bytes(at, HEAD_BYTES)
    if (head.length < HEAD_BYTES) return undefined
    const { length } = headOf(head)
    if (length > MAX_FRAME_BYTES || at + HEAD_BYTES + length > this.#size) return undefined
    const whole = await this.#bytes(at, HEAD_BYTES + length)
    return isWhole(whole) ? whole : undefined
  }

  /** The run, from the header; `undefined` where this is no segment, or one of another version. */
  async run(): Promise<TraceRun | undefined> {
    const header = await this.#frameAt(0)
    if (header === undefined || headOf(header).kind !== 'MTRC') return undefined
    const { format, run } = JSON.parse(header.toString('utf8', HEAD_BYTES)) as { format: number; run: TraceRun }
    return format === FORMAT ? run : undefined
  }

  async *read(range: TraceRange): AsyncIterable<TraceEvent[]> {
    const blocks = await this.#footer()
    for await (const block of blocks === undefined ? this.#scan(range) : this.#indexed(blocks, range)) {
      const events = decodeEvents(inflateSync(block.subarray(HEAD_BYTES))).filter((event) => isInRange(event, range))
      if (events.length > 0) yield events
    }
  }

  async #footer(): Promise<readonly BlockEntry[] | undefined> {
    const at = footerAt(await this.#bytes(this.#size - TRAILER_BYTES, TRAILER_BYTES))
    const footer = at < 0 ? undefined : await this.#frameAt(at)
    if (footer === undefined || headOf(footer).kind !== 'FOOT') return undefined
    return JSON.parse(inflateSync(footer.subarray(HEAD_BYTES)).toString()) as BlockEntry[]
  }

  async *#indexed(blocks: readonly BlockEntry[], range: TraceRange): AsyncIterable<Buffer> {
    for (const { at, from, to, traces } of blocks) {
      if (!overlaps(from, to, range)) continue
      const bloom = range.traces === undefined ? undefined : Bloom.from(traces)
      if (bloom !== undefined && ![...range.traces!].some((trace) => bloom.mayHold(trace))) continue
      const block = await this.#frameAt(at)
      if (block === undefined) this.#damage.damagedBlocks++
      else yield block
    }
  }

  async *#scan(range: TraceRange): AsyncIterable<Buffer> {
    let at = 0
    while (at < this.#size) {
      const found = await this.#frameAt(at)
      if (found === undefined) break
      const { kind, from, to } = headOf(found)
      if (kind === 'BLCK' && overlaps(from, to, range)) yield found
      at += found.length
    }
    this.#damage.tornBytes += this.#size - at
  }
}

function overlaps(earliest: number, latest: number, { from = -Infinity, to = Infinity }: TraceRange): boolean {
  return latest >= from && earliest < to
}
