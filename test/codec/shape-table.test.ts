/** The table of shapes of a lane: what is common is learned and stays learned, whatever rare shapes come between. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Compiled, CompiledCache, compiledOf } from '#src/codec/compiled.js'
import { shapeCodec } from '#src/codec/shape.js'
import { NO_FRAME } from '#src/lane/reader.js'
import { Texts } from '#src/lane/texts.js'
import { laneTexts } from '#src/memory/texts.js'
import { NO_ROOM } from '#src/lane/writer.js'
import fc from 'fast-check'
import { TestLane, header } from '../lane/lane.js'

/** A lane whose two ends encode and decode, die, and have successors. */
class ShapeLane {
  readonly lane: TestLane
  /** Bytes that records took. */
  bytes = 0
  #encoder = this.#newEncoder.bind(this)
  #ends

  constructor(sizes: { ringBytes: number; shapeBytes: number; from?: number }) {
    this.lane = new TestLane({ maxDemand: 100_000, ...sizes })
    this.#ends = { encoder: this.#encoder(), decoder: this.#newDecoder() }
  }

  /** Writes a frame of as many values as fit, and hands off unless the writer dies before; returns how many are on the lane. */
  write(values: readonly unknown[], dies = false): number {
    const { lane } = this
    const at = lane.writer.claim(lane.writer.maxFrameBytes)
    if (at === NO_ROOM) return 0
    const body = lane.writer.body(at, 0)
    const { encoder } = this.#ends
    const count = encoder.encode(lane.memory, values, 0, values.length, body, lane.writer.limit)
    if (count === 0) return 0
    this.bytes = encoder.end - body
    lane.writer.append(at, encoder.end, count, header(), 0)
    if (!dies) lane.publish()
    return dies ? this.#writerDies() : count
  }

  #writerDies(): number {
    this.lane.reviveWriter()
    this.#ends.encoder = this.#newEncoder()
    return 0
  }

  /** Reads the next frame; a reader that dies has not released it. */
  read(dies = false): unknown[] | undefined {
    const { lane } = this
    const at = lane.reader.poll()
    if (at === NO_FRAME) return undefined
    lane.reader.take(at)
    const { words } = lane.memory
    const out: unknown[] = []
    this.#ends.decoder.decode(lane.memory, lane.writer.body(at, 0), at + words[at >> 2]!, words[(at >> 2) + 1]!, out)
    if (!dies) lane.release(out.length)
    else {
      lane.reviveReader()
      this.#ends.decoder = this.#newDecoder()
    }
    return out
  }

  /** Sends values one after the other, each read at once; returns the bytes of the last one. */
  send(values: readonly unknown[]): number {
    for (const value of values) {
      assert.equal(this.write([value]), 1)
      assert.deepStrictEqual(this.read(), [value])
    }
    return this.bytes
  }

  #newEncoder() {
    return shapeCodec.encoder(new Texts(this.lane.memory, laneTexts(this.lane.layout)))
  }

  #newDecoder() {
    return shapeCodec.decoder(new Texts(this.lane.memory, laneTexts(this.lane.layout)))
  }
}

const SIZES = { ringBytes: 65_536, shapeBytes: 16_384 }
const good = (i: number): object => ({
  identification: i,
  givenName: `name ${i % 7}`,
  measuredValue: i / 3,
  isCertainlyGood: i % 2 === 0,
})
/** Bytes of a good record that goes as a row, at most; it has twice as many where it goes tagged. */
const ROW_BYTES = 48
const foreign = (i: number): object => ({ [`key ${i}`]: i, common: 'x'.repeat(10), [`other ${i}`]: { deep: i } })
const upTo = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))

const times = <T>(n: number, value: T): T[] => upTo(n, () => value)

test('a shape is learned at its third sight, and not before', () => {
  const lane = new ShapeLane(SIZES)
  const bytes = upTo(12, (i) => lane.send([good(i)]))
  assert.ok(bytes[0]! > ROW_BYTES && bytes[1]! > ROW_BYTES, bytes.join())
  assert.ok(bytes.at(-1)! <= ROW_BYTES, bytes.join())
})

test('after 3,500 shapes that come once or twice, good records go as a learned shape', () => {
  for (const often of [1, 2]) {
    const lane = new ShapeLane(SIZES)
    lane.send(upTo(3_500, (i) => foreign(i)).flatMap((record) => times(often, record)))
    assert.ok(lane.send(upTo(300, good)) <= ROW_BYTES)
  }
})

test('good records that come between them go as a learned shape all the time', () => {
  const lane = new ShapeLane(SIZES)
  lane.send(upTo(20, good))
  for (let i = 0; i < 3_500; i++) {
    lane.send([foreign(i)])
    assert.ok(lane.send([good(i)]) <= ROW_BYTES, `after ${i} foreign ones`)
  }
})

