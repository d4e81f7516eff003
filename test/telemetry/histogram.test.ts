/** Histograms in shared memory have the layout of HdrHistogram: its readers can take copies of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { viewMemory } from '#src/memory/memory.js'
import { BUCKET_COUNT, HISTOGRAM_BYTES, MOST_VALUE, TOTAL, bucketOf, upperEnd } from '#src/memory/histogram.js'
import { copyHistograms, summaryOfHistograms, summaryOfCopy } from '#src/telemetry/histogram-read.js'
import { hdrBase64 } from '#src/telemetry/hdr-export.js'
import { Histogram } from '#src/telemetry/histogram.js'
import { Metrics } from '#src/telemetry/prometheus.js'
import fc from 'fast-check'
import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js'

const hdr = () =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MOST_VALUE,
    numberOfSignificantValueDigits: 2,
    bitBucketSize: 32,
    useWebAssembly: false,
  }) as ReturnType<typeof build> & {
    countsArrayIndex(value: number): number
    getCountAtIndex(index: number): number
    countsArrayLength: number
  }

const value = fc.oneof(
  fc.nat(300),
  fc.nat(),
  fc.nat().map((n) => n * 1_000),
  fc.nat(42).map((bits) => Math.min(MOST_VALUE, 2 ** bits)),
)

test('a value has the same index as in HdrHistogram', () => {
  const other = hdr()
  assert.equal(other.countsArrayLength, BUCKET_COUNT)
  fc.assert(fc.property(value, (each) => assert.equal(bucketOf(each), other.countsArrayIndex(each))))
})

test('the same values give the same counts and percentiles as in HdrHistogram, over several workers', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, fc.integer({ min: 1, max: 9 })), { minLength: 1 }), (values) => {
      const memory = viewMemory(new ArrayBuffer(2 * HISTOGRAM_BYTES))
      const ours = [new Histogram(memory, 0), new Histogram(memory, HISTOGRAM_BYTES)]
      const other = hdr()
      values.forEach(([each, count], i) => {
        ours[i % 2]!.record(each, count)
        other.recordValueWithCount(each, count)
      })
      const copy = copyHistograms(memory, [0, HISTOGRAM_BYTES])
      assert.deepEqual(
        [...copy.counts],
        Array.from({ length: BUCKET_COUNT }, (_, i) => other.getCountAtIndex(i)),
      )
      assert.equal(copy.total, other.totalCount)
      const shares = [0.5, 0.9, 0.99, 0.999]
      const theirs = shares.map((share) => Math.min(other.getValueAtPercentile(100 * share), copy.max))
      const { p50, p90, p99, p999, ...rest } = summaryOfCopy(copy)
      assert.deepEqual([p50, p90, p99, p999], theirs)
      // What is read where it stands, without a copy, is the same.
      assert.deepEqual(summaryOfHistograms(memory, [0, HISTOGRAM_BYTES]), { ...rest, p50, p90, p99, p999 })
      assert.deepEqual([rest.min, rest.max], [copy.min, copy.max])
    }),
    { numRuns: 60 },
  )
})

test('more values than a word holds are counted, in one bucket and over several workers', async () => {
  const memory = viewMemory(new ArrayBuffer(2 * HISTOGRAM_BYTES))
  const many = 2 ** 31
  for (const offset of [0, HISTOGRAM_BYTES]) {
    const histogram = new Histogram(memory, offset)
    for (let times = 0; times < 4; times++) histogram.record(1_000, many)
  }
  const copy = copyHistograms(memory, [0, HISTOGRAM_BYTES])
  assert.equal(copy.total, 8 * many)
  assert.equal(copy.counts[bucketOf(1_000)], 8 * many)
  for (const { count, mean, p50, p999 } of [summaryOfCopy(copy), summaryOfHistograms(memory, [0, HISTOGRAM_BYTES])])
    assert.deepEqual({ count, mean, p50, p999 }, { count: 8 * many, mean: 1_000, p50: 1_000, p999: 1_000 })
  const metrics = new Metrics()
  metrics.histogram('h', 'Help.', {}, copy, [999, 1_003], 1)
  assert.match(metrics.toString(), /^h_bucket\{le="999"\} 0\nh_bucket\{le="1003"\} 17179869184$/m)
  assert.equal(decodeFromCompressedBase64(await hdrBase64(copy), 64, false).totalCount, 8 * many)
})

test('a summary between the count of the first value and its figures is that of nothing', () => {
  const memory = viewMemory(new ArrayBuffer(HISTOGRAM_BYTES))
  const before = summaryOfHistograms(memory, [0])
  new Histogram(memory, 0).record(7)
  memory.floats.fill(0, TOTAL)
  assert.deepEqual(summaryOfHistograms(memory, [0]), before)
  assert.deepEqual(
    Object.values(before),
    Object.values(before).map(() => 0),
  )
})

test('a bucket of the metrics counts the values whose own bucket ends at its bound or below', () => {
  const bounds = [1, 2, 127, 255, 256, 1_000, 2_500, 1e6, 2 ** 40, MOST_VALUE, 1e15]
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom(1, 1e-9), (values, scale) => {
      const memory = viewMemory(new ArrayBuffer(HISTOGRAM_BYTES))
      const histogram = new Histogram(memory, 0)
      for (const each of values) histogram.record(each, 1)
      const metrics = new Metrics()
      const scaled = bounds.map((bound) => bound * scale)
      metrics.histogram('h', 'Help.', { node: 'a "b"' }, copyHistograms(memory, [0]), scaled, scale)
      const counts = [...metrics.toString().matchAll(/^h_bucket\{node="a \\"b\\"",le="(?!\+)[^"]+"\} (\d+)$/gm)].map(
        ([, count]) => Number(count),
      )
      const expected = scaled.map((bound) => values.filter((each) => upperEnd(bucketOf(each)) <= bound / scale).length)
      assert.deepEqual(counts, expected)
    }),
  )
})
