/**
 * Bytes and words of a lane and of its frames. No other file knows an offset.
 *
 * A lane is: the writer's line, the reader's line, the shape table, the ring.
 *
 *     0     TAIL  SENT  RESUME  SHAPES  WANTING  DROP_TO  PENDING  ENDED  MARKER  MARKER_AT   one writing worker: the writer;
 *           ROUTED  SWITCH  BEFORE
 *           SIGNATURE: written once, before there are workers (see `signature.ts`)
 *     128   HEAD  TAKEN  GRANTED  PART  ASSEMBLED                 one writing worker: the reader
 *     256   shape table (`shapeBytes`): texts that the writer's codec taught the reader's
 *     …     ring (`ringBytes`, a power of two)
 *
 * A frame carries one chunk. It starts at a multiple of 8 bytes and never wraps; padding fills the end of the ring.
 *
 *     0   bytes of the frame, this header included; negative: padding of so many bytes
 *     4   COUNT of records
 *     8   SLOT: the first anchor (source worker and slot, see `slots.ts`)
 *     12  ANCHORS: how many further anchors follow the header, and the flags TRACED and GAP
 *     16  BASE low, BASE high: what the ids of the records are mixed from
 *     24  FIRST: index of the first record under that base
 *     28  ATTEMPT: failed attempts so far in the lower half; then the four FRAGMENT flags; then the upper bits of STAMP
 *     32  STAMP: when the frame was written, in microseconds of the monotonic clock, lower word
 *     36  SALT: 0 while the chunk is as its source made it; sets parts of a chunk apart from the whole (see `slots.ts`)
 *     40  further anchors, one word each, then the encoded records from the next multiple of 8
 */
import { LINE_BYTES } from './memory.ts'

// Word indexes from the start of a lane.
export const TAIL = 0 // position in bytes: all frames before it are whole. The reader loads it.
export const SENT = 1 // position in records: all that were ever committed.
export const RESUME = 2 // outputs of the chunk in hand that are committed already (see `worker/out/outlet.ts`).
export const SHAPES = 3 // generation of the shape table, and how much of it is written (see `texts.ts`).
export const WANTING = 4 // 0, or what the writer waits for here.
/** WANTING: room, or the room and the credit for more than it could send. */
export const FOR_ROOM = 1
/** WANTING: credit. It has none, so that there is room does not help it. */
export const FOR_CREDIT = 2
export const DROP_TO = 5 // position in records: the writer asks the reader to drop what is older.
export const PENDING = 6 // 1 while a record in fragments is begun here and not ended.
export const SIGNATURE = 7 // what both ends must agree on; nobody writes it any more.
export const ENDED = 8 // 1 once nothing comes any more: all sources above have ended, and all that came of them is handed on.
export const MARKER = 9 // number of the last flush whose marker was handed on here.
export const MARKER_AT = 10 // position in bytes: where that marker stands.
export const ROUTED = 11 // version of the reading stage's sizing by which records go to its lanes from SWITCH on (see `sizing.ts`).
export const SWITCH = 12 // position in bytes: from here on, frames were sent by the version ROUTED.
export const BEFORE = 13 // outputs of the chunk in hand that went to any lane of the link by the version before ROUTED.
export const HEAD = LINE_BYTES / 4 // position in bytes: the writer may overwrite what is before it.
export const TAKEN = HEAD + 1 // position in records: all that were ever released.
export const GRANTED = HEAD + 2 // position in records: the writer may send up to here.
export const PART = HEAD + 3 // records of the frame at HEAD that are released already.
export const ASSEMBLED = HEAD + 4 // bytes of a record in fragments whose frames are before HEAD.
export const LANE_HEADER_BYTES: number = 2 * LINE_BYTES

// Word indexes from the start of a frame.
export const FRAME_BYTES = 0
export const FRAME_COUNT = 1
export const FRAME_SLOT = 2
export const FRAME_ANCHORS = 3
export const FRAME_BASE_LOW = 4
export const FRAME_BASE_HIGH = 5
export const FRAME_FIRST = 6
export const FRAME_ATTEMPT = 7
export const FRAME_STAMP = 8
export const FRAME_SALT = 9
export const FRAME_HEADER_BYTES = 40

/**
 * A record that is larger than a frame goes as several ones, each with a part of its bytes. Only the last one counts as a
 * record and carries it over: until then the writer still holds it.
 */
export const FRAGMENT: number = 1 << 16
export const FIRST_FRAGMENT: number = 1 << 17
export const LAST_FRAGMENT: number = 1 << 18
/** The record begun here is not coming: its writer died, and its successor may send it elsewhere. */
export const ABORT_FRAGMENTS: number = 1 << 19
/** ANCHORS: a slot of the chunk is traced. It travels with the chunk, and with all that comes of it. */
export const TRACED: number = 1 << 29
/** ANCHORS: an event of this chunk, or of one that it came of, was dropped. It travels likewise, and to the source. */
export const GAP: number = 1 << 30
/** Both of them. */
export const TRACE_FLAGS: number = TRACED | GAP
/** Attempts on a lane at most: `maxAttempts` is bounded by it. */
export const ATTEMPTS: number = FRAGMENT - 1
/** A stamp has 12 bits above its lower word: it comes round after 203 days. */
export const STAMP_SHIFT = 20

/** The upper part of a stamp, as it lies in ATTEMPT. */
export function stampHigh(stamp: number): number {
  return Math.floor(stamp / 2 ** 32) << STAMP_SHIFT
}

/** A stamp from its two parts. */
export function stampOf(attempt: number, low: number): number {
  return (attempt >>> STAMP_SHIFT) * 2 ** 32 + (low >>> 0)
}

export const FRAME_ALIGN = 8
/** A smaller ring could not hold a frame of one small record twice. */
export const MIN_RING_BYTES = 1024

export function align(bytes: number): number {
  return (bytes + FRAME_ALIGN - 1) & -FRAME_ALIGN
}

/** The largest frame that a ring takes: half of it, so that it always fits in an empty ring, wherever the tail stands. */
export function maxFrameBytes(ringBytes: number): number {
  return ringBytes >> 1
}

/** Bytes of a frame's header with so many further anchors. */
export function headerBytes(furtherAnchors: number): number {
  return align(FRAME_HEADER_BYTES + 4 * furtherAnchors)
}

/** Where one lane lies: byte offsets into the shared memory. Plain data, part of the plan. */
export interface LaneLayout {
  readonly offset: number
  readonly shapeBytes: number
  readonly ringBytes: number
  readonly maxDemand: number
  readonly minDemand: number
}

export function laneBytes(layout: Pick<LaneLayout, 'shapeBytes' | 'ringBytes'>): number {
  return LANE_HEADER_BYTES + layout.shapeBytes + layout.ringBytes
}

export function shapeOffset(layout: LaneLayout): number {
  return layout.offset + LANE_HEADER_BYTES
}

export function ringOffset(layout: LaneLayout): number {
  return layout.offset + LANE_HEADER_BYTES + layout.shapeBytes
}
