import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialize } from 'node:v8'
import { codecOf } from '#src/codec/codecs.js'
import { viewMemory } from '#src/memory/memory.js'
import fc from 'fast-check'
import { MillraceError } from 'millrace'
import { roundTrip, tableOf } from './harness.js'
import { cloneable, text } from './values.js'

/** `every-codec.test.ts` runs this file in a process that may not compile, too. */
const isWithoutCode = process.execArgv.includes('--disallow-code-generation-from-strings')

/** Streams as they are in life: a few kinds of objects whose fields vary a little. */
const stream = fc
  .array(
    fc.record(
      {
        id: fc.integer(),
        ok: fc.boolean(),
        name: text,
        price: fc.double(),
        at: fc.date({ noInvalidDate: true }),
        tags: fc.array(text),
        rows: fc.array(fc.record({ x: fc.double(), y: fc.integer() })),
        inner: fc.record({ a: fc.integer(), b: text }),
      },
      { requiredKeys: ['id'] },
    ),
    { minLength: 1, maxLength: 60 },
  )
  .chain((records) => fc.tuple(fc.constant(records), fc.array(cloneable, { maxLength: 5 })))
  .map(([records, others]) => [...records, ...records, ...records, ...others, ...records] as unknown[])

for (const name of ['shape', 'msgpack'] as const) {
  test(`${name}: any value arrives as structuredClone defines it`, () => {
    fc.assert(
      fc.property(fc.array(cloneable, { minLength: 1, maxLength: 20 }), (values) => {
        const [arrived, expected] = [
          roundTrip(codecOf(name), [...values, ...values, ...values]),
          structuredClone([...values, ...values, ...values]),
        ]
        assert.deepStrictEqual(arrived, expected)
      }),
      { numRuns: isWithoutCode ? 60 : 500 },
    )
  })

  test(`${name}: a stream of a few kinds of records arrives, whatever the room of a block and the size of the table`, () => {
    fc.assert(
      fc.property(
        stream,
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 512, max: 5_000 }).map((n) => 8 * n),
        (values, shapes, blockBytes) => {
          const fits = values.filter((value) => roughBytes(value) < 3000)
          const arrived = roundTrip(codecOf(name), fits, { blockBytes, table: tableOf(shapes) })
          assert.deepStrictEqual(arrived, structuredClone(fits))
        },
      ),
      { numRuns: isWithoutCode ? 40 : 300 },
    )
  })
}

function roughBytes(value: unknown): number {
  return 2 * serialize(value).byteLength
}

test('json: what JSON carries arrives equal, and the rest is refused', () => {
  fc.assert(
    fc.property(cloneable, (value) => {
      let arrived: unknown[]
      try {
        arrived = roundTrip(codecOf('json'), [value])
      } catch (refusal) {
        assert.equal((refusal as MillraceError).code, 'RECORD_NOT_ENCODABLE')
        return
      }
      assert.deepStrictEqual(arrived, structuredClone([value]))
    }),
    { numRuns: isWithoutCode ? 100 : 1000 },
  )
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
      if (JSON.stringify(value).includes('-0') || /\b-0\b/.test(JSON.stringify(value)) || hasNegativeZero(value)) return
      assert.deepStrictEqual(roundTrip(codecOf('json'), [value]), [value])
    }),
  )
})

function hasNegativeZero(value: unknown): boolean {
  return (
    Object.is(value, -0) || (typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero))
  )
}

test('bytes: binary records arrive equal, in memory of their own; anything else is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1 }), (values) => {
      const arrived = roundTrip(codecOf('bytes'), values, { blockBytes: 4096 }) as Uint8Array[]
      assert.deepStrictEqual(arrived, values)
      assert.ok(arrived.every((each) => each.buffer instanceof ArrayBuffer))
    }),
  )
  assert.throws(() => roundTrip(codecOf('bytes'), ['text']), { code: 'RECORD_NOT_ENCODABLE' })
})

test('bytes, borrowed: what arrives equals what was sent, and lies in the lane itself', () => {
  const codec = codecOf({ bytes: 'borrow' })
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 20 }), (values) => {
      const memory = viewMemory(new SharedArrayBuffer(4096))
      const encoder = codec.encoder(tableOf())
      const arrived: Uint8Array[] = []
      assert.equal(encoder.encode(memory, values, 0, values.length, 0, 4096), values.length)
      codec.decoder(tableOf()).decode(memory, 0, encoder.end, values.length, arrived)
      assert.deepEqual(
        arrived.map((each) => [...each]),
        values.map((each) => [...each]),
      )
      assert.ok(arrived.every((each) => each.length === 0 || each.buffer === memory.words.buffer))
    }),
  )
})

test('struct: numbers of a type arrive equal, and what the type does not hold exactly is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      assert.deepStrictEqual(roundTrip(codecOf({ struct: 'i32' }), values, { blockBytes: 64 }), values)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.double(), { minLength: 1 }), (values) => {
      assert.deepStrictEqual(roundTrip(codecOf({ struct: 'f64' }), values, { blockBytes: 64 }), values)
    }),
  )
  for (const [type, value] of [
    ['i32', 1.5],
    ['i32', -0],
    ['i32', 2 ** 31],
    ['u32', -1],
    ['bool', 1],
    ['f64', '1'],
  ] as const) {
    assert.throws(
      () => roundTrip(codecOf({ struct: type }), [value]),
      { code: 'RECORD_NOT_ENCODABLE' },
      `${type} ${value}`,
    )
  }
})

