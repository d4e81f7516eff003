/** Whatever a record may hold can be shown: nothing of the value's own is called, and what is shown is bounded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { shown, shownText } from '#src/shown.js'

/** Fails the test where it is called, whatever for. */
const never = (): never => assert.fail('the value was asked')
const trapped = new Proxy({}, Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, never])))

function hostile(): unknown[] {
  const cycle: Record<string, unknown> = { a: 1 }
  cycle['self'] = cycle
  const map = new Map<unknown, unknown>()
  map.set(map, new Set([map, cycle]))
  let deep: unknown = 1
  for (let i = 0; i < 100_000; i++) deep = i % 2 === 0 ? [deep] : { deep }
  let shared: unknown = { leaf: true }
  for (let i = 0; i < 60; i++) shared = [shared, shared]
  const detached = new ArrayBuffer(16)
  const views = [new Uint8Array(detached), new Float64Array(detached), new DataView(detached)]
  structuredClone(detached, { transfer: [detached] })
  const getters = (names: readonly string[]): PropertyDescriptorMap =>
    Object.fromEntries(names.map((name) => [name, { get: never, enumerable: true, configurable: true }]))
  const names = ['name', 'message', 'stack', 'code', 'constructor', 'length', 'size', 'source', 'byteLength', 'buffer']
  const asked = (value: object): object =>
    Object.defineProperties(value, getters(names.filter((n) => !Object.hasOwn(value, n))))
  class Odd extends Map<unknown, unknown> {
    override get size(): number {
      return never()
    }
    override entries = never
  }
  return [
    cycle,
    map,
    deep,
    shared,
    detached,
    ...views,
    trapped,
    Object.create(trapped),
    [trapped, { trapped }],
    new Proxy(() => 1, { get: never, apply: never }),
    Proxy.revocable({}, {}).proxy,
    { toJSON: never, toString: never, valueOf: never, [Symbol.toPrimitive]: never },
    // oxlint-disable-next-line unicorn/no-thenable -- it must not be taken for one
    { then: never, [Symbol.toStringTag]: 'Map', [Symbol.iterator]: never },
    asked({}),
    asked([1, 2]),
    asked(new Error('e')),
    asked(new Map()),
    asked(/x/),
    asked(new Uint8Array(3)),
    asked(new Date(0)),
    new Odd([[1, 2]]),
    Object.assign(new Date(0), { toISOString: never, getTime: never, toJSON: never }),
    new Date(Number.NaN),
    new Error('why', { cause: trapped }),
    new AggregateError([trapped, 1n], 'all'),
    Object.create(null),
    Object.create(Error.prototype),
    JSON.parse('{"__proto__":{"a":1},"constructor":2}'),
    runInNewContext('({ a: [1, new Map([[1n, new Date(0)]])], f() {} })'),
    10n ** 100_000n,
    -(2n ** 64n),
    Symbol('s'),
    Symbol.iterator,
    undefined,
    Number.NaN,
    -Infinity,
    -0,
    () => never(),
    Map,
    new Array(4_000_000_000),
    Object.assign([], { 3: 1 }),
    'x'.repeat(1_000_000),
    '\u0000'.repeat(1_000_000),
    '\u{1F600}'.repeat(300_000),
    '\uD800'.repeat(1_000_000),
    '\uFFFD'.repeat(1_000_000),
    Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`key-${i}`, i])),
    Array.from({ length: 100_000 }, () => 'many'),
    new Uint8Array(10_000_000),
    Buffer.from('bytes'),
    new BigInt64Array([1n, -1n]),
    new Float32Array([Number.NaN, 1.5]),
    new SharedArrayBuffer(8),
    new DataView(new ArrayBuffer(4)),
    new WeakMap(),
    new WeakSet(),
    Promise.resolve(1),
    (function* () {
      yield never()
    })(),
    Object(1n),
    Object('boxed'),
    new URL('http://a.example'),
    new (class extends Array {})(),
    process,
    globalThis,
  ]
}

