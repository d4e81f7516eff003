import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { DeadLetters } from '#src/supervisor/dead-letters.js'

const TOLD: Parameters<DeadLetters['add']>[0] = {
  node: 'parse',
  worker: 0,
  outcome: 'failed',
  attempts: 1,
  error: { name: 'Error', message: 'no good' },
}

test('the oldest letters make room where there are too many of them, or they take too much, and are counted', () => {
  const letters = new DeadLetters(3, 10_000)
  for (let i = 0; i < 5; i++) letters.add({ ...TOLD, input: i })
  assert.deepEqual(
    letters.list().map(({ id }) => id),
    [5, 4, 3],
  )
  assert.equal(letters.dropped, 2)
  letters.add({ ...TOLD, input: 'x'.repeat(8_500) })
  assert.deepEqual(
    letters.list().map(({ input }) => String(input).length),
    [8_500, 1],
  )
  assert.deepEqual([letters.total, letters.dropped], [6, 4])
  assert.equal(letters.purge(), 2)
  assert.equal(letters.bytes, 0)
})

test('six hundred records of 4 MB take no more than the bound', () => {
  const letters = new DeadLetters(1_000, 16 * 1_048_576)
  const input = new Uint8Array(4 * 1_048_576)
  for (let i = 0; i < 600; i++) letters.add({ ...TOLD, input })
  assert.equal(letters.list().length, 3)
  assert.equal(letters.dropped, 597)
  assert.ok(letters.bytes <= 16 * 1_048_576)
})

test('a record that is too large by itself, or cannot be kept, leaves its letter without it', () => {
  const letters = new DeadLetters(10, 10_000)
  letters.add({ ...TOLD, input: 'x'.repeat(20_000) })
  letters.add({ ...TOLD, input: () => 1 })
  letters.add({ ...TOLD, input: undefined })
  letters.add(TOLD)
  assert.deepEqual(
    letters.list().map((letter) => 'input' in letter),
    [false, true, false, false],
  )
  letters.add({ ...TOLD, error: { name: 'Error', message: 'x'.repeat(1_000_000), stack: 'y'.repeat(1_000_000) } })
  assert.equal(letters.list().length, 0)
  assert.deepEqual([letters.bytes, letters.dropped], [0, 5])
})

/** `deepStrictEqual` finds no invalid date among the keys of a map, or in a set. */
const hasNoInvalidDate = (value: unknown): boolean => !inspect(value, { depth: Infinity }).includes('Invalid Date')

test('a letter gives its record as it came, as often as it is asked, and is one object', () => {
  const letters = new DeadLetters(10)
  fc.assert(
    fc.property(
      fc
        .anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })
        .filter(hasNoInvalidDate),
      (input) => {
        letters.add({ ...TOLD, input })
        const [letter] = letters.list()
        const expected: unknown = structuredClone(input)
        assert.deepStrictEqual(letter!.input, expected)
        assert.deepStrictEqual(letter!.input, expected)
        assert.equal(letters.get(letter!.id), letter)
      },
    ),
  )
})

test('whatever comes and goes, the books are right', () => {
  const step = fc.oneof(
    fc.nat(4_000).map((size) => ({ size })),
    fc.nat(60).map((purged) => ({ purged })),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.nat(10), fc.nat(12_000), (steps, most, mostBytes) => {
      const letters = new DeadLetters(most, mostBytes)
      let [added, purged] = [0, 0]
      for (const each of steps) {
        if ('size' in each) {
          letters.add({ ...TOLD, input: 'x'.repeat(each.size) })
          added++
        } else purged += letters.purge(each.purged)
        const kept = letters.list()
        assert.ok(kept.length <= most && letters.bytes <= mostBytes)
        assert.equal(
          letters.bytes,
          kept.reduce((sum, { bytes }) => sum + bytes, 0),
        )
        assert.equal(letters.total, added)
        if (most > 0) assert.equal(kept.length + letters.dropped + purged, added)
      }
    }),
  )
})
