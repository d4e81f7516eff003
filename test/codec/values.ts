/** Arbitrary values, for the tests of the codecs. */
import fc from 'fast-check'

export const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-composite' }),
  fc.constantFrom('', 'é', '\ud800', 'a\udc00b', '\0', 'x'.repeat(2000), '日本語', 'ÿ'.repeat(1100)),
)
const typedArray = fc.oneof(
  fc.uint8Array(),
  fc.int16Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.uint8ClampedArray(),
  fc.uint8Array().map((bytes) => new DataView(bytes.slice().buffer)),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
)
const error = fc
  .tuple(fc.constantFrom(Error, TypeError, RangeError, SyntaxError), text)
  .map(([type, message]) => new type(message))

/** Anything that `structuredClone` takes, but for cycles. */
export const cloneable: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, false, 0, -0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 1.5),
    fc.integer(),
    fc.double(),
    text,
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    typedArray,
    error,
    fc.constant(/a\/b/giu),
    fc.constantFrom(...[1, 'x', true, 1n].map((each) => Object(each) as unknown)),
    fc.array(tie('value')),
    fc.array(tie('value')).map((items) => sparse(items)),
    fc.dictionary(
      fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'a"b', "it's", '1', 'then')),
      tie('value'),
    ),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((entries) => new Map(entries)),
    fc.array(tie('value')).map((items) => new Set(items)),
  ),
})).value

function sparse(items: unknown[]): unknown[] {
  const array = [...items, 1]
  Reflect.deleteProperty(array, 0)
  return Object.assign(array, { named: items[0] })
}

class Point {
  readonly x: number
  constructor(x: number) {
    this.x = x
  }
  get double(): number {
    return 2 * this.x
  }
}

/** Anything at all: what can be cloned, what cannot, and objects that refer to themselves. */
export const anything: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { arbitrary: cloneable, weight: 4 },
    fc.integer().map((n) => () => n),
    fc.constantFrom<unknown>(
      Symbol('s'),
      Symbol.iterator,
      new WeakMap(),
      new WeakSet(),
      Promise.resolve(),
      new Proxy({}, {}),
    ),
    fc.integer().map((n) => new Point(n)),
    fc.integer().map((n) => ({
      get computed() {
        return n
      },
    })),
    fc.dictionary(fc.string(), tie('value')),
    fc.dictionary(fc.string(), tie('value'), { noNullPrototype: false }),
    fc.array(tie('value')),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((entries) => new Map(entries)),
    fc.dictionary(fc.string(), tie('value')).map((object) => Object.assign(object, { self: object })),
    fc.array(tie('value')).map((items) => {
      items.push(items)
      return items
    }),
    fc.constant(0).map(() => {
      const map = new Map<string, unknown>()
      return map.set('map', map)
    }),
  ),
})).value
