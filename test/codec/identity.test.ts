/** Objects that are referred to more than once within one record, and records that refer to themselves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecOf } from '#src/codec/codecs.js'
import { Identities } from '#src/codec/identity.js'
import fc from 'fast-check'
import { roundTrip } from './harness.js'

/** Who refers to whom: the objects of a value in the order of a walk, each named by its first place. */
function references(value: unknown): string {
  const names = new Map<unknown, number>()
  const look = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return typeof part
    const known = names.get(part)
    if (known !== undefined) return known
    names.set(part, names.size)
    if (part instanceof Map) return [...part].map(([key, item]) => [look(key), look(item)])
    if (part instanceof Set) return [...part].map(look)
    return [part.constructor?.name, ...Object.keys(part).map((key) => [key, look(Reflect.get(part, key))])]
  }
  return JSON.stringify(look(value))
}

/** A value of so many objects of all kinds, which refer to each other at random. */
const web = fc
  .array(fc.record({ kind: fc.nat({ max: 5 }), to: fc.array(fc.nat({ max: 29 }), { maxLength: 4 }) }), {
    minLength: 1,
    maxLength: 30,
  })
  .map((drawn) => {
    const objects = drawn.map(
      ({ kind }): object => [{}, [], new Map(), new Set(), new Date(5), new Uint8Array(2)][kind]!,
    )
    drawn.forEach(({ to }, i) => {
      to.forEach((other, j) => {
        const [from, target] = [objects[i]!, objects[other % objects.length]!]
        if (Array.isArray(from)) from.push(target)
        else if (from instanceof Map) from.set(`${j}`, target)
        else if (from instanceof Set) from.add(target)
        else if (from.constructor === Object) Object.assign(from, { [`to${j}`]: target })
      })
    })
    return objects[0]!
  })

for (const name of ['shape', 'msgpack'] as const) {
  test(`${name}: objects that refer to each other in any way arrive as structuredClone makes them`, () => {
    fc.assert(
      fc.property(web, (value) => {
        const [arrived] = roundTrip(codecOf(name), [value])
        assert.deepStrictEqual(arrived, structuredClone(value))
        assert.equal(references(arrived), references(structuredClone(value)))
      }),
      { numRuns: 500 },
    )
  })

  test(`${name}: a record that refers to itself arrives so, however often its like has come before`, () => {
    const plain = { id: 1, next: null, all: [1, 2] }
    const cycle: Record<string, unknown> = { id: 1, next: null, all: [1, 2] }
    cycle['next'] = { back: cycle }
    const arrived = roundTrip(codecOf(name), [plain, plain, plain, plain, cycle, plain])[4] as typeof cycle
    assert.deepStrictEqual(arrived, cycle)
    assert.equal((arrived['next'] as { back: unknown }).back, arrived)
  })
}

/** What arrives of a value after its shape was learned. */
function learned<T>(record: T, sent: T): T {
  const teaching = Array.from({ length: 4 }, () => structuredClone(record))
  return roundTrip(codecOf('shape'), [...teaching, sent]).at(-1) as T
}

describe('the fields of a learned shape', () => {
  const LONG = Array.from({ length: 17 }, (_, i) => i)

  test('are sent by value where the shape bounds them: Dates, objects, arrays of up to 16', () => {
    const [at, user, tags] = [new Date(7), { name: 'x' }, ['a']]
    const record = { at, until: at, user, owner: user, tags, labels: tags }
    assert.deepStrictEqual(learned({ ...record, until: new Date(8) }, record), record)
  })

  test('keep their identity where they are long arrays', () => {
    const separate = { a: [...LONG], b: [...LONG] }
    const arrived = learned(separate, { a: LONG, b: LONG })
    assert.deepStrictEqual(arrived, separate)
    assert.equal(arrived.a, arrived.b)
    const rows = { rows: [{ cells: [...LONG] }, { cells: [...LONG] }] }
    const shared = learned(rows, { rows: [{ cells: LONG }, { cells: LONG }] })
    assert.equal(shared.rows[0]!.cells, shared.rows[1]!.cells)
    assert.notEqual(learned(separate, separate).a, learned(separate, separate).b)
  })

  test('keep their identity where they hold anything', () => {
    const part = { any: 1n }
    const arrived = learned({ a: { any: 2n }, b: { any: 2n } }, { a: { any: part }, b: { any: part } })
    assert.equal(arrived.a.any, arrived.b.any)
  })
})

test('identities: an object is new once, of few and of many; after `clear` it is new again', () => {
  const met = new Identities()
  for (let round = 0; round < 2; round++) {
    const objects = Array.from({ length: 40 }, () => ({}))
    for (const [i, object] of objects.entries()) {
      assert.equal(met.add(object), true)
      assert.ok(objects.slice(0, i + 1).every((each) => !met.add(each)))
    }
    met.clear()
  }
})
