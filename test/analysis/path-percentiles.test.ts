import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentile, ROUNDING, roundings, spreadOf, sumOf } from '#src/analysis/live/spread.js'
import fc from 'fast-check'
import { type Bucket, type Distributions, type Percentiles } from 'millrace'
import { pathPercentiles } from 'millrace/analysis'
import { graphOf } from './graphs.js'

const chain = graphOf(['source in', 'transform work', 'sink out'], ['in > work', 'work > out'])
const WAY = ['in', 'work', 'out']

/** Times as they are, each counted so often. */
function times(...counts: readonly (readonly [ms: number, count: number])[]): readonly Bucket[] {
  return counts.map(([ms, count]) => ({ fromMs: ms, toMs: ms, count }))
}

/** At most as much too large as the bound says, and never too small. */
function within(figure: number, exact: number, error: number): void {
  assert.ok(figure >= exact * (1 - 1e-12), `${figure} is less than ${exact}`)
  assert.ok(figure * (1 - error) <= exact * (1 + 1e-12), `${figure} is more than ${error} above ${exact}`)
}

test('two stages that are slow once in ten: the 99th percentile is that of one of them, not of both', () => {
  const slow = times([1, 90], [10, 10])
  const [found] = pathPercentiles(chain, { work: { lane: slow, service: slow }, out: { lane: times([0, 5]) } })
  assert.ok(found)
  assert.deepEqual(found.nodes, WAY)
  // 81 % take 2 ms, 18 % 11 ms, 1 % 20 ms.
  within(found.convolved.p50Ms, 2, found.error)
  within(found.convolved.p99Ms, 11, found.error)
  within(found.convolved.p999Ms, 20, found.error)
  assert.deepEqual(found.sums, { p50Ms: 2, p99Ms: 20, p999Ms: 20 })
  assert.ok(found.error > 0 && found.error < 0.006)
  assert.deepEqual([found.measured, found.dependence, found.unmeasured], [undefined, undefined, []])
})

test('what was measured end to end shows the dependence: where both are slow together, more; where in turn, less', () => {
  const slow = times([1, 90], [10, 10])
  const parts = { work: { lane: slow, service: slow } }
  const dependence = (endToEnd: readonly Bucket[]): Percentiles | undefined =>
    pathPercentiles(chain, { ...parts, out: { lane: times([0, 1]), endToEnd } })[0]?.dependence
  const together = dependence(times([2, 90], [20, 10]))
  assert.ok(together && Math.abs(together.p99Ms - (20 - 11)) < 0.1 && Math.abs(together.p50Ms) < 0.1)
  const inTurn = dependence(times([2, 80], [11, 20]))
  assert.ok(inTurn && Math.abs(inTurn.p99Ms) < 0.1 && Math.abs(inTurn.p999Ms - (11 - 20)) < 0.1)
})

test('the service of the source is not on the way, and of the last stage what its lane holds: end to end is measured so', () => {
  const distributions: Distributions = {
    in: { service: times([1_000, 1]) },
    work: { lane: times([1, 1]), service: times([2, 1]) },
    out: { lane: times([4, 1]), service: times([1_000, 1]), endToEnd: times([7, 1]) },
  }
  const [found] = pathPercentiles(chain, distributions)
  within(found!.convolved.p50Ms, 7, found!.error)
  assert.equal(found!.measured?.p999Ms, 7)
})

test('where a lane holds the service, the service is not counted again', () => {
  const work = { lane: times([3, 1]), service: times([2, 1]) }
  const p50 = (isServedOnLane: boolean): number | undefined =>
    pathPercentiles(chain, { work: { ...work, isServedOnLane }, out: { lane: times([0, 1]) } })[0]?.convolved.p50Ms
  within(p50(false)!, 5, 0.006)
  within(p50(true)!, 3, 0.006)
})

test('what was not measured counts as nothing and is named', () => {
  const [found] = pathPercentiles(chain, { work: { lane: times([3, 1]), service: [] } })
  assert.deepEqual([found?.convolved.p99Ms, found?.unmeasured], [3, ['work', 'out']])
  const none = pathPercentiles(chain, {})[0]
  assert.deepEqual([none?.convolved.p99Ms, none?.sums.p99Ms, none?.error], [0, 0, 0])
})

test('the way with the largest 99th percentile comes first; the slowest to each sink are looked at, or those that are given', () => {
  const fork = graphOf(
    ['source in', { kind: 'transform', id: 'a', latencyMs: 5 }, 'transform b', 'merge all', 'sink one', 'sink two'],
    ['in > a', 'in > b', 'a > one', 'a > all', 'b > all', 'all > two'],
  )
  const distributions = { one: { lane: times([1, 1]) }, two: { lane: times([2, 1]) } }
  const found = pathPercentiles(fork, distributions)
  assert.deepEqual(
    found.map(({ nodes, isOnlyWay }) => [...nodes, isOnlyWay]),
    [
      ['in', 'a', 'all', 'two', false],
      ['in', 'a', 'one', true],
    ],
  )
  const [given] = pathPercentiles(fork, distributions, { ways: [['in', 'b', 'all', 'two']] })
  assert.equal(given?.convolved.p50Ms, 2)
  assert.throws(() => pathPercentiles(fork, {}, { ways: [['nobody']] }), { code: 'NODE_UNKNOWN' })
})

