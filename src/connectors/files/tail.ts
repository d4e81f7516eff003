import { type FileHandle, open, stat } from 'node:fs/promises'
import type { FilePart } from '../core/file/file-source.ts'
import { endOfLines, recordsOfLines } from '../core/file/lines.ts'
import { sleep } from '../../time.ts'

interface Tail {
  readonly path: string
  readonly from: string
  readonly lookMs: number
  readonly decode: (line: string) => unknown
}

/** Where a file goes on; another file of the same name has another number. */
interface TailCursor {
  readonly file: number
  readonly offset: number
}

const CHUNK_BYTES = 64 * 1024

/** Lines of a file, as they come. */
export async function* tailParts(tail: Tail, from: unknown, signal: AbortSignal): AsyncGenerator<FilePart> {
  const { path, lookMs } = tail
  let cursor = from as TailCursor | undefined
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const found = await openThere(path)
    if (found === undefined) await sleep(lookMs, signal)
    else {
      try {
        const { ino, size } = await found.stat()
        const isSame = cursor?.file === ino && cursor.offset <= size
        const isBegunAtEnd = isFirst && cursor === undefined && tail.from === 'end'
        cursor = isSame ? cursor! : { file: ino, offset: isBegunAtEnd ? size : 0 }
        for await (const part of linesFrom(found, cursor, tail, signal)) {
          cursor = part.cursor as TailCursor
          yield part
        }
      } finally {
        await found.close()
      }
    }
  }
}

/** Until there is another file of this name, or this one was cut: what it has is read first. */
async function* linesFrom(
  file: FileHandle,
  { file: number, offset }: TailCursor,
  { path, lookMs, decode }: Tail,
  signal: AbortSignal,
): AsyncGenerator<FilePart> {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let rest: Buffer = Buffer.alloc(0)
  let at = offset
  while (!signal.aborted) {
    // Before the last look: a file that is replaced after it has been written to has all by then.
    const isOver = await isReplaced(path, number, at + rest.length)
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at + rest.length)
    if (bytesRead === 0) {
      if (isOver) return
      await sleep(lookMs, signal)
      continue
    }
    const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    const end = endOfLines(bytes)
    rest = bytes.subarray(end)
    at += end
    if (end === 0) continue
    const cursor: TailCursor = { file: number, offset: at }
    yield { records: recordsOfLines(bytes.subarray(0, end).toString('utf8'), decode, at), cursor }
  }
}

async function openThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isReplaced(path: string, number: number, read: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && (found.ino !== number || found.size < read)
}
