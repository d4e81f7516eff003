import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

/** Gives the bytes of a file, or of what stands for one, from an offset on. */
export type OpenBytes = (offset: number) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>

/** Whole lines or rows, and the offset behind them. */
export interface Block {
  readonly bytes: Buffer
  readonly end: number
}

const MOST_ROW_BYTES = 64 * 1024 * 1024

/** A file; the bytes of one that is called `.gz` are those in it. */
export function openFile(path: string): OpenBytes {
  return (offset) =>
    path.endsWith('.gz')
      ? behind(offset, createReadStream(path).pipe(createGunzip()))
      : createReadStream(path, { start: offset })
}

/**
 * Cuts bytes into blocks of whole rows; what is left at the end is a block too.
 * @param endOf where the last whole row ends; 0 where none does
 * @throws where a row is longer than 64 MiB
 */
export async function* blocksOf(
  open: OpenBytes,
  from: number,
  endOf: (bytes: Buffer) => number,
): AsyncGenerator<Block> {
  let rest: Uint8Array = Buffer.alloc(0)
  let at = from
  for await (const chunk of await open(from)) {
    const bytes =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk])
    const end = endOf(bytes)
    rest = bytes.subarray(end)
    if (rest.length > MOST_ROW_BYTES) throw new Error(`what begins at byte ${at + end} is longer than 64 MiB`)
    if (end === 0) continue
    at += end
    yield { bytes: bytes.subarray(0, end), end: at }
  }
  if (rest.length > 0) yield { bytes: Buffer.from(rest), end: at + rest.length }
}

async function* behind(offset: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = offset
  for await (const chunk of bytes) {
    if (left >= chunk.length) left -= chunk.length
    else {
      yield chunk.subarray(left)
      left = 0
    }
  }
}
