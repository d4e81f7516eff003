/** Values that are made to cost: every codec takes time in proportion to their size, and refuses by code what it does not take. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecOf } from '#src/codec/codecs.js'
import { viewMemory } from '#src/memory/memory.js'
import { type EdgeOptions, MillraceError } from 'millrace'
import { roundTrip, tableOf } from './harness.js'

type CodecOption = NonNullable<EdgeOptions['codec']>

const CODECS: Readonly<Record<string, CodecOption>> = {
  shape: 'shape',
  msgpack: 'msgpack',
  json: 'json',
  bytes: 'bytes',
  'struct of fields': { struct: { a: 'f64', b: 'f64' } },
}

/** How often a codec looks at the fields of a value until it has encoded or refused it; `make` counts by `look`. */
function looks(codec: CodecOption, make: (look: () => void) => unknown): number {
  let count = 0
  const value = make(() => count++)
  try {
    roundTrip(codecOf(codec), [value])
  } catch (error) {
    assert.ok(error instanceof MillraceError, String(error))
  }
  return count
}

function wrap(inner: unknown): unknown {
  return { inner }
}

function nest(levels: number, by: (inner: unknown) => unknown): unknown {
  let value: unknown = {}
  for (let i = 0; i < levels; i++) value = by(value)
  return value
}

/** Values of n levels or items, each of which counts that it was looked at. */
const GROWING: Readonly<Record<string, (n: number, look: () => void) => unknown>> = {
  nested: (n, look) => nest(n, (inner) => seen(look, { inner })),
  'nested beside __proto__': (n, look) => nest(n, (inner) => seen(look, { inner, ['__proto__']: 1 })),
  'nested beside a lone surrogate': (n, look) => nest(n, (inner) => seen(look, { inner, '\ud800': 1 })),
  'nested in sparse arrays': (n, look) =>
    nest(n, (inner) => Object.assign(new Array(2), { inner: seen(look, { inner }) })),
  'nested Maps': (n, look) => nest(n, (inner) => new Map([['inner', seen(look, { inner })]])),
  'nested Sets': (n, look) => nest(n, (inner) => new Set([seen(look, { inner })])),
  'nested causes': (n, look) => nest(n, (inner) => new Error('x', { cause: seen(look, { inner }) })),
  'shared twice at each level': (n, look) => nest(n, (inner) => seen(look, { a: inner, b: inner })),
  'shared in arrays at each level': (n, look) => nest(n, (inner) => seen(look, { a: [inner, inner, inner] })),
  'long array': (n, look) => Array.from({ length: n }, (_, i) => seen(look, { i })),
  'many keys': (n, look) =>
    Object.defineProperties(
      {},
      Object.fromEntries(
        Array.from({ length: n }, (_, i) => [`key${i}`, { enumerable: true, get: () => (look(), i) }]),
      ),
    ),
}

/** The object, with a field that counts its readings. */
function seen(look: () => void, object: object, key = 'seen', value: unknown = 1): object {
  return Object.defineProperty(object, key, { enumerable: true, configurable: true, get: () => (look(), value) })
}

for (const [name, codec] of Object.entries(CODECS)) {
  describe(name, () => {
    for (const [kind, make] of Object.entries(GROWING)) {
      test(`a value that is ${kind} costs twice as much where it is twice as large`, () => {
        const [once, twice] = [12, 24].map((n) => looks(codec, (look) => make(n, look)))
        assert.ok(once! <= 16 * 12, `${once} looks at a value of size 12`)
        assert.ok(twice! <= 2 * once! + 16, `${once} looks, then ${twice}`)
      })
    }

    test('a value of 40 levels that refers to each level twice is encoded or refused, and costs what it holds', () => {
      const count = looks(codec, (look) => GROWING['shared twice at each level']!(40, look))
      assert.ok(count <= 16 * 40, `${count} looks`)
    })

    test('a value that is nested a hundred thousand levels deep is refused', () => {
      for (const by of [
        (inner: unknown) => ({ inner }),
        (inner: unknown) => [inner],
        (inner: unknown) => new Map([[1, inner]]),
      ])
        assert.throws(() => roundTrip(codecOf(codec), [nest(100_000, by)]), MillraceError)
    })

    test('what a value throws when it is read is the failure of its record, and of no other', () => {
      const hostile = [
        throwing(() => {
          throw new Error('no')
        }),
        throwing(() => {
          throw null
        }),
        throwing(() => {
          throw Object.create(null)
        }),
        throwing(() => {
          const again = (): never => again()
          return again()
        }),
        new Proxy(
          { a: 1, b: 2 },
          {
            ownKeys() {
              throw new Error('no')
            },
          },
        ),
        Proxy.revocable({}, {}).proxy,
        Object.create(Uint8Array.prototype),
        Object.create(null, { a: { enumerable: true, value: Object.create(null) } }),
      ]
      for (const bad of hostile) {
        const good = name === 'bytes' ? new Uint8Array(3) : { a: 1, b: 2 }
        const memory = viewMemory(new ArrayBuffer(65_536))
        const encoder = codecOf(codec).encoder(tableOf())
        const values = [good, good, good, good, bad, good]
        // The chunk ends before it, or takes it whole (what reads as a plain object to a codec is one).
        assert.ok([4, 6].includes(encoder.encode(memory, values, 0, 6, 0, 65_536)))
        try {
          assert.ok(encoder.encode(memory, values, 4, 6, 0, 65_536) > 0)
        } catch (error) {
          assert.ok(error instanceof MillraceError, `a MillraceError, not ${String(error)}`)
          assert.equal(error.code, 'RECORD_NOT_ENCODABLE')
        }
        assert.equal(encoder.encode(memory, values, 5, 6, 0, 65_536), 1)
      }
    })
  })
}

