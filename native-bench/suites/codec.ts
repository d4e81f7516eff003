import { isDeepStrictEqual } from 'node:util'
import { Decoder as RawDecoder, Encoder as RawEncoder } from '@msgpack/msgpack'
import type { Codec, ShapeTable } from '#src/codec/codec.js'
import { bytesCodec, jsonCodec, msgpackCodec } from '#src/codec/length-prefixed.js'
import { shapeCodec } from '#src/codec/shape.js'
import { structCodec } from '#src/codec/struct.js'
import { viewMemory } from '#src/memory/memory.js'
import { SIX_FIELDS, payloads } from '../records.ts'
import { type Contender, type Scale, type Suite, moved } from '../suite.ts'

/** Values of one block, as in a chunk. */
const BLOCK = 64
const BLOCK_BYTES = 1 << 20
const PAYLOAD = payloads(32)

/** What is encoded, by the name of the rows. */
const VALUES: Readonly<Record<string, (index: number) => unknown>> = {
  'small object': (index) => SIX_FIELDS.make(index),
  'object of 850 bytes': (index) => ({
    id: index,
    user: { name: `user ${index}`, mail: `user${index}@example.org`, isActive: true, score: index / 3 },
    tags: ['alpha', 'beta', 'gamma', 'delta'],
    note: PAYLOAD.make(index).payload.repeat(16),
    history: Array.from({ length: 8 }, (_, i) => ({ at: 1_700_000_000 + i, value: i * 1.5 })),
  }),
  '1 KiB binary': (index) => new Uint8Array(1_024).fill(index),
  string: (index) => `line ${index}: the quick brown fox jumps over the lazy dog`,
  nested: (index) => ({ a: { b: { c: [index, [index + 1, { d: 'deep', e: null, f: [true, false] }]] } } }),
  number: (index) => index,
}

const CODECS: Readonly<Record<string, { readonly codec: Codec; readonly takes?: string }>> = {
  shape: { codec: shapeCodec },
  msgpack: { codec: msgpackCodec },
  json: { codec: jsonCodec },
  bytes: { codec: bytesCodec, takes: '1 KiB binary' },
  'struct i32': { codec: structCodec({ struct: 'i32' }), takes: 'number' },
}

export const codec: Suite = {
  name: 'codec',
  title: 'Encoding and decoding one value, in blocks of 64',
  async open(scale) {
    const contenders = Object.entries(VALUES).flatMap(([kind, make]) => {
      const values = Array.from({ length: BLOCK }, (_, i) => make(i))
      const ours = Object.entries(CODECS)
        .filter(([name, { takes }]) => (takes ?? kind) === kind && !(name === 'json' && kind === '1 KiB binary'))
        .flatMap(([name, { codec }]) => ourContenders(`${kind}: ${name}`, codec, values, scale))
      return [...ours, ...rivals(kind, values, scale)]
    })
    return { contenders, ratios: {}, async close() {} }
  },
}

function ourContenders(name: string, codec: Codec, values: readonly unknown[], scale: Scale): Contender[] {
  const memory = viewMemory(new SharedArrayBuffer(BLOCK_BYTES))
  const table = shapes()
  const writer = codec.encoder(table)
  const reader = codec.decoder(table)
  const encode = (): void => {
    if (writer.encode(memory, values, 0, BLOCK, 0, BLOCK_BYTES) !== BLOCK)
      throw new Error(`${name}: no room for a block`)
  }
  const decode = (): unknown[] => {
    const out = new Array<unknown>(BLOCK)
    reader.decode(memory, 0, writer.end, BLOCK, out)
    return out
  }
  // What is learned is learned before the first burst.
  for (let i = 0; i < 3; i++) encode()
  const check = (): void => {
    if (!isDeepStrictEqual(decode(), values)) throw new Error(`${name}: what arrives is not what was sent`)
  }
  return [timed(`${name}, encode`, scale, encode, check), timed(`${name}, decode`, scale, decode, check)]
}

/** A block of values that are taken one by one. */
function each(act: (index: number) => unknown): () => unknown {
  return () => {
    let last: unknown
    for (let i = 0; i < BLOCK; i++) last = act(i)
    return last
  }
}

/** What one would use without a lane: each value by itself. */
function rivals(kind: string, values: readonly unknown[], scale: Scale): Contender[] {
  const encoder = new RawEncoder()
  const decoder = new RawDecoder()
  const packed = values.map((value) => encoder.encode(value))
  const texts = values.map((value) => JSON.stringify(value))
  const same = (copy: (index: number) => unknown) => (): void => {
    for (let i = 0; i < BLOCK; i++)
      if (!isDeepStrictEqual(copy(i), values[i])) throw new Error(`${kind}: what arrives is not what was sent`)
  }
  const checkPacked = same((i) => decoder.decode(packed[i]!))
  const clone = each((i) => structuredClone(values[i]))
  const rows = [
    timed(
      `${kind}: @msgpack/msgpack, encode`,
      scale,
      each((i) => encoder.encodeSharedRef(values[i])),
      checkPacked,
    ),
    timed(
      `${kind}: @msgpack/msgpack, decode`,
      scale,
      each((i) => decoder.decode(packed[i]!)),
      checkPacked,
    ),
    timed(
      `${kind}: structuredClone, both`,
      scale,
      clone,
      same((i) => structuredClone(values[i])),
    ),
  ]
  if (kind === '1 KiB binary') return rows
  const checkText = same((i) => JSON.parse(texts[i]!))
  return [
    ...rows,
    timed(
      `${kind}: JSON.stringify`,
      scale,
      each((i) => JSON.stringify(values[i])),
      checkText,
    ),
    timed(
      `${kind}: JSON.parse`,
      scale,
      each((i) => JSON.parse(texts[i]!)),
      checkText,
    ),
  ]
}

/** Runs blocks for a time; the figure is nanoseconds per value. */
function timed(name: string, scale: Scale, block: () => unknown, check: () => void): Contender {
  return {
    name,
    unit: 'ns',
    burst() {
      const until = performance.now() + scale.ms(30)
      const start = performance.now()
      let blocks = 0
      while (performance.now() < until || blocks === 0) {
        for (let i = 0; i < 8; i++) block()
        blocks += 8
      }
      const ms = performance.now() - start
      check()
      return Promise.resolve(moved(blocks * BLOCK, ms))
    },
  }
}

/** A shape table in this thread's own memory. */
function shapes(): ShapeTable {
  const texts: string[] = []
  const numberOf = (text: string): number => texts.indexOf(text) + 1 || texts.push(text)
  return {
    owner: texts,
    maxTextBytes: Infinity,
    texts: () => texts,
    numberOf,
    restart: () => false,
    text: (number) => texts[number - 1]!,
  }
}
