import { borrowedBytesCodec, bytesCodec, jsonCodec, msgpackCodec } from './rows.js'
import { shapeCodec } from './shape.js'
import { structCodec } from './struct.js'
const NAMED = { shape: shapeCodec, msgpack: msgpackCodec, json: jsonCodec, bytes: bytesCodec }
/** The codec that an edge's option names. */
export function codecOf(option) {
  if (typeof option === 'string') return NAMED[option]
  return 'struct' in option ? structCodec(option) : borrowedBytesCodec
}
/** The same format, read into values that outlive the lane: where the option lends views, copies. */
export function owningCodecOf(option) {
  if (typeof option === 'string') return NAMED[option]
  return 'struct' in option ? structCodec({ struct: option.struct }) : bytesCodec
}