test('shapes that were common and are no more make room for those that are common now', () => {
  const lane = new ShapeLane(SIZES)
  for (let i = 0; i < 400; i++) lane.send(times(4, foreign(i)))
  assert.ok(lane.send(upTo(4_000, good)) <= ROW_BYTES)
  const successor = new Texts(lane.lane.memory, laneTexts(lane.lane.layout))
  assert.ok(successor.texts().length < 20, 'the rare ones are gone')
})

test('foreign values that find the table full are hardly looked at beyond what sending them takes', () => {
  const lane = new ShapeLane(SIZES)
  for (let i = 0; i < 400; i++) lane.send(times(3, foreign(i)))
  let looks = 0
  const counting = (i: number): object =>
    Object.defineProperty({}, `new key ${i}`, { enumerable: true, get: () => (looks++, i) })
  lane.send(upTo(2_000, counting))
  // Sending a value takes two, to see what it holds and to write it; the comparison with what arrived takes one.
  assert.ok(looks <= 3.1 * 2_000, `${looks} looks`)
})

test('a shape that no table holds takes no room from others', () => {
  const lane = new ShapeLane({ ringBytes: 65_536, shapeBytes: 1_024 })
  const wide = Object.fromEntries(upTo(60, (i) => [`a field with a name ${i}`, i]))
  for (let i = 0; i < 2_000; i++) {
    lane.send([wide])
    assert.ok(lane.send([good(i)]) <= ROW_BYTES || i < 400, `after ${i} wide ones`)
  }
})

test('a value of another type, however odd, does not spoil the shape of those with the same keys', () => {
  const lane = new ShapeLane(SIZES)
  const odd = [
    null,
    'text',
    [1, 'a'],
    { a: 1 },
    new Date(1),
    -0,
    1n,
    Object.fromEntries(upTo(300, (i) => [`k${i}`, i])),
  ]
  for (const [i, value] of [...odd, ...odd, ...odd, ...odd].entries())
    lane.send([
      { ...good(i), value },
      { ...good(i), name: value },
      { ...good(i), id: value },
    ])
  assert.ok(lane.send(upTo(400, good)) <= ROW_BYTES + 40)
})

test('writer, reader and their successors agree on every record, whatever shapes come and whenever they die', () => {
  const shape = fc.nat({ max: 80 }).map((n) => (n < 40 ? n % 4 : n))
  const step = fc.record({
    shapes: fc.array(shape, { minLength: 1, maxLength: 30 }),
    repeat: fc.integer({ min: 1, max: 12 }),
    reads: fc.nat({ max: 14 }),
    dies: fc.constantFrom('', '', '', '', '', 'writer', 'reader', 'both'),
  })
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(0, 2 ** 31 - 4096, -4096),
      (steps, from) => {
        const lane = new ShapeLane({ ringBytes: 8_192, shapeBytes: 512, from })
        const onLane: unknown[][] = []
        for (const { shapes, repeat, reads, dies } of steps) {
          const values = upTo(repeat, () => shapes)
            .flat()
            .map((kind, i) => ({ [`k${kind}`]: i, text: `t${i % 3}` }))
          for (let sent = 0, tries = 0; sent < values.length && tries < 40; tries++) {
            const isFatal = tries === 0 && (dies === 'writer' || dies === 'both')
            const count = lane.write(values.slice(sent, sent + 16), isFatal)
            if (count > 0) onLane.push(values.slice(sent, sent + count))
            else if (!isFatal) assert.deepStrictEqual(lane.read(), onLane.shift())
            sent += count
          }
          if (dies === 'reader' || dies === 'both') {
            const again = lane.read(true)
            assert.deepStrictEqual(again, onLane[0])
          }
          for (let i = 0; i < reads && onLane.length > 0; i++) assert.deepStrictEqual(lane.read(), onLane.shift())
        }
        while (onLane.length > 0) assert.deepStrictEqual(lane.read(), onLane.shift())
        assert.equal(lane.read(), undefined)
      },
    ),
    { numRuns: 150 },
  )
})

describe('compiled code', () => {
  test('is kept for so many texts, and those that were asked for last', () => {
    const kept = new CompiledCache((text) => ({ text }), 3)
    const first = kept.get('a')
    for (const text of ['b', 'c', 'a', 'd']) kept.get(text)
    assert.equal(kept.size, 3)
    assert.equal(kept.get('a'), first)
    assert.deepEqual(kept.get('b'), { text: 'b' })
  })

  test('ends with the memory of its pipeline, and is bounded within it', () => {
    const lanes = upTo(3, () => new ShapeLane({ ringBytes: 65_536, shapeBytes: 1_024 }))
    for (const [n, lane] of lanes.entries())
      for (let i = 0; i < 300; i++) lane.send(times(4, { [`of lane ${n}`]: i, [`key ${i}`]: i }))
    for (const { lane } of lanes) {
      const { encoders, decoders } = compiledOf(lane.memory)
      assert.ok(encoders.size <= 256 && decoders.size <= 256, `${encoders.size}, ${decoders.size}`)
      assert.ok(encoders.size > 0)
    }
    assert.ok(new Compiled().encoders.size === 0 && compiledOf({}).encoders.size === 0, 'nothing of one is in another')
  })
})
