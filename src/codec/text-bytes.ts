import type { CodecName, EdgeOptions } from '../graph/types.ts'

/** Bytes of the table in which a codec teaches its decoder texts, on a lane that is not small. */
const TEXT_BYTES: Readonly<Record<CodecName, number>> = { shape: 16_384, msgpack: 0, json: 0, bytes: 0 }

export function textBytesOf(option: NonNullable<EdgeOptions['codec']>): number {
  return typeof option === 'string' ? TEXT_BYTES[option] : 0
}
