/** What options may hold beside numbers and texts. */

/** What a node does. */
export type NodeKind = 'source' | 'transform' | 'buffer' | 'conditional' | 'merge' | 'sink'
/** All kinds of nodes. */
export const NODE_KINDS: readonly NodeKind[] = ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink']

/** What an edge is for. */
export type PathType = 'normal' | 'error' | 'retry' | 'dead_letter'
/** All path types. */
export const PATH_TYPES: readonly PathType[] = ['normal', 'error', 'retry', 'dead_letter']

/** All ways to spread records over workers. What each does is in `worker/out/dispatch.ts`. */
export const DISPATCHES = ['demand', 'partition', 'broadcast', 'roundRobin'] as const
/** How the records of an edge are spread over the workers of the next stage. */
export type Dispatch = (typeof DISPATCHES)[number]

/** What a buffer does with a record when it is full. */
export type WhenFull = 'block' | 'dropNewest' | 'dropOldest'
/** All that a buffer may do. */
export const WHEN_FULL: readonly WhenFull[] = ['block', 'dropNewest', 'dropOldest']

/** A handler named by module and export, as a graph read from JSON must name it. */
export interface HandlerReference {
  readonly module: string
  readonly export: string
}

/** A function of the user, or its name. */
export type Handler = ((...args: never[]) => unknown) | HandlerReference

/** The codecs that need no layout. */
export type CodecName = 'shape' | 'msgpack' | 'json' | 'bytes'
/** All codecs that need no layout. */
export const CODEC_NAMES: readonly CodecName[] = ['shape', 'msgpack', 'json', 'bytes']

/**
 * A fixed layout for numeric streams: one type, for records that are plain numbers, or fields with their types.
 * With `view`, handlers get what is valid only during the call: one object per record that reads the lane in place; where
 * records are plain numbers, batches as an `Int32Array` (i32), `Uint32Array` (u32) or `Float64Array` (f64).
 */
export interface StructCodec {
  readonly struct: StructType | Readonly<Record<string, StructType>>
  readonly view?: boolean
}
/** A type of a struct’s field. */
export type StructType = 'i32' | 'u32' | 'f64' | 'bool'
/** All types of fields. */
export const STRUCT_TYPES: readonly StructType[] = ['i32', 'u32', 'f64', 'bool']

/** Binary records without a copy: what handlers get lies in the lane, and is valid only during the call. */
export interface BorrowedBytesCodec {
  readonly bytes: 'borrow'
}

/** The brokers that a buffer may lie in. */
export const TECHNOLOGIES = ['nats', 'redis', 'rabbitmq', 'postgres'] as const
/** A broker that a buffer may lie in. */
export type Technology = (typeof TECHNOLOGIES)[number]

/** The address of a buffer: a queue of a broker. Plain data; `nats`, `redis`, `rabbitmq` and `postgres` make it. */
export interface Via {
  readonly technology: Technology
  readonly [option: string]: unknown
}
