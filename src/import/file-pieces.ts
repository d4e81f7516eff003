import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { type Marked, mark } from '../graph/types.ts'
import type { DeclaredColumn } from './column-types.ts'
import type { DeclaredKind } from './declared.ts'
import { COMMA_DIALECT, type Dialect, type Encoding, LF } from './dialect.ts'
import type { JobFile } from './job.ts'
import { messageOf } from './problem.ts'
import type { FileEnd, Head, Piece } from './records.ts'
import { countLines, lastRowEnd, lineEnd } from './rows.ts'
import { READING_VERSION, seenOf, fileStateOf } from './seen.ts'
import { sniff } from './sniff.ts'
import { sniffObjects } from './sniff-objects.ts'

/** What a file is looked at by, before its rows are read. */
const HEAD_BYTES = 256 * 1024
const READ_BYTES = 256 * 1024
export const PIECE_BYTES = 1024 * 1024
/** A longer row is taken for an open quote; a longer line cannot be read. */
const MAX_ROW_BYTES = 32 * 1024 * 1024

/** Where to go on: in which file of the job, behind which piece of it. */
export interface Cursor {
  readonly index: number
  readonly piece: number
  readonly offset: number
  readonly line: number
  readonly state: string
}

/** A file of a job, and how it is read. */
interface Reading {
  readonly index: number
  readonly file: JobFile
  readonly kind: Omit<DeclaredKind, 'pattern'>
  readonly pieceBytes: number
}

const NO_HEAD: Head = {
  titles: [],
  dialect: COMMA_DIALECT,
  mayBeWindows: false,
  declared: [],
  placeholders: {},
  remarks: [],
  seen: null,
}
const OBJECTS = /\.(?:ndjson|jsonl)(?:\.gz)?$/i
/** Beyond every file of the job's pieces. */
const WHOLE_FILE = Number.MAX_SAFE_INTEGER

/** A file in pieces of whole rows, about `pieceBytes` each; the last one says how the file ended. @param from where to go on */
export async function* piecesOf(
  path: string,
  reading: Reading,
  from: Cursor | undefined,
  signal: AbortSignal,
): AsyncGenerator<Marked<Piece>> {
  const { index } = reading
  // The last piece of this file had been handed on.
  if (from?.piece === WHOLE_FILE) return
  let piece = from?.piece ?? 0
  let version = ''
  let head = NO_HEAD
  /** Handed on when the next one is there: the last one tells the end. */
  let held: { piece: Piece; cursor: Cursor } | undefined
  let nothing: FileEnd['nothing']
  try {
    // Opening a pipe would wait for a writer.
    if (!(await stat(path)).isFile()) throw new Error('not a regular file')
    await using handle = await open(path)
    const facts = await handle.stat({ bigint: true })
    const state = fileStateOf(facts)
    if (from !== undefined && from.state !== state) throw new Changed()
    const encoding = reading.file.encoding ?? reading.kind.encoding
    const content = new Content(handle, { path, encoding }, signal)
    const start = await content.upTo(HEAD_BYTES)
    const sniffed = OBJECTS.test(path)
      ? sniffObjects(start, content.isEnd, reading.file.titles)
      : sniff(start, content.isEnd, { ...reading.kind, ...(encoding === undefined ? {} : { encoding }) })
    if ('reason' in sniffed) nothing = sniffed
    else {
      const { titles, dialect } = sniffed
      const later = reading.file.encoding === undefined ? [] : [`encoding: ${reading.file.encoding}`]
      head = {
        titles,
        dialect,
        mayBeWindows: encoding === undefined && dialect.format === 'csv',
        declared: titles.map((title) => declaredOf(reading.kind, title)),
        placeholders: reading.file.placeholders,
        remarks: [...content.remarks, ...later, ...sniffed.remarks],
        seen: seenOf(facts, reading.file.how),
      }
      version = createHash('sha256')
        .update(
          JSON.stringify([
            READING_VERSION,
            state,
            reading.pieceBytes,
            { ...head, seen: null },
            reading.file.stagesText === true,
          ]),
        )
        .digest('hex')
        .slice(0, 32)
      let { offset, line } = from ?? sniffed
      await content.skip(offset)
      for (;;) {
        if (signal.aborted) return
        const bytes = await content.piece((held) => rowsEnd(held, dialect), line, reading.pieceBytes)
        if (bytes.length === 0) break
        if (held !== undefined) yield mark(held.piece, { cursor: held.cursor })
        offset += bytes.length
        const made: Piece = { file: index, version, piece, line, bytes, head }
        line += countLines(bytes)
        piece++
        held = { piece: made, cursor: { index, piece, offset, line, state } }
      }
      if (fileStateOf(await handle.stat({ bigint: true })) !== state) throw new Changed()
    }
  } catch (error) {
    nothing = { reason: messageOf(error), isFault: true }
  }
  if (signal.aborted) return
  if (held !== undefined && nothing !== undefined) {
    yield mark(held.piece, { cursor: held.cursor })
    held = undefined
  }
  const last = held?.piece ?? { file: index, version, piece, line: 0, bytes: new Uint8Array(0), head }
  const end: FileEnd = { pieces: last.piece + 1, ...(nothing === undefined ? {} : { nothing }) }
  yield mark({ ...last, end }, { cursor: { index, piece: WHOLE_FILE, offset: 0, line: 0, state: '' } satisfies Cursor })
}

