import { type FileHandle, open } from 'node:fs/promises'
import { type Marked, type SourceContext, mark } from 'millrace'
import type { Catalog, FileEntry } from './catalog.js'
import type { Block, FileEnd } from './records.js'
import { bomBytes, countLines, lastRowEnd } from './scan.js'

const READ_BYTES = 32 * 1024
/** A longer row is taken for an open quote. */
const MAX_ROW_BYTES = 4 * 1024 * 1024

/** Where to go on: in which file of the catalog, at which byte, on which line. */
interface Cursor {
  readonly index: number
  readonly offset: number
  readonly line: number
}

/** The handler of `files`: every file in blocks of whole rows. After a death it goes on behind the last block handed on. */
export async function* readFiles({
  state,
  cursor,
  signal,
}: SourceContext<Catalog>): AsyncGenerator<Marked<Block | FileEnd>> {
  const start = (cursor as Cursor | undefined) ?? { index: 0, offset: 0, line: 1 }
  for (let index = start.index; index < state.files.length && !signal.aborted; index++) {
    const entry = state.files[index]!
    const from = index === start.index ? start : { index, offset: 0, line: 1 }
    const { file } = entry
    let problem = entry.nothing?.isFault === true ? entry.nothing.reason : undefined
    if (entry.nothing === undefined) {
      try {
        yield* readFile(state.path(file), entry, from, signal)
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
      }
    }
    if (signal.aborted) return
    yield mark<FileEnd>(
      { file, ...(problem === undefined ? {} : { problem }) },
      { cursor: { index: index + 1, offset: 0, line: 1 } },
    )
  }
}

async function* readFile(
  path: string,
  entry: FileEntry,
  from: Cursor,
  signal: AbortSignal,
): AsyncGenerator<Marked<Block>> {
  await using handle = await open(path)
  let { offset, line } = from
  if (offset === 0) {
    offset = await skipHeader(handle, entry)
    line += countLines(Buffer.from(entry.header))
  }
  let rest: Uint8Array = Buffer.alloc(0)
  let size = READ_BYTES
  while (!signal.aborted) {
    const bytes = await readBytes(handle, offset + rest.length, size)
    const isEnd = bytes.length < size
    const held = Buffer.concat([rest, bytes])
    const end = isEnd ? held.length : lastRowEnd(held) || (held.length > MAX_ROW_BYTES ? held.lastIndexOf(0x0a) + 1 : 0)
    if (end === 0 && held.length > MAX_ROW_BYTES) throw new Error(`line ${line} is longer than ${MAX_ROW_BYTES} bytes`)
    rest = held.subarray(end)
    // A row that is longer than a block: more at once, so that it is not looked through again and again.
    size = end === 0 ? held.length : READ_BYTES
    if (end > 0) {
      const block = { file: entry.file, line, bytes: held.subarray(0, end) }
      offset += end
      line += countLines(block.bytes)
      yield mark<Block>(block, { cursor: { index: from.index, offset, line } })
    }
    if (!isEnd) continue
    if (offset < entry.bytes) throw new Error('the file has become shorter while it was read')
    return
  }
}

/** @returns the bytes before the first row. @throws where the file does not begin as it did when the catalog was made */
async function skipHeader(handle: FileHandle, { header }: FileEntry): Promise<number> {
  const expected = Buffer.from(header)
  const head = await readBytes(handle, 0, expected.length + 3)
  const bom = bomBytes(head)
  if (!expected.equals(head.subarray(bom, bom + expected.length)))
    throw new Error('the file has changed since it was looked at')
  return bom + expected.length
}

/** As many bytes as asked for; fewer only at the end of the file. */
async function readBytes(handle: FileHandle, position: number, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await handle.read(buffer, filled, size - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
