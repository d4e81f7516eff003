import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatId, mix, mixed } from '#src/lane/ids.js'

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

describe('ids', () => {
  test('the same inputs make the same id, so a replay makes the same ids', () => {
    fc.assert(
      fc.property(word, word, word, (low, high, n) => {
        mix(low, high, n)
        const first = { ...mixed }
        mix(high, low, n + 1)
        mix(low, high, n)
        assert.deepEqual(mixed, first)
        assert.deepEqual([mixed.low, mixed.high], [mixed.low | 0, mixed.high | 0])
      }),
    )
  })

  test('no two records of a chunk share one, nor those of two chunks of a source', () => {
    const seen = new Set<string>()
    const [chunks, records] = [500, 200]
    for (let chunk = 0; chunk < chunks; chunk++) {
      mix(1, 0x5eed, chunk)
      const { low, high } = mixed
      for (let i = 0; i < records; i++) {
        mix(low, high, i)
        seen.add(formatId(mixed.low, mixed.high))
      }
    }
    assert.equal(seen.size, chunks * records)
  })

  test('different ids stay different when the same number is mixed in', () => {
    fc.assert(
      fc.property(word, word, word, word, word, (a, b, c, d, n) => {
        fc.pre(a !== c || b !== d)
        mix(a, b, n)
        const first = { ...mixed }
        mix(c, d, n)
        assert.notDeepEqual(mixed, first)
      }),
      { numRuns: 2000 },
    )
  })

  test('every bit of an id depends on the number', () => {
    let [low, high] = [0, 0]
    mix(3, 4, 0)
    const base = { ...mixed }
    for (let n = 1; n < 64; n++) {
      mix(3, 4, n)
      low |= mixed.low ^ base.low
      high |= mixed.high ^ base.high
    }
    assert.deepEqual([low, high], [-1, -1])
  })

  test('as text an id is 16 hexadecimal digits', () => {
    assert.equal(formatId(-1, 0), '00000000ffffffff')
    assert.equal(formatId(0x1a, -2), 'fffffffe0000001a')
  })
})
