import type { Codec, ShapeTable } from '#src/codec/codec.js'
import { viewMemory } from '#src/memory/memory.js'

/** A shape table in plain memory, bounded by the number of its texts. Its numbers are never given twice. */
export function tableOf(most = 64): ShapeTable {
  const given: string[] = []
  let numbers = new Map<string, number>()
  return {
    owner: {},
    maxTextBytes: 16_384,
    texts: () => [...numbers.keys()],
    numberOf(text) {
      const known = numbers.get(text)
      if (known !== undefined || numbers.size >= most) return known ?? 0
      numbers.set(text, given.push(text))
      return given.length
    },
    restart() {
      numbers = new Map()
      return true
    },
    text: (number) => given[number - 1]!,
  }
}

/** Sends values through a codec in blocks, as a lane would: `blockBytes` is the room of each. */
export function roundTrip(
  codec: Codec,
  values: readonly unknown[],
  { blockBytes = 1 << 20, table = tableOf() } = {},
): unknown[] {
  const memory = viewMemory(new SharedArrayBuffer(blockBytes + 64))
  const encoder = codec.encoder(table)
  const decoder = codec.decoder(table)
  const arrived: unknown[] = []
  for (let next = 0; next < values.length;) {
    const at = 8 * (next % 4)
    const count = encoder.encode(memory, values, next, values.length, at, at + blockBytes)
    if (count === 0) throw new Error(`value ${next} does not fit ${blockBytes} bytes`)
    if (encoder.end > at + blockBytes)
      throw new Error(`the block ends ${encoder.end - at - blockBytes} bytes behind its room`)
    const out: unknown[] = []
    decoder.decode(memory, at, (encoder.end + 7) & -8, count, out)
    arrived.push(...out)
    memory.bytes.fill(0xa5)
    next += count
  }
  return arrived
}