/** Where the last whole row ends. */
function rowsEnd(bytes: Uint8Array, dialect: Dialect): number {
  return dialect.format === 'ndjson' ? bytes.lastIndexOf(LF) + 1 : lastRowEnd(bytes, 0, dialect)
}

class Changed extends Error {
  constructor() {
    super('the file changed while it was read')
  }
}

function declaredOf(kind: Reading['kind'], title: string): DeclaredColumn | null {
  const { decimalComma, dayOrder, nulls } = kind
  const common = {
    ...(decimalComma === undefined ? {} : { decimalComma }),
    ...(dayOrder === undefined ? {} : { dayOrder }),
    ...(nulls === undefined ? {} : { nulls }),
  }
  const own = kind.columns !== undefined && Object.hasOwn(kind.columns, title) ? kind.columns[title] : undefined
  return own === undefined && Object.keys(common).length === 0 ? null : { ...common, ...own }
}

/** The bytes of a file: unpacked, and UTF-8 or a code page of single bytes. */
class Content {
  readonly remarks: string[] = []
  isEnd = false
  readonly #chunks: AsyncGenerator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(
    handle: FileHandle,
    { path, encoding }: { path: string; encoding: Encoding | undefined },
    signal: AbortSignal,
  ) {
    const raw = /\.gz$/i.test(path) ? unpacked(handle, signal) : plain(handle)
    this.#chunks = this.#decoded(raw, encoding)
  }

  /** Bytes from where the last piece ended: so many, or fewer at the end. */
  async upTo(bytes: number): Promise<Buffer> {
    const parts = [this.#held]
    let length = this.#held.length
    while (length < bytes && !this.isEnd) {
      const { value, done } = await this.#chunks.next()
      if (done === true) this.isEnd = true
      else {
        parts.push(Buffer.from(value.buffer, value.byteOffset, value.length))
        length += value.length
      }
    }
    if (parts.length > 1) this.#held = Buffer.concat(parts)
    return this.#held
  }

  async skip(bytes: number): Promise<void> {
    let left = bytes
    while (left > 0) {
      const held = await this.upTo(1)
      if (held.length === 0) return
      const step = Math.min(left, held.length)
      this.#held = held.subarray(step)
      left -= step
    }
  }

  /** The next rows, whole ones; none at the end. @param rowsEnd where the last whole row of bytes ends */
  async piece(rowsEnd: (bytes: Uint8Array) => number, line: number, pieceBytes: number): Promise<Uint8Array> {
    for (let size = pieceBytes; ; size *= 2) {
      const held = await this.upTo(size)
      const isRest = this.isEnd && held.length <= size
      let end = isRest ? held.length : rowsEnd(held.subarray(0, size))
      if (end === 0 && size < MAX_ROW_BYTES) continue
      // An open quote: its line alone.
      if (end === 0) end = lineEnd(held, 0)
      if (end === held.length && !isRest && held[end - 1] !== LF)
        throw new Error(`line ${line} is longer than ${MAX_ROW_BYTES} bytes`)
      this.#held = held.subarray(end)
      return held.subarray(0, end)
    }
  }

  async *#decoded(raw: AsyncGenerator<Uint8Array>, declared: Encoding | undefined): AsyncGenerator<Uint8Array> {
    let decoder: TextDecoder | undefined
    let isFirst = true
    for await (const chunk of raw) {
      if (isFirst) {
        const encoding = declared ?? utf16Of(chunk)
        if (encoding?.startsWith('utf-16') === true) {
          decoder = new TextDecoder(encoding, { fatal: true })
          this.remarks.push(`encoding: ${encoding}`)
        }
        isFirst = false
      }
      yield decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }))
    }
    // Throws where half a character is left.
    decoder?.decode()
  }
}

/** UTF-16 by its mark, or by the zeros that make up half of most texts in it. */
function utf16Of(chunk: Uint8Array): Encoding | undefined {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le'
  if (chunk[0] === 0xfe && chunk[1] === 0xff) return 'utf-16be'
  const sample = chunk.subarray(0, 1024)
  const zeros = [0, 0]
  for (const [i, byte] of sample.entries()) if (byte === 0) zeros[i % 2]!++
  const most = sample.length / 2
  if (zeros[1]! > 0.4 * most && zeros[0]! < 0.1 * most) return 'utf-16le'
  return zeros[0]! > 0.4 * most && zeros[1]! < 0.1 * most ? 'utf-16be' : undefined
}

async function* plain(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (let position = 0; ;) {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function* unpacked(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const output = new PassThrough({ highWaterMark: READ_BYTES })
  // Ends with the generator: what it was piped from is destroyed with it.
  const piped = pipeline(plain(handle), createGunzip(), output, { signal })
  piped.catch((error: unknown) => output.destroy(error as Error))
  yield* output as AsyncIterable<Uint8Array>
  await piped
}
