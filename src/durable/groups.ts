import { crc32 } from 'node:zlib'

/**
 * The groups that a segment is made of. What one group holds is written, and comes to the disk, together.
 *
 *     0   MAGIC
 *     4   LENGTH   bytes of its entries
 *     8   CRC      CRC-32 of all that is behind this word, the padding excepted
 *     12  SALT     a random number of the segment: what users push cannot look like a group
 *     16  NUMBER   how-manieth group of the segment
 *     20  SYNCED   how many bytes of the segment were on the disk when this was written
 *     24  its entries, then zeros up to a multiple of 8
 *
 * Invariants (test/durable):
 *   D1  a group begins where the one before it ends
 *   D2  whoever was told that a group is on the disk was told so after `sync`, so it lies below the SYNCED of every group that is
 *       written after that: a broken group below a SYNCED has been lost by the disk, one above all of them was never finished
 */
const MAGIC = 0x3147_524d
export const GROUP_HEAD_BYTES = 24
const CRC_FROM = 12

/** Where a group stands. */
export interface GroupPlace {
  readonly salt: number
  readonly number: number
  readonly synced: number
}

/** Fills the head of a group in. @param bytes GROUP_HEAD_BYTES, the entries, and room for the padding @returns its bytes */
export function sealGroup(bytes: Buffer, entries: number, { salt, number, synced }: GroupPlace): Buffer {
  const end = GROUP_HEAD_BYTES + entries
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(entries, 4)
  bytes.writeUInt32LE(salt, 12)
  bytes.writeUInt32LE(number, 16)
  bytes.writeUInt32LE(synced, 20)
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_FROM, end)), 8)
  const padded = paddedTo8(end)
  bytes.fill(0, end, padded)
  return bytes.subarray(0, padded)
}

/** Bytes of a group with its padding. */
export function groupBytes(entries: number): number {
  return paddedTo8(GROUP_HEAD_BYTES + entries)
}

/** What a segment's bytes hold. */
interface GroupScan {
  /** The entries of each group, in their order. */
  readonly groups: readonly Buffer[]
  /** Where the last whole group ends. */
  readonly end: number
  /** What is behind that: nothing; a group that was never finished; or one that was, and is broken now. */
  readonly rest: 'none' | 'torn' | 'broken'
}

/** Finds the groups of a segment. */
export function scanGroups(bytes: Buffer): GroupScan {
  const groups: Buffer[] = []
  let at = 0
  let salt: number | undefined
  for (;;) {
    const found = groupAt(bytes, at)
    if (found === undefined || found.number !== groups.length || found.salt !== (salt ?? found.salt)) break
    salt = found.salt
    groups.push(found.entries)
    at += groupBytes(found.entries.length)
  }
  const rest = at >= bytes.length ? 'none' : wasSynced(bytes, at, salt) ? 'broken' : 'torn'
  return { groups, end: at, rest }
}

/** Whether some whole group behind a place says that the disk had what is there. */
function wasSynced(bytes: Buffer, place: number, salt: number | undefined): boolean {
  for (let at = place + 8; at + GROUP_HEAD_BYTES <= bytes.length; at += 8) {
    if (bytes.readUInt32LE(at) !== MAGIC) continue
    const found = groupAt(bytes, at)
    if (found !== undefined && found.salt === (salt ?? found.salt) && found.synced > place) return true
  }
  return false
}

function groupAt(bytes: Buffer, at: number): (GroupPlace & { readonly entries: Buffer }) | undefined {
  if (at + GROUP_HEAD_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return undefined
  const end = at + GROUP_HEAD_BYTES + bytes.readUInt32LE(at + 4)
  if (end > bytes.length || bytes.readUInt32LE(at + 8) !== crc32(bytes.subarray(at + CRC_FROM, end))) return undefined
  return {
    salt: bytes.readUInt32LE(at + 12),
    number: bytes.readUInt32LE(at + 16),
    synced: bytes.readUInt32LE(at + 20),
    entries: bytes.subarray(at + GROUP_HEAD_BYTES, end),
  }
}

function paddedTo8(bytes: number): number {
  return (bytes + 7) & ~7
}
