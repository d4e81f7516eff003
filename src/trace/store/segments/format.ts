import { crc32 } from 'node:zlib'

/**
 * A segment is a header, blocks, and a footer. Each of them is a frame: what it is (four letters), how long its content is, the
 * CRC32 of all that follows, then the number of events and their earliest and latest time, then the content. The last eight bytes
 * of a segment that was closed say where its footer begins. One that was not is read from its beginning, frame by frame, up to
 * the first that is not whole.
 */
export const FORMAT = 1
export const HEAD_BYTES = 32
export const TRAILER_BYTES = 8
const TRAILER = 0x454e_4454

type FrameKind = 'MTRC' | 'BLCK' | 'FOOT'

interface FrameHead {
  readonly kind: FrameKind
  readonly length: number
  readonly crc: number
  readonly events: number
  readonly from: number
  readonly to: number
}

export function frame(
  kind: FrameKind,
  content: Buffer,
  { events = 0, from = 0, to = 0 }: Partial<FrameHead> = {},
): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(HEAD_BYTES), content])
  bytes.write(kind, 0, 'latin1')
  bytes.writeUInt32LE(content.length, 4)
  bytes.writeUInt32LE(events, 12)
  bytes.writeDoubleLE(from, 16)
  bytes.writeDoubleLE(to, 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8)
  return bytes
}

export function headOf(bytes: Buffer): FrameHead {
  return {
    kind: bytes.toString('latin1', 0, 4) as FrameKind,
    length: bytes.readUInt32LE(4),
    crc: bytes.readUInt32LE(8),
    events: bytes.readUInt32LE(12),
    from: bytes.readDoubleLE(16),
    to: bytes.readDoubleLE(24),
  }
}

/** Whether a frame, its head included, is as it was written. */
export function isWhole(bytes: Buffer): boolean {
  if (bytes.length < HEAD_BYTES) return false
  const { length, crc } = headOf(bytes)
  return bytes.length === HEAD_BYTES + length && crc32(bytes.subarray(12)) === crc
}

export function trailer(footerAt: number): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES)
  bytes.writeUInt32LE(footerAt, 0)
  bytes.writeUInt32LE(TRAILER, 4)
  return bytes
}

/** Where the footer begins, or -1 where these bytes are no trailer. */
export function footerAt(bytes: Buffer): number {
  return bytes.length === TRAILER_BYTES && bytes.readUInt32LE(4) === TRAILER ? bytes.readUInt32LE(0) : -1
}

/** A block as the footer tells of it. */
export interface BlockEntry {
  readonly at: number
  readonly length: number
  readonly events: number
  readonly from: number
  readonly to: number
  readonly traces: string
}
