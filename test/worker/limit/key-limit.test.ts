/** Each key has its own limit: the keys of one worker never take more than it, whatever is forgotten, and whoever died before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { viewMemory } from '#src/memory/memory.js'
import { RATE, RATE_LIMIT_BYTES } from '#src/memory/control.js'
import { KeyLimit } from '#src/worker/limit/key-limit.js'

const START = 777.7

function limited({ perSecond, burst = 0, keys = 100 }: { perSecond: number; burst?: number; keys?: number }) {
  const memory = viewMemory(new SharedArrayBuffer(RATE_LIMIT_BYTES))
  return {
    limit: new KeyLimit(memory, { offset: 0, perSecond, burst, atOnce: 1, keys }),
    setRate: (to: number) => void (memory.floats[RATE] = to),
  }
}

/** The most that a bucket lets through: counted beside the limit, and without end. */
class Counted {
  readonly #freshAt = new Map<string | number, number>()
  readonly #everyMs: number
  readonly #burst: number

  constructor(perSecond: number, burst: number) {
    this.#everyMs = 1000 / perSecond
    this.#burst = burst
  }

  /** @returns by how many records more than the limit allows have gone by now */
  take(key: string | number, nowMs: number): number {
    const freshAt = Math.max(this.#freshAt.get(key) ?? 0, nowMs) + this.#everyMs
    this.#freshAt.set(key, freshAt)
    return (freshAt - nowMs) / this.#everyMs - this.#burst
  }
}

test('the first record of each key goes at once, and the second one an interval after the first', () => {
  for (const perSecond of [0.001, 1, 50, 999]) {
    const { limit } = limited({ perSecond })
    for (const key of ['a', 'b', 7]) {
      assert.equal(limit.take(key, START, false), true)
      const burst = Math.max(1, Math.floor(perSecond / 100))
      for (let more = 1; more < burst; more++) assert.equal(limit.take(key, START, false), true)
      assert.equal(limit.take(key, START, false), false)
      const at = limit.nextAt(key, START)
      assert.ok(Math.abs(at - START - 1000 / perSecond) < 1e-6 * at, `${at - START} ms at ${perSecond}/s`)
      assert.equal(limit.take(key, at, true), true)
    }
  }
})

const event = fc.record({
  key: fc.nat(9),
  waitMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100, noNaN: true })),
  /** Its worker dies before, or keys come to it. */
  isNew: fc.nat(9).map((n) => n === 0),
})

test('with a burst, no key ever takes more than its limit and one burst, through deaths and with few keys remembered', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(event, { maxLength: 300 }),
      (perSecond, burst, keys, events) => {
        const { limit } = limited({ perSecond, burst, keys })
        const counted = new Counted(perSecond, burst)
        let now = START
        for (const { key, waitMs, isNew } of events) {
          now += waitMs
          if (isNew) limit.startEmpty(now)
          if (!limit.take(key, now, true)) continue
          const over = counted.take(key, now)
          assert.ok(over < 1e-6, `${over} records too many at ${now - START} ms`)
        }
      },
    ),
  )
})

test('who is called late makes up for what its key has missed, and for a tenth of a second at most', () => {
  const { limit } = limited({ perSecond: 100 })
  assert.equal(limit.take('a', START, false), true)
  let records = 0
  while (limit.take('a', START + 60, true)) records++
  assert.ok(records >= 5 && records <= 7, `${records} records after 60 ms`)
  records = 0
  while (limit.take('a', START + 10_000, true)) records++
  assert.ok(records >= 10 && records <= 11, `${records} records after 10 s`)
})

test('with a burst, nothing is made up for', () => {
  const { limit } = limited({ perSecond: 100, burst: 2 })
  while (limit.take('a', START, true));
  let records = 0
  while (limit.take('a', START + 10_000, true)) records++
  assert.equal(records, 2)
})

test('the key that was used longest ago, of those that may send a burst again, is forgotten first', () => {
  const { limit } = limited({ perSecond: 10, keys: 2 })
  assert.equal(limit.take('a', START, false), true)
  assert.equal(limit.take('b', START + 50, false), true)
  assert.equal(limit.hasRoom(START + 60), false)
  assert.equal(limit.roomAt, START + 100)
  assert.equal(limit.take('c', START + 60, false), false)
  assert.equal(limit.take('c', START + 100, false), true)
  assert.equal(limit.nextAt('b', START + 100), START + 150)
})

test('a key for which there is no room takes nothing, and takes what is its own once there is', () => {
  const { limit } = limited({ perSecond: 10, burst: 3, keys: 1 })
  while (limit.take('a', START, false));
  for (let ms = 0; ms < 299; ms++) assert.equal(limit.take('b', START + ms, true), false)
  assert.equal(limit.roomAt, START + 300)
  assert.equal(limit.take('b', START + 300, true), true)
})

test('a rate that is changed holds at once, and what was taken in advance stays the same number of records', () => {
  const { limit, setRate } = limited({ perSecond: 0.01 })
  assert.equal(limit.take('a', START, false), true)
  assert.equal(limit.nextAt('a', START), START + 100_000)
  setRate(10)
  assert.equal(limit.look(START), true)
  assert.ok(Math.abs(limit.nextAt('a', START) - START - 100) < 1e-6)
  assert.equal(limit.look(START), false)
  setRate(Infinity)
  assert.equal(limit.look(START), true)
  for (let i = 0; i < 1_000; i++) assert.equal(limit.take('a', START, false), true)
  setRate(0)
  assert.equal(limit.look(START), true)
  assert.equal(limit.take('a', START, false), true)
  assert.equal(limit.take('a', START, false), false)
})

test('who comes in the place of another lets nothing through before its own first interval is over', () => {
  const { limit } = limited({ perSecond: 10, burst: 3 })
  limit.startEmpty(START)
  assert.equal(limit.take('a', START, true), false)
  assert.equal(limit.nextAt('a', START), START + 100)
  assert.equal(limit.take('a', START + 100, true), true)
  assert.equal(limit.take('a', START + 100, true), false)
})
