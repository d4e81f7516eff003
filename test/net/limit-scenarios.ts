/**
 * Stages where each key has a rate limit, each case as the smallest graph that shows it, on one thread, in a time that leaps. Run under
 * the condition `net`, by `net.test.ts`.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dataflow, type Failure, type GraphData } from 'millrace/graph'
import { fuse } from '#src/test-kit/fuse.js'
import { type Played, play } from './play.ts'

interface Call {
  readonly n: number
  readonly atMs: number
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const sorted = (records: readonly unknown[] = []): number[] => [...(records as number[])].sort((a, b) => a - b)
const firstHundred = (n: number): number => (n < 100 ? 0 : 1)
const inTurn = (keys: number) => (n: number) => n % keys

function check({ faults, pipeline }: Played): void {
  assert.deepEqual(faults, [])
  pipeline.check()
  assert.deepEqual(faults, [])
}

/** @param records what the source makes; a number: so many */
function graphOf(work: object, records: number | readonly unknown[] = 60, failures = false): GraphData {
  const graph = dataflow('limits', import.meta.url)
    .source('in', { produce: () => (typeof records === 'number' ? numbers(records) : (records as number[])) })
    .transform('work', { maxCrashes: 100, ...(work as { map: (n: number) => number }) })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  if (!failures) return graph
  return graph.sink('failed').connect('work', 'failed', { pathType: 'error' })
}

/** The most calls of one key, at any time, beyond what its rate allows since the first one: at most its burst. */
function burstOf(calls: readonly Call[], keyOf: (n: number) => number, perSecond: number): number {
  const everyMs = 1000 / perSecond
  const freshAt = new Map<number, number>()
  let most = 0
  for (const { n, atMs } of calls) {
    const next = Math.max(freshAt.get(keyOf(n)) ?? 0, atMs) + everyMs
    freshAt.set(keyOf(n), next)
    most = Math.max(most, (next - atMs) / everyMs)
  }
  return most
}

function passed(n: number): number {
  fuse.visit()
  return n
}

/** The first call of each record. */
function firsts(calls: readonly Call[]): Call[] {
  const seen = new Set<number>()
  return calls.filter(({ n }) => !seen.has(n) && seen.add(n))
}