/** What holds of any value. */
function check(value: unknown, limits = { depth: 16, bytes: 4_096 }): void {
  const plain = shown(value, limits)
  const text = JSON.stringify(plain)
  assert.equal(text, shownText(value, limits))
  assert.deepEqual(JSON.parse(text), plain)
  assert.ok(Buffer.byteLength(text) <= limits.bytes + 1_024, `${Buffer.byteLength(text)} bytes: ${text.slice(0, 100)}`)
  assert.ok(depthOf(plain) <= 3 * (limits.depth + 1), `depth ${depthOf(plain)}`)
}

function depthOf(plain: unknown): number {
  if (typeof plain !== 'object' || plain === null) return 0
  return 1 + Object.values(plain).reduce((most: number, each) => Math.max(most, depthOf(each)), 0)
}

test('plain data is shown as it stands', () => {
  const plain = { a: [1, 'two', null, true, { b: -0.5 }], '': {}, c: [], ' __proto__': 'x' }
  assert.deepEqual(shown(plain), plain)
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      assert.equal(JSON.stringify(shown(value, { bytes: Infinity, depth: 50 })), JSON.stringify(value))
    }),
  )
})

test('what JSON has no word for is named', () => {
  const value = {
    big: 12n,
    none: undefined,
    nan: Number.NaN,
    symbol: Symbol('s'),
    fn: never,
    date: new Date(0),
    map: new Map<unknown, unknown>([[1n, { a: new Set(['x']) }]]),
    bytes: new Uint8Array([1, 255]),
    floats: new Float32Array([0.5]),
    error: Object.assign(new RangeError('no'), { code: 'E1', at: 3 }),
    regexp: /a+/g,
    get asked() {
      return never()
    },
    holes: Object.assign([], { 1: 1 }),
  }
  assert.deepEqual(shown(value), {
    big: '12n',
    none: '[undefined]',
    nan: '[NaN]',
    symbol: '[Symbol(s)]',
    fn: '[Function: never]',
    date: '1970-01-01T00:00:00.000Z',
    map: { '[Map]': [['1n', { a: { '[Set]': ['x'] } }]] },
    bytes: { '[Uint8Array]': '01ff' },
    floats: { '[Float32Array]': [0.5] },
    error: { '[Error]': 'RangeError', message: 'no', code: 'E1', at: 3 },
    regexp: '/a+/',
    asked: '[Getter]',
    holes: ['[empty]', 1],
  })
})

test('what is cut says how much there is', () => {
  assert.deepEqual(shown({ a: { b: { c: 1 } } }, { depth: 2 }), { a: { b: '[Object]' } })
  assert.match(shownText('x'.repeat(1_000), { bytes: 100 }), /^"x+… \d+ more characters"$/)
  assert.match(
    shownText(
      Array.from({ length: 1_000 }, () => 1),
      { bytes: 100 },
    ),
    /,"… \d+ more"\]$/,
  )
  assert.match(shownText(new Uint8Array(1_000), { bytes: 100 }), /^\{"\[Uint8Array\]":"0+… \d+ more bytes"\}$/)
})

test('no value can make it fail, ask the value anything, or show more than it may', () => {
  for (const value of hostile()) {
    check(value)
    check({ in: [value, new Map([[value, new Set([value])]])] })
    check(value, { depth: 100, bytes: 65_536 })
    check(value, { depth: 0, bytes: 0 })
  }
  const anything = fc.anything({
    maxDepth: 6,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  } as fc.ObjectConstraints)
  const odd = hostile()
  fc.assert(
    fc.property(anything, fc.nat(odd.length - 1), fc.nat(40), fc.nat(3_000), (value, at, depth, bytes) => {
      check(value, { depth, bytes })
      check([value, odd[at]], { depth, bytes })
    }),
    { numRuns: 500 },
  )
})

test('an object with many keys is asked for them once, however often it is met', () => {
  const large = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`key-${i}`, i]))
  for (const key of Object.keys(large)) Object.defineProperty(large, key, { enumerable: false })
  const many = Array.from({ length: 100_000 }, () => large)
  check(many, { depth: 3, bytes: 400_000 })
})