test('a retry makes a way one of several', () => {
  const again = graphOf(
    ['source in', 'transform work', 'sink out'],
    ['in > work', 'work > out', { from: 'work', to: 'work', pathType: 'retry' }],
  )
  assert.equal(pathPercentiles(chain, {})[0]?.isOnlyWay, true)
  assert.equal(pathPercentiles(again, {})[0]?.isOnlyWay, false)
})

const someTimes = fc
  .array(fc.tuple(fc.double({ min: 0.001, max: 1_000, noNaN: true }), fc.integer({ min: 1, max: 50 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((counts) => times(...counts))

test('the sum of independent times is that of a count of all cases, but for what rounding adds', () => {
  fc.assert(
    fc.property(
      fc.array(someTimes, { minLength: 1, maxLength: 4 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (parts, share) => {
        let cases = [{ ms: 0, share: 1 }]
        for (const part of parts) {
          const total = part.reduce((sum, { count }) => sum + count, 0)
          cases = cases.flatMap((each) =>
            part.map(({ toMs, count }) => ({ ms: each.ms + toMs, share: (each.share * count) / total })),
          )
        }
        cases.sort((a, b) => a.ms - b.ms)
        const sum = sumOf(parts.map((part) => spreadOf(part)!))
        const error = 1 - (1 + ROUNDING) ** -roundings(parts.length)
        // Beside a step of the exact distribution either side is right.
        const exact = (at: number): number => {
          let passed = 0
          return (cases.find((each) => (passed += each.share) >= at) ?? cases.at(-1)!).ms
        }
        const found = percentile(sum, share)
        assert.ok(found >= exact(share - 1e-9) * (1 - 1e-9))
        assert.ok(found * (1 - error) <= exact(Math.min(1, share + 1e-9)) * (1 + 1e-9))
      },
    ),
  )
})

test('independent samples, drawn by chance, lie where the convolution says', () => {
  const random = mulberry(20_261_125)
  /** Skewed times, as services have them, in buckets 0.8 % wide, as histograms do. */
  const measure = (mean: number): readonly Bucket[] => {
    const counts = new Map<number, number>()
    for (let i = 0; i < 20_000; i++) {
      const slot = Math.ceil(Math.log2(mean * -Math.log(1 - random()) + 1e-3) * 90)
      counts.set(slot, (counts.get(slot) ?? 0) + 1)
    }
    return [...counts].map(([slot, count]) => ({ fromMs: 2 ** ((slot - 1) / 90), toMs: 2 ** (slot / 90), count }))
  }
  const [laneA, serviceA, laneB] = [measure(5), measure(20), measure(1)]
  const [found] = pathPercentiles(chain, { work: { lane: laneA, service: serviceA }, out: { lane: laneB } })
  assert.ok(found && found.error < 0.014)
  const draws = [laneA, serviceA, laneB].map((buckets) => drawer(buckets, random))
  const size = 200_000
  const sums = Array.from({ length: size }, () => draws.reduce((sum, draw) => sum + draw(), 0))
  for (const [share, figure] of [
    [0.5, found.convolved.p50Ms],
    [0.99, found.convolved.p99Ms],
    [0.999, found.convolved.p999Ms],
  ] as const) {
    const below = (ms: number): number => sums.filter((each) => each <= ms).length / size
    const chance = 4 * Math.sqrt((share * (1 - share)) / size)
    assert.ok(below(figure) >= share - chance, `${below(figure)} of the samples are within ${figure}`)
    assert.ok(below(figure * (1 - found.error)) <= share + chance)
  }
  assert.ok(found.sums.p99Ms > found.convolved.p99Ms)
})

test('the same distributions give the same answer', () => {
  const slow = { work: { lane: times([1, 2], [3, 4]), service: times([5, 6], [2, 2]) } }
  assert.equal(
    JSON.stringify(pathPercentiles(chain, slow)),
    JSON.stringify(pathPercentiles(chain, structuredClone(slow))),
  )
})

/** Draws a time from anywhere in a bucket, each as often as it was counted. */
function drawer(buckets: readonly Bucket[], random: () => number): () => number {
  const all = buckets.flatMap((bucket) => Array.from({ length: bucket.count }, () => bucket))
  return () => {
    const { fromMs, toMs } = all[Math.floor(random() * all.length)]!
    return fromMs + (toMs - fromMs) * random()
  }
}

/** Numbers from 0 to 1 that are the same at every run. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