describe('each key has its own limit', () => {
  test('and one that waits for it holds up no other', async () => {
    // A hundred of the first key, and behind them ten of another one.
    const calls: Call[] = []
    const played = await play(() =>
      graphOf(
        {
          rateLimit: { perSecond: 10, burst: 1, by: firstHundred },
          map: (n: number) => {
            calls.push({ n, atMs: performance.now() })
            return n
          },
        },
        110,
      ),
    )
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), numbers(110))
    const at = (n: number): number => calls.find((call) => call.n === n)!.atMs
    const start = calls[0]!.atMs
    assert.ok(at(100) - start < 1, 'the other key begins at once')
    assert.ok(at(109) - start < 902, 'and ends in its own time')
    assert.ok(Math.abs(at(99) - start - 9_900) < 20, `the first key takes ${at(99) - start} ms`)
  })

  for (const [what, options] of [
    ['with handlers that answer at once', {}],
    ['with several open calls', { maxInFlight: 4, async: true }],
    ['in the order of the input', { ordered: true }],
  ] as const) {
    test(`and holds it within 1 %, ${what}`, async () => {
      const calls: Call[] = []
      const { async, ...rest } = { async: false, ...options }
      const map = (n: number): number => {
        calls.push({ n, atMs: performance.now() })
        return n
      }
      const played = await play((later) =>
        graphOf(
          {
            ...rest,
            rateLimit: { perSecond: 50, by: inTurn(10) },
            map: async ? (n: number) => later(() => map(n)) : map,
          },
          1_010,
        ),
      )
      check(played)
      assert.equal(calls.length, 1_010)
      const tookMs = calls.at(-1)!.atMs - calls[0]!.atMs
      assert.ok(Math.abs(tookMs / 2_000 - 1) < 0.01, `${tookMs} ms for 101 records of each key`)
    })
  }

  test('the records of one key are called in their order', async () => {
    const calls: number[] = []
    const played = await play(() =>
      graphOf({
        rateLimit: { perSecond: 100, by: inTurn(7) },
        map: (n: number) => {
          calls.push(n)
          return n
        },
      }),
    )
    check(played)
    for (const key of numbers(7)) {
      const own = calls.filter((n) => n % 7 === key)
      assert.deepEqual(own, sorted(own))
    }
  })

  test('so many keys are remembered, and those of others wait until one can be forgotten', async () => {
    for (const keys of [1, 2, 5]) {
      const calls: Call[] = []
      const played = await play(() =>
        graphOf({
          rateLimit: { perSecond: 20, burst: 2, keys, by: inTurn(6) },
          map: (n: number) => {
            calls.push({ n, atMs: performance.now() })
            return n
          },
        }),
      )
      check(played)
      assert.deepEqual(sorted(played.out.get('out')), numbers(60))
      assert.ok(burstOf(calls, inTurn(6), 20) < 2.01)
    }
  })

  test('further attempts count', async () => {
    const calls: Call[] = []
    const played = await play(() =>
      graphOf(
        {
          rateLimit: { perSecond: 10, burst: 1, by: () => 'one' },
          retry: { maxAttempts: 3, baseMs: 0 },
          map: (n: number, { attempt }: { attempt: number }) => {
            calls.push({ n: 0, atMs: performance.now() })
            if (attempt < 3) throw new Error('not yet')
            return n
          },
        },
        10,
      ),
    )
    check(played)
    assert.equal(calls.length, 30)
    assert.ok(burstOf(calls, () => 0, 10) < 1.01)
  })

  test('with `preload`, what is looked up is what may go', async () => {
    const looked: Call[] = []
    const played = await play((later) =>
      graphOf({
        rateLimit: { perSecond: 50, burst: 1, by: inTurn(3) },
        preload: (records: readonly number[]) => {
          for (const n of records) looked.push({ n, atMs: performance.now() })
          return later(() => records.map((n) => n))
        },
        map: (n: number, { preloaded }: { preloaded: number }) => (preloaded === n ? n : -1),
      }),
    )
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), numbers(60))
    assert.ok(burstOf(looked, inTurn(3), 50) < 1.01)
  })

  test('records that the stash has no room for wait on their lane', async () => {
    const records = numbers(40).map((n) => ({ n, pad: 'x'.repeat(n % 10 === 3 ? 2_000 : 50) }))
    const calls: Call[] = []
    const played = await play(() =>
      graphOf(
        {
          stashBytes: 4_096,
          rateLimit: { perSecond: 100, burst: 1, by: ({ n }: { n: number }) => n % 4 },
          map: ({ n }: { n: number }) => {
            calls.push({ n, atMs: performance.now() })
            return n
          },
        },
        records,
      ),
    )
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), numbers(40))
    assert.ok(burstOf(calls, inTurn(4), 100) < 1.01)
  })
})