test('struct: numbers are read where they lie, and typed arrays are written as a whole', () => {
  const values = [0, -1, 2 ** 31 - 1, -(2 ** 31)]
  for (const [struct, sent] of [
    ['i32', Int32Array.from(values)],
    ['u32', Uint32Array.from(values)],
    ['f64', Float64Array.from([...values, Number.NaN, -0, 1e300])],
  ] as const) {
    const memory = viewMemory(new ArrayBuffer(128))
    const codec = codecOf({ struct })
    assert.equal(codec.encoder(tableOf()).encode(memory, sent, 1, sent.length, 8, 128), sent.length - 1)
    assert.deepStrictEqual(codec.decoder(tableOf()).inPlace!(memory, 8, sent.length - 1), sent.slice(1))
  }
  assert.ok(!('inPlace' in codecOf({ struct: 'bool' }).decoder(tableOf())))
})

test('struct: objects with the declared fields arrive equal; other fields and other types are refused', () => {
  const codec = codecOf({ struct: { id: 'i32', price: 'f64', ok: 'bool', count: 'u32' } })
  const record = fc.record(
    { id: fc.integer(), price: fc.double(), ok: fc.boolean(), count: fc.nat() },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(record, { minLength: 1 }), (values) => {
      assert.deepStrictEqual(roundTrip(codec, values, { blockBytes: 72 }), values)
    }),
  )
  const good = { id: 1, price: 1, ok: true, count: 1 }
  for (const bad of [
    { ...good, more: 1 },
    { id: 1, price: 1, ok: true },
    { ...good, count: -1 },
    { ...good, id: 0.5 },
    null,
    7,
  ]) {
    assert.throws(() => roundTrip(codec, [bad]), { code: 'RECORD_NOT_ENCODABLE' })
  }
})

test('struct with view: each record reads the lane in place, and a view can be sent on', () => {
  const codec = codecOf({ struct: { id: 'i32', price: 'f64' }, view: true })
  const memory = viewMemory(new SharedArrayBuffer(1024))
  const values = Array.from({ length: 5 }, (_, id) => ({ id, price: id / 2 }))
  const encoder = codec.encoder(tableOf())
  const views: { id: number; toObject(): unknown }[] = []
  encoder.encode(memory, values, 0, 5, 0, 512)
  codec.decoder(tableOf()).decode(memory, 0, encoder.end, 5, views)
  assert.deepEqual(
    views.map((view) => view.toObject()),
    values,
  )
  encoder.encode(memory, views, 0, 5, 512, 1024)
  const sentOn: unknown[] = []
  codecOf({ struct: { id: 'i32', price: 'f64' } })
    .decoder(tableOf())
    .decode(memory, 512, encoder.end, 5, sentOn)
  assert.deepEqual(sentOn, values)
  encoder.encode(memory, [{ id: 9, price: 9 }], 0, 1, 0, 512)
  assert.equal(views[0]!.id, 9)
})

for (const name of ['shape', 'msgpack', 'json'] as const) {
  test(`${name}: functions, symbols and host objects are refused with the reason`, () => {
    const refused = [
      () => 1,
      Symbol('s'),
      new WeakMap(),
      Promise.resolve(),
      new Proxy({}, {}),
      [].values(),
      new Blob([]),
    ]
    for (const value of [...refused, { field: refused[0] }]) {
      assert.throws(
        () => roundTrip(codecOf(name), [value]),
        (error) =>
          error instanceof MillraceError &&
          error.code === 'RECORD_NOT_ENCODABLE' &&
          typeof error.detail['reason'] === 'string',
      )
    }
  })

  test(`${name}: a value that is refused ends the block before it and harms no other`, () => {
    const codec = codecOf(name)
    const values = [{ a: 1 }, { a: 2 }, { a: () => 1 }, { a: 4 }]
    assert.throws(() => roundTrip(codec, values), { code: 'RECORD_NOT_ENCODABLE' })
    assert.deepEqual(roundTrip(codec, [values[0], values[1], values[3]]), [values[0], values[1], values[3]])
  })
}

test('an invalid Date arrives as an invalid Date', () => {
  for (const name of ['shape', 'msgpack'] as const) {
    const invalid = { at: new Date(NaN) }
    for (const each of roundTrip(codecOf(name), [invalid, invalid, invalid, invalid])) {
      assert.ok(Number.isNaN((each as typeof invalid).at.getTime()))
    }
  }
})

test('shape: a record larger than the block does not fit, and says so by encoding none', () => {
  assert.throws(() => roundTrip(codecOf('shape'), [{ text: 'x'.repeat(5000) }], { blockBytes: 4096 }), /does not fit/)
  assert.throws(() => roundTrip(codecOf('shape'), [new Uint8Array(5000)], { blockBytes: 4096 }), /does not fit/)
})
