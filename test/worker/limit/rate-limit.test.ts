/** The workers of a stage share its rate limit: what one leaves another takes, and together they never take more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { viewMemory } from '#src/memory/memory.js'
import { RATE, RATE_LIMIT_BYTES } from '#src/memory/control.js'
import { RateLimit } from '#src/worker/limit/rate-limit.js'

interface Limited {
  readonly workers: readonly RateLimit[]
  readonly setRate: (perSecond: number) => void
}

function limited(perSecond: number, workers: number): Limited {
  const memory = viewMemory(new SharedArrayBuffer(RATE_LIMIT_BYTES))
  return {
    workers: Array.from(
      { length: workers },
      () => new RateLimit(memory, { offset: 0, perSecond, burst: 0, atOnce: 1 }),
    ),
    setRate: (to) => void (memory.floats[RATE] = to),
  }
}

/** Records that a worker takes which has always one more and waits as it is told to. */
function taken(limit: RateLimit, fromMs: number, toMs: number): number {
  let records = 0
  for (let now = fromMs; now < toMs; now = Math.max(limit.nextAt(now), now + 0.001)) records += limit.take(1, now)
  return records
}

test('the first record goes at once, however old the process and however slow the rate', () => {
  for (const nowMs of [0, 1, 999.9, 1e6, 1e10])
    for (const perSecond of [0.001, 1, 999, 1_000, 1e6]) {
      const [limit] = limited(perSecond, 1).workers
      assert.equal(limit!.allowed(nowMs) >= 1, true)
      assert.equal(limit!.take(1, nowMs), 1)
    }
})

test('a slow rate is even: the second record goes one interval after the first', () => {
  for (const perSecond of [0.001, 0.5, 3, 100]) {
    const [limit] = limited(perSecond, 1).workers
    const start = 12_345.678
    assert.equal(limit!.take(1, start), 1)
    assert.equal(limit!.take(1, start + 0.001), 0)
    const wait = limit!.nextAt(start) - start
    assert.ok(Math.abs(wait - 1000 / perSecond) <= 2 + 1 / perSecond, `${wait} ms at ${perSecond}/s`)
    assert.equal(limit!.take(1, start + wait + 0.01), 1)
  }
})

test('one worker of four that alone has records gets the whole rate', () => {
  const { workers } = limited(1_000, 4)
  const records = taken(workers[2]!, 5_000, 7_000)
  assert.ok(Math.abs(records - 2_000) <= 20, `${records} records in 2 s`)
})

test('any number of workers take at most the rate and one burst, and all of it where they want it', () => {
  const rate = fc.oneof(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1_000, max: 2_000_000 }))
  const step = fc.record({
    worker: fc.nat(7),
    most: fc.integer({ min: 1, max: 600 }),
    waitMs: fc.double({ min: 0, max: 30, noNaN: true }),
  })
  fc.assert(
    fc.property(
      rate,
      fc.integer({ min: 1, max: 8 }),
      fc.array(step, { minLength: 1, maxLength: 200 }),
      (perSecond, count, steps) => {
        const { workers } = limited(perSecond, count)
        const start = 777.7
        let now = start
        let records = 0
        for (const { worker, most, waitMs } of steps) {
          now += waitMs
          records += workers[worker % count]!.take(most, now)
          const most1 = ((now - start) * perSecond) / 1000 + Math.max(1, perSecond / 100) + 1
          assert.ok(records <= most1, `${records} records after ${now - start} ms at ${perSecond}/s`)
        }
      },
    ),
  )
})

test('after a pause one burst of ten milliseconds goes, not all that was missed', () => {
  for (const pauseMs of [100, 10_000, 1e8]) {
    const [limit] = limited(50_000, 1).workers
    limit!.take(1, 1_000)
    assert.equal(limit!.take(1e6, 1_000 + pauseMs), 500)
  }
})

test('a changed rate holds at once, from the fastest to the slowest and back', () => {
  const { workers, setRate } = limited(1_000_000, 2)
  let now = 10_000
  for (const perSecond of [100_000, 10, 500_000, 0.5, 1_000, 999]) {
    setRate(perSecond)
    // What may stand over from the rate before: a burst, and the clocks of two workers apart.
    taken(workers[0]!, now, now + 100)
    now += 100
    const forMs = Math.max(2_000, 10_000 / perSecond)
    const records = taken(workers[1]!, now, now + Math.min(forMs, 50_000))
    const expected = (perSecond * Math.min(forMs, 50_000)) / 1000
    assert.ok(
      Math.abs(records - expected) <= Math.max(1, perSecond / 100) + 1,
      `${records} of ${expected} at ${perSecond}/s`,
    )
    now += Math.min(forMs, 50_000)
  }
})

test('the slowest rate is no missing one, and the fastest is no limit', () => {
  const [slow] = limited(Number.MIN_VALUE, 1).workers
  assert.equal(slow!.take(9, 1), 1)
  assert.equal(slow!.take(9, 1e12), 0)
  assert.equal(slow!.nextAt(1e12), Infinity)
  const [fast] = limited(Number.MAX_VALUE, 1).workers
  assert.equal(fast!.take(1e6, 1), 1e6)
})

test('without a limit all goes', () => {
  const [limit] = limited(0, 1).workers
  assert.equal(limit!.allowed(1), Infinity)
  assert.equal(limit!.take(7, 1), 7)
  assert.equal(limit!.nextAt(1), 1)
})