describe('a limit by key, whoever dies', () => {
  for (const [what, options] of [
    ['with handlers that answer at once', {}],
    ['with open calls', { maxInFlight: 4, async: true }],
    ['in the order of each key', { ordered: true, maxInFlight: 4, async: true, partitionBy: inTurn(5) }],
    ['with a small stash', { stashBytes: 4_096 }],
    ['with several workers', { concurrency: 2 }],
    ['with few keys remembered', { keys: 2 }],
  ] as const) {
    test(`holds, and loses no record, ${what}`, async () => {
      let deaths = 0
      for (const seed of [1, 2, 3, 4]) {
        const calls: Call[] = []
        const by = inTurn(5)
        const { async, keys, ...rest } = { async: false, keys: 100, ...options }
        const called = (n: number): number | undefined => {
          if (!fuse.isDead) calls.push({ n, atMs: performance.now() })
          return n
        }
        const played = await play(
          (later) =>
            graphOf({
              partitionBy: by,
              ...rest,
              rateLimit: { perSecond: 50, burst: 2, keys, by },
              map: (n: number) => {
                called(n)
                return async ? later(() => passed(n)) : passed(n)
              },
            }),
          { seed, deathShare: 0.8, maxDeaths: 100 },
        )
        check(played)
        deaths += played.pipeline.deaths
        const out = (played.out.get('out') ?? []) as number[]
        assert.deepEqual(sorted(out), numbers(60))
        // What a crash cut off while it was sent is called once more, at once.
        const burst = burstOf(firsts(calls), by, 50)
        assert.ok(burst < 2.01, `${burst} records of one key at once, seed ${seed}`)
        if ('ordered' in options)
          for (const key of numbers(5)) {
            const own = out.filter((n) => by(n) === key)
            assert.deepEqual(own, sorted(own))
          }
      }
      assert.ok(deaths > 40, `${deaths} deaths`)
    })
  }

  test('a worker in the place of one that died lets nothing through before its first interval', async () => {
    const calls: Call[] = []
    let hasDied = false
    const played = await play(() =>
      graphOf(
        {
          rateLimit: { perSecond: 2, burst: 5, by: () => 'one' },
          map: (n: number) => {
            calls.push({ n, atMs: performance.now() })
            if (n === 4 && !hasDied) {
              hasDied = true
              fuse.die()
            }
            return n
          },
        },
        8,
      ),
    )
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), numbers(8))
    const start = calls[0]!.atMs
    assert.ok(calls.filter(({ atMs }) => atMs - start < 450).length === 5, 'the burst, and no more')
  })
})

/** What came out, and what failed, of twenty records. */
async function failuresOf(by: (n: number) => unknown, options: object = {}): Promise<[number[], Failure<number>[]]> {
  const played = await play(() =>
    graphOf({ rateLimit: { perSecond: 1_000, by }, map: (n: number) => n, maxCrashes: 2, ...options }, 20, true),
  )
  check(played)
  return [sorted(played.out.get('out')), (played.out.get('failed') ?? []) as Failure<number>[]]
}

describe('what `rateLimit.by` does wrong', () => {
  test('a throw fails that record, and no other', async () => {
    const [out, failed] = await failuresOf((n) => {
      if (n === 7) throw new Error('no key')
      return n % 3
    })
    assert.deepEqual(
      out,
      numbers(20).filter((n) => n !== 7),
    )
    assert.deepEqual(
      failed.map(({ input, error }) => [input, error.message]),
      [[7, 'no key']],
    )
  })

  for (const key of [NaN, undefined, {}, Promise.resolve(1)]) {
    test(`${key === undefined ? 'undefined' : Object.prototype.toString.call(key)} is no key`, async () => {
      const [out, failed] = await failuresOf((n) => (n === 7 ? key : n % 3))
      assert.deepEqual(
        out,
        numbers(20).filter((n) => n !== 7),
      )
      assert.deepEqual(
        failed.map(({ input, error }) => [input, error.code]),
        [[7, 'KEY_INVALID']],
      )
    })
  }

  for (const [what, options] of [
    ['', {}],
    [', with `preload`', { preload: (records: readonly number[]) => records }],
  ] as const) {
    test(`a record whose key kills the worker is given up, and no other${what}`, async () => {
      const [out, failed] = await failuresOf((n) => (n === 7 ? fuse.die() : n % 3), options)
      assert.deepEqual(
        out,
        numbers(20).filter((n) => n !== 7),
      )
      assert.deepEqual(
        failed.map(({ input, error }) => [input, error.code]),
        [[7, 'RECORD_POISONED']],
      )
    })

    test(`a throw is tried again as \`retry\` says${what}`, async () => {
      let throws = 0
      const by = (n: number): number => {
        if (n === 7 && throws++ < 2) throw new Error('not yet')
        return n % 3
      }
      const [out, failed] = await failuresOf(by, { ...options, retry: { maxAttempts: 3, baseMs: 1 } })
      assert.deepEqual(out, numbers(20))
      assert.deepEqual(failed, [])
    })
  }
})
