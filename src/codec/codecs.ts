import type { EdgeOptions } from '../graph/types.ts'
import type { Codec } from './codec.ts'
import { borrowedBytesCodec, bytesCodec, jsonCodec, msgpackCodec } from './length-prefixed.ts'
import { shapeCodec } from './shape.ts'
import { structCodec } from './struct.ts'

const NAMED = { shape: shapeCodec, msgpack: msgpackCodec, json: jsonCodec, bytes: bytesCodec } as const

/** The codec that an edge's option names. */
export function codecOf(option: NonNullable<EdgeOptions['codec']>): Codec {
  if (typeof option === 'string') return NAMED[option]
  return 'struct' in option ? structCodec(option) : borrowedBytesCodec
}

/** The same format, read into values that outlive the lane: where the option lends views, copies. */
export function owningCodecOf(option: NonNullable<EdgeOptions['codec']>): Codec {
  if (typeof option === 'string') return NAMED[option]
  return 'struct' in option ? structCodec({ struct: option.struct }) : bytesCodec
}
