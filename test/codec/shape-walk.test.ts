/** Rows that are walked are the rows that compiled code writes: a lane may lead from a process of one kind to one of the other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gathered } from '#src/codec/tagged.js'
import { canCompile } from '#src/codec/compile.js'
import { Identities } from '#src/codec/identity.js'
import { type RowEncoder, compileDecoder, compileEncoder } from '#src/codec/shape-compile.js'
import { type ShapeType, typeOf, widen } from '#src/codec/shape-type.js'
import { walkingDecoder, walkingEncoder } from '#src/codec/shape-walk.js'
import { TextReader, writeText, written } from '#src/codec/text-block.js'
import { viewMemory } from '#src/memory/memory.js'
import fc from 'fast-check'
import { anything, cloneable, text } from './values.js'

const ROOM = 16_384

function encode(encoder: RowEncoder, values: readonly unknown[], room: number) {
  const memory = viewMemory(new ArrayBuffer(2 * ROOM))
  const gathered: Gathered = { text: '', chars: 0, charBytes: 2, refusal: undefined, met: new Identities() }
  const progress = { at: 8, limit: 8 + room, isFull: false }
  const count = encoder(memory, gathered, progress, values, 0, values.length)
  const { at, isFull } = progress
  return { memory, count, at, isFull, text: gathered.text, rows: memory.bytes.toString('hex', 8, at) }
}

const field = fc.oneof(
  { weight: 3, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.boolean(), text, fc.date({ noInvalidDate: true })) },
  { weight: 1, arbitrary: cloneable },
  { weight: 1, arbitrary: fc.array(fc.oneof(fc.integer(), fc.record({ x: fc.integer(), tags: fc.array(text) }))) },
  {
    weight: 1,
    arbitrary: fc.array(fc.record({ x: fc.double(), at: fc.date({ noInvalidDate: true }) }), { maxLength: 20 }),
  },
  { weight: 1, arbitrary: fc.record({ inner: fc.record({ a: fc.integer(), b: text }), ['__proto__']: fc.integer() }) },
)
const stream = fc
  .tuple(
    fc.array(fc.record({ id: fc.integer(), a: field, b: field, c: field }), { minLength: 2, maxLength: 8 }),
    fc.array(anything, { maxLength: 3 }),
  )
  .map(([records, others]) => ({ records, values: [...records, ...others, ...records] as unknown[] }))

test('what is walked is what is compiled, byte by byte', { skip: !canCompile }, () => {
  fc.assert(
    fc.property(stream, fc.integer({ min: 0, max: ROOM / 8 }), ({ records, values }, eighths) => {
      const type = records.map(typeOf).reduce(widen)
      if (type === '?') return
      const described = JSON.stringify(type satisfies ShapeType)
      const [walked, compiled] = [walkingEncoder, compileEncoder].map((make) => {
        const { memory, ...told } = encode(make(described), values, 8 * eighths)
        return { memory, told }
      })
      assert.deepEqual(walked!.told, compiled!.told)
      const { memory, told } = walked!
      assert.ok(writeText(memory, told.text, told.at, 2 * ROOM))
      const [byWalk, byCode] = [walkingDecoder, compileDecoder].map((make) => {
        const texts = new TextReader(memory.bytes)
        texts.open(memory.bytes, told.at, written.end, written.mode)
        const out: unknown[] = []
        assert.equal(make(described)(memory, texts, 8, out, 0, told.count), told.at)
        return out
      })
      assert.deepStrictEqual(byWalk, byCode)
      assert.deepStrictEqual(byWalk, structuredClone(values.slice(0, told.count)))
    }),
    { numRuns: 400 },
  )
})