function throwing(get: () => unknown): object {
  return Object.defineProperty({ a: 1 }, 'b', { enumerable: true, get })
}

for (const [kind, make] of Object.entries(GROWING)) {
  test(`shape: a value that is ${kind} costs no more where its like was learned before`, () => {
    for (const taught of [2, 8]) {
      const teaching = Array.from({ length: 4 }, () => make(taught, () => undefined))
      const [once, twice] = [12, 24].map((n) => {
        let count = 0
        const value = make(n, () => count++)
        const arrived = roundTrip(codecOf('shape'), [...teaching, value, 1])
        assert.equal(arrived.length, 6)
        return count
      })
      assert.ok(once! <= 24 * 12, `${once} looks at a value of size 12`)
      assert.ok(twice! <= 2 * once! + 64, `${once} looks, then ${twice}`)
    }
  })
}

for (const name of ['shape', 'msgpack', 'json'] as const) {
  test(`${name}: 500 levels arrive, more are refused with RECORD_TOO_DEEP`, () => {
    const deep = nest(500, wrap)
    assert.deepStrictEqual(roundTrip(codecOf(name), [deep]), [deep])
    for (const levels of [501, 100_000])
      assert.throws(() => roundTrip(codecOf(name), [nest(levels, wrap)]), { code: 'RECORD_TOO_DEEP' })
    // Also below a field of a learned shape.
    const shallow = [1, 'a', 2].map((inner) => ({ inner }))
    assert.throws(() => roundTrip(codecOf(name), [...shallow, ...shallow, nest(501, wrap)]), {
      code: 'RECORD_TOO_DEEP',
    })
  })

  test(`${name}: a getter that makes a new object at each look ends at the same depth`, () => {
    const endless = (): object => ({
      get a() {
        return endless()
      },
      get b() {
        return endless()
      },
    })
    assert.throws(() => roundTrip(codecOf(name), [endless()]), { code: 'RECORD_TOO_DEEP' })
  })
}

test('json: a value that refers to itself, or whose shared parts would repeat without end, is refused', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = [cycle]
  for (const value of [cycle, nest(40, (inner) => ({ a: inner, b: inner }))])
    assert.throws(() => roundTrip(codecOf('json'), [value]), { code: 'RECORD_NOT_ENCODABLE' })
  const shared = { a: 1 }
  assert.deepStrictEqual(roundTrip(codecOf('json'), [{ x: shared, y: shared }]), [{ x: shared, y: shared }])
})

test('json: a `toJSON` that no key shows is refused', () => {
  const value = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 2 })
  assert.throws(() => roundTrip(codecOf('json'), [value]), { code: 'RECORD_NOT_ENCODABLE' })
})

test('bytes: what a subclass says of its length is not believed', () => {
  class Liar extends Uint8Array {
    override get byteLength(): number {
      return 4
    }
  }
  assert.throws(() => roundTrip(codecOf('bytes'), [new Liar(5_000)], { blockBytes: 1_024 }), /does not fit/)
  assert.deepStrictEqual(roundTrip(codecOf('bytes'), [new Liar(3)]), [new Uint8Array(3)])
})

test('shape: an array that grows while it is read arrives whole, and so do the records after it', () => {
  const values: number[] = [1, 2, 3]
  const growing = { values: Object.defineProperty(values, 1, { enumerable: true, get: () => (values.push(9), 2) }) }
  const plain = { values: [1, 2, 3] }
  const arrived = roundTrip(codecOf('shape'), [plain, plain, plain, plain, growing, plain]) as { values: number[] }[]
  assert.deepStrictEqual(arrived[4]!.values.slice(0, 3), [1, 2, 3])
  assert.deepStrictEqual(arrived[5], plain)
})
